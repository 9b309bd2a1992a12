import fc from "fast-check";
import { expect, test } from "vitest";

import { wilsonInterval } from "./wilson.ts";

test("the ends of the interval are the shares whose score is just 1.96", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, p) => {
        for (const end of wilsonInterval(p, n)) {
          expect((end - p) ** 2).toBeCloseTo((1.959963984540054 ** 2 * end * (1 - end)) / n, 12);
        }
      },
    ),
  );
});

test("no hit in ten trials still allows a share of 27.8 %", () => {
  const [low, high] = wilsonInterval(0, 10);
  expect(low).toBe(0);
  expect(high).toBeCloseTo(0.2775, 4);
});
