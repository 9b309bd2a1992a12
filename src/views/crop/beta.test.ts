import { describe, expect, test } from "vitest";

import { randomStream } from "../../core/random.ts";
import { drawBeta } from "./beta.ts";

const N = 40_000; // the standard deviation of a share is at most 0.0025
const draws = (alpha: number, seed = 1) => {
  const stream = randomStream(seed, "beta", Math.round(alpha * 1000));
  return Float64Array.from({ length: N }, () => drawBeta(stream, alpha));
};
const below = (values: Float64Array, limit: number) => values.filter((x) => x < limit).length / N;
const mean = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0) / N;

describe("Beta(alpha, alpha)", () => {
  // distribution functions at 0.05, 0.25 and 0.5: of the regularised incomplete beta function
  test.each([
    [0.1, [0.3775084828749521, 0.45195785367665, 0.5]],
    [0.6, [0.11523077554376734, 0.3130413285833593, 0.5]],
    [1, [0.05, 0.25, 0.5]],
    [2, [0.00725, 0.15625, 0.5]],
  ])("alpha %s has the distribution that it should have", (alpha, [at5, at25, at50]) => {
    const values = draws(alpha);
    expect(Math.abs(below(values, 0.05) - at5)).toBeLessThan(0.008);
    expect(Math.abs(below(values, 0.25) - at25)).toBeLessThan(0.008);
    expect(Math.abs(below(values, 0.5) - at50)).toBeLessThan(0.008);
    expect(Math.abs(below(values, 0.95) - (1 - at5))).toBeLessThan(0.008);
  });

  test.each([0.1, 0.6, 1, 2])(
    "alpha %s has mean 1/2 and variance 1 / (4 (2 alpha + 1))",
    (alpha) => {
      const values = draws(alpha, 2);
      const middle = mean(values);
      const variance = mean(values.map((x) => (x - middle) ** 2));
      expect(Math.abs(middle - 0.5)).toBeLessThan(0.008);
      expect(Math.abs(variance - 1 / (4 * (2 * alpha + 1)))).toBeLessThan(0.004);
    },
  );

  test("a tiny alpha gives ends, half of them each, and never a NaN", () => {
    const values = draws(0.001);
    expect(values.every((x) => x >= 0 && x <= 1)).toBe(true);
    expect(Math.abs(below(values, 1e-6) - 0.5)).toBeLessThan(0.02);
    expect(values.filter((x) => x > 1 - 1e-6).length / N).toBeGreaterThan(0.48);
  });
});
