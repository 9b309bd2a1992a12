import fc from "fast-check";
import { expect, test } from "vitest";

import { linearScale, multiplesWithin, niceAxis, niceStep, rangeOf } from "./scale.ts";

test("a scale maps the ends to the ends and the middle to the middle", () => {
  const scale = linearScale([2, 6], [100, 20]);
  expect([scale(2), scale(4), scale(6)]).toEqual([100, 60, 20]);
});

test("steps are 1, 2 or 5 times a power of ten", () => {
  expect([niceStep(10, 5), niceStep(1, 4), niceStep(0.0021, 4), niceStep(1700, 4)]).toEqual([
    2, 0.2, 0.0005, 500,
  ]);
});

test("ticks are exact decimals, not sums of rounding errors", () => {
  expect(multiplesWithin([0, 0.6], 0.1)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
  expect(multiplesWithin([-0.25, 0.25], 0.2)).toEqual([-0.2, 0, 0.2]);
});

test("an axis holds its values, ends on ticks, and has a handful of them", () => {
  const magnitude = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const width = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(magnitude, width, (low, span) => {
      const { domain, ticks } = niceAxis([low, low + span], 4);
      const slack = 1e-6 * span;
      expect(domain[0]).toBeLessThanOrEqual(low + slack);
      expect(domain[1]).toBeGreaterThanOrEqual(low + span - slack);
      expect([ticks[0], ticks.at(-1)]).toEqual([...domain]);
      expect(ticks.length).toBeGreaterThanOrEqual(3);
      expect(ticks.length).toBeLessThanOrEqual(9);
    }),
    { numRuns: 2000, examples: [[22050.448400001005, 0.001]] },
  );
});

test("a range leaves out what is not finite, and gives a single value room", () => {
  expect(rangeOf([3, NaN, 1, Infinity])).toEqual([1, 3]);
  expect(rangeOf([4, 4])).toEqual([2, 6]);
  expect(rangeOf([0])).toEqual([-1, 1]);
  expect(rangeOf([])).toEqual([0, 1]);
});
