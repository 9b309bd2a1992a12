import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DataError, ShapeError } from "../core/errors.ts";
import { randomStream } from "../core/random.ts";
import { alignment } from "./alignment.ts";
import { effectiveRank, singularValues } from "./effectiveRank.ts";
import { featureSpread } from "./featureSpread.ts";
import type { Features } from "./features.ts";
import { uniformity } from "./uniformity.ts";
import { viewAgreement } from "./viewPairs.ts";

const rows = (...values: number[][]): Features => ({
  data: Float32Array.from(values.flat()),
  count: values.length,
  dimension: values[0].length,
});
function random(count: number, dimension: number, ...seed: number[]): Features {
  const stream = randomStream("spread", ...seed);
  const data = Float32Array.from({ length: count * dimension }, () => stream.normal());
  return { data, count, dimension };
}
function unit({ data, dimension }: Features, i: number): number[] {
  const row = [...data.subarray(i * dimension, (i + 1) * dimension)];
  const norm = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
  return row.map((v) => v / norm);
}
const distance = (x: number[], y: number[]) =>
  Math.sqrt(x.reduce((sum, v, e) => sum + (v - y[e]) ** 2, 0));
const size = (least: number, most: number) => fc.integer({ min: least, max: most });

describe("alignment", () => {
  it("is 0 for the same directions, 2 for orthogonal and 4 for opposite ones", () => {
    const x = rows([1, 0], [0, 2]);
    expect(alignment(x, rows([5, 0], [0, 0.1]))).toBe(0);
    expect(alignment(x, rows([0, 3], [-1, 0]))).toBeCloseTo(2, 6);
    expect(alignment(x, rows([-1, 0], [0, -1]))).toBeCloseTo(4, 6);
    expect(alignment(x, rows([0, 3], [-1, 0]), 1)).toBeCloseTo(Math.SQRT2, 6);
  });

  it("is the mean over rows that a loop finds", () => {
    fc.assert(
      fc.property(size(1, 20), size(1, 9), size(1, 3), (count, dimension, alpha) => {
        const [x, y] = [random(count, dimension, 1), random(count, dimension, 2)];
        let sum = 0;
        for (let i = 0; i < count; i++) sum += distance(unit(x, i), unit(y, i)) ** alpha;
        expect(alignment(x, y, alpha)).toBeCloseTo(sum / count, 5);
      }),
    );
  });

  it("refuses rows that do not pair up", () => {
    expect(() => alignment(random(3, 2), random(4, 2))).toThrow("y has 4 rows, expected 3 as in x");
    expect(() => alignment(random(3, 2), random(3, 4))).toThrow(ShapeError);
    expect(() => alignment(rows([NaN]), rows([1]))).toThrow(DataError);
  });
});

describe("uniformity", () => {
  it("is 0 for one point, −4t for two opposite ones", () => {
    expect(uniformity(rows([1, 2], [2, 4], [3, 6]))).toBeCloseTo(0, 6);
    expect(uniformity(rows([1, 0], [-2, 0]))).toBeCloseTo(-8, 5);
    expect(uniformity(rows([1, 0], [-2, 0]), 0.5)).toBeCloseTo(-2, 6);
  });

  it("is the log mean over all pairs that a loop finds, across blocks too", () => {
    const check = (count: number, dimension: number, t: number) => {
      const x = random(count, dimension, count);
      const units = Array.from({ length: count }, (_, i) => unit(x, i));
      let [sum, pairs] = [0, 0];
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < i; j++, pairs++)
          sum += Math.exp(-t * distance(units[i], units[j]) ** 2);
      }
      expect(uniformity(x, t)).toBeCloseTo(Math.log(sum / pairs), 4);
    };
    fc.assert(fc.property(size(2, 40), size(2, 9), fc.constantFrom(0.5, 2, 3), check), {
      numRuns: 30,
    });
    for (const count of [127, 128, 129, 300]) check(count, 5, 2);
  });

  it("needs two rows", () => {
    expect(() => uniformity(rows([1, 0]))).toThrow("features has 1 rows, expected at least 2 rows");
  });
});

