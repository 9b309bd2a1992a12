import fc from "fast-check";
import { expect, it } from "vitest";

import { classShares, share } from "./accuracy.ts";

it("gives the intervals that are printed in the literature", () => {
  // Newcombe (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
  for (const [correct, count, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ]) {
    const interval = share(correct, count);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  }
});

it("holds the share, is symmetric in success and failure, and narrows with more trials", () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(200), (right, wrong) => {
      fc.pre(right + wrong > 0);
      const found = share(right, right + wrong);
      const mirrored = share(wrong, right + wrong);
      expect(found.low).toBeLessThanOrEqual(found.value);
      expect(found.high).toBeGreaterThanOrEqual(found.value);
      expect(found.low).toBeCloseTo(1 - mirrored.high, 12);
      const more = share(4 * right, 4 * (right + wrong));
      expect(more.high - more.low).toBeLessThan(found.high - found.low);
    }),
  );
  expect(share(0, 0)).toEqual({ value: NaN, correct: 0, count: 0, low: 0, high: 1 });
});

it("counts each class by itself and leaves rows without a label out", () => {
  const shares = classShares([0, 1, 1, 2, 0], [0, 0, 1, -1, 3], 4);
  expect(shares.map(({ correct, count }) => [correct, count])).toEqual([
    [1, 2],
    [1, 1],
    [0, 0],
    [0, 1],
  ]);
});
