import fc from "fast-check";
import { expect, it } from "vitest";

import { correctedLevel, meanInterval, pairedDifference, verdictOf } from "./seeds.ts";
import { studentQuantile, studentTail } from "./studentT.ts";

it("gives the quantiles of Student's t that tables print", () => {
  // two-sided; NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2
  for (const [tail, degrees, t] of [
    [0.05, 1, 12.706],
    [0.05, 2, 4.303],
    [0.05, 9, 2.262],
    [0.05, 100, 1.984],
    [0.01, 2, 9.925],
    [0.002, 3, 10.215],
    [0.2, 30, 1.31],
  ]) {
    expect(studentQuantile(tail, degrees)).toBeCloseTo(t, 3);
  }
});

it("has the tails that are known in closed form, and the quantile inverts them", () => {
  const one = (t: number) => 1 - (2 / Math.PI) * Math.atan(t); // Cauchy
  const two = (t: number) => 1 - t / Math.sqrt(2 + t * t);
  for (const t of [0, 0.1, 1, 5, 80]) {
    expect(studentTail(t, 1)).toBeCloseTo(one(t), 12);
    expect(studentTail(-t, 2)).toBeCloseTo(two(t), 12);
  }
  expect(studentTail(Infinity, 3)).toBe(0);
  fc.assert(
    fc.property(
      fc.double({ min: 1e-9, max: 0.999, noNaN: true }),
      fc.integer({ min: 1, max: 60 }),
      (tail, degrees) => {
        const back = studentTail(studentQuantile(tail, degrees), degrees);
        expect(Math.abs(back / tail - 1)).toBeLessThan(1e-9);
      },
    ),
  );
});

it("gives the interval of a mean that is worked out in textbooks", () => {
  const { mean, half, n } = meanInterval([1, 2, 3]);
  expect([mean, n]).toEqual([2, 3]);
  expect(half).toBeCloseTo(4.302653 / Math.sqrt(3), 5);
  expect(meanInterval([0.4])).toEqual({ mean: 0.4, half: null, n: 1 });
  expect(meanInterval([])).toEqual({ mean: NaN, half: null, n: 0 });
});

it("compares over common seeds only, and corrects interval and p for the comparisons", () => {
  // Student (1908): extra hours of sleep by two drugs, t = 4.062, p = 0.002833 with 9 degrees of freedom
  const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
  const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
  const bySeed = (values: number[]) => new Map(values.map((value, seed) => [seed, value]));
  const plain = pairedDifference(bySeed([...second, 99]), bySeed(first));
  expect(plain.n).toBe(10);
  expect(plain.mean).toBeCloseTo(1.58, 10);
  expect(plain.p).toBeCloseTo(0.002833, 6);
  expect(plain.mean - plain.half!).toBeCloseTo(0.7001142, 6);
  const corrected = pairedDifference(bySeed(second), bySeed(first), 4);
  expect(corrected.p).toBeCloseTo(4 * 0.002833, 5);
  expect(corrected.half!).toBeGreaterThan(plain.half!);
  expect(correctedLevel(0.95, 5)).toBeCloseTo(0.99, 12);
});

it("does not take seeds that agree by chance for certainty", () => {
  const bySeed = (...values: number[]) => new Map(values.map((value, seed) => [seed, value]));
  const [ours, base] = [bySeed(0.45, 0.4, 0.5), bySeed(0.4, 0.35, 0.45)];
  expect(pairedDifference(ours, base).half).toBe(0);
  const few = pairedDifference(ours, base, 1, 1 / 20); // of 20 test images each is 5 points
  expect(verdictOf(few)).toBe("none");
  expect(few.p).toBeGreaterThan(0.05);
  const many = pairedDifference(ours, base, 1, 1 / 2000);
  expect(many.half).toBeCloseTo(4.302653 / Math.sqrt(3) / 2000, 8);
  expect(verdictOf(many)).toBe("better");
  const wide = bySeed(0.5, 0.4, 0.6); // what seeds deviate by counts where it is more
  expect(pairedDifference(wide, base, 1, 1e-4)).toEqual(pairedDifference(wide, base));
});

it("calls a difference one only where interval and p say so, and of three seeds or more", () => {
  const value = fc.double({ min: -1, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(value, value), { maxLength: 6 }),
      fc.integer({ min: 1, max: 9 }),
      (pairs, comparisons) => {
        const side = (i: 0 | 1) => new Map(pairs.map((pair, seed) => [seed, pair[i]]));
        const found = pairedDifference(side(0), side(1), comparisons);
        const verdict = verdictOf(found);
        if (pairs.length < 3) expect(verdict).toBe("few");
        else if (Math.abs(found.p! - 0.05) > 1e-6) {
          expect(verdict === "none").toBe(found.p! > 0.05);
        }
        if (verdict === "better") expect(found.mean - found.half!).toBeGreaterThan(0);
        if (verdict === "worse") expect(found.mean + found.half!).toBeLessThan(0);
      },
    ),
  );
  expect(verdictOf({ mean: 0.3, half: 0, n: 2 })).toBe("few");
  expect(verdictOf({ mean: 0, half: 0, n: 3 })).toBe("none"); // the same in every seed
});