describe("featureSpread", () => {
  it("is 0 when features collapse and 1/√D when they fill all directions", () => {
    expect(featureSpread(rows([1, 2], [2, 4])).deviation).toBeCloseTo(0, 6);
    const { deviation, even } = featureSpread(random(4000, 16));
    expect(even).toBe(0.25);
    expect(deviation).toBeGreaterThan(0.24);
    expect(deviation).toBeLessThan(0.26);
    expect(featureSpread(rows([1, 0], [-1, 0])).deviation).toBeCloseTo(0.5, 6); // columns: 1 and 0
  });
});

describe("effectiveRank", () => {
  const diagonal = (...values: number[]) =>
    rows(...values.map((value, i) => values.map((_, j) => (i === j ? value : 0))));

  it("counts equal directions, and only those that are used", () => {
    expect(effectiveRank(diagonal(3, 3, 3, 3))).toBeCloseTo(4, 9);
    expect(effectiveRank(diagonal(3, 3, 0, 0))).toBeCloseTo(2, 9);
    expect(effectiveRank(rows([1, 2, 3], [2, 4, 6], [-1, -2, -3]))).toBeCloseTo(1, 5);
    expect(effectiveRank(rows([0, 0], [0, 0]))).toBe(0);
  });

  it("is exp of the entropy of the singular values' shares", () => {
    const [p, q] = [0.75, 0.25]; // of 3 and 1
    const byHand = Math.exp(-p * Math.log(p) - q * Math.log(q));
    expect(effectiveRank(diagonal(3, 1))).toBeCloseTo(byHand, 9);
  });

  it("does not change with rotation, scale, order or transposition", () => {
    fc.assert(
      fc.property(
        size(1, 12),
        size(1, 12),
        fc.double({ min: 0.01, max: 7, noNaN: true }),
        (n, d, scale) => {
          const x = random(n, d, n, d);
          const rank = effectiveRank(x);
          const flipped = { data: new Float32Array(n * d), count: d, dimension: n };
          for (let i = 0; i < n; i++)
            for (let e = 0; e < d; e++) flipped.data[e * n + i] = x.data[i * d + e];
          expect(effectiveRank(flipped)).toBeCloseTo(rank, 4);
          expect(effectiveRank({ ...x, data: x.data.map((v) => v * scale) })).toBeCloseTo(rank, 4);
          expect(rank).toBeLessThanOrEqual(Math.min(n, d) + 1e-9);
          expect(rank).toBeGreaterThanOrEqual(1 - 1e-9);
        },
      ),
    );
  });

  it("looks at evenly spaced rows where both sides are long", () => {
    const x = random(40, 30, 3);
    const every = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38];
    const half = every.flatMap((i) => [...x.data.subarray(i * 30, (i + 1) * 30)]);
    const thin = { data: Float32Array.from(half), count: 20, dimension: 30 };
    expect(effectiveRank(x, 20)).toBeCloseTo(effectiveRank(thin), 9);
    expect(effectiveRank(x, 30)).toBeCloseTo(effectiveRank(x), 9); // one side is short enough
    expect(effectiveRank(x, 20)).toBeLessThan(effectiveRank(x));
  });

  it("has singular values whose squares add up to the squares of all elements", () => {
    const x = random(300, 37, 5); // more rows than a chunk
    const values = singularValues(x);
    expect(values.length).toBe(37);
    const squares = x.data.reduce((sum, v) => sum + v * v, 0);
    expect(values.reduce((sum, v) => sum + v * v, 0) / squares).toBeCloseTo(1, 9);
    for (let i = 1; i < values.length; i++) expect(values[i]).toBeLessThanOrEqual(values[i - 1]);
  });
});

it("viewAgreement counts images whose first view is nearest to their own second", () => {
  const alike = rows([1, 0], [1, 0.1], [0, 1], [0.1, 1], [-1, 0], [-1, 0.1]);
  expect(viewAgreement(alike)).toBe(1);
  const swapped = rows([1, 0], [0, 1], [0, 1], [1, 0], [-1, 0], [-1, 0.1]);
  expect(viewAgreement(swapped)).toBeCloseTo(1 / 3);
});
