import fc from "fast-check";
import { expect, test } from "vitest";

import { bucketsOf, spreadOf } from "./condense.ts";

test("buckets hold every point once, in order, in nearly equal numbers", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3000 }),
      fc.integer({ min: 1, max: 300 }),
      (length, limit) => {
        const buckets = bucketsOf(length, limit);
        const points = buckets.flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, i) => first + i),
        );
        expect(points).toEqual(Array.from({ length }, (_, i) => i));
        const sizes = buckets.map(({ first, last }) => last - first + 1);
        if (length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(buckets.length).toBe(Math.min(length, limit));
      },
    ),
  );
});

test("a bucket tells mean and extremes of its finite values", () => {
  const values = [9, 1, NaN, 3, 9];
  expect(spreadOf(values, { first: 1, last: 3 })).toEqual({ mean: 2, low: 1, high: 3 });
  expect(spreadOf(values, { first: 2, last: 2 }).mean).toBeNaN();
});
