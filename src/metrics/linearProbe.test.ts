import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ConfigError, DataError, ShapeError } from "../core/errors.ts";
import { randomStream } from "../core/random.ts";
import { minimise } from "./lbfgs.ts";
import { linearProbe } from "./linearProbe.ts";
import type { Features, LabelledFeatures } from "./features.ts";
import { crossEntropy, meanCrossEntropy, scaled, scaleOf } from "./softmaxRegression.ts";

type Train = LabelledFeatures & { classes: number };

/** Clusters of unit deviation around random centres `apart` long. */
function clusters(
  count: number,
  dimension: number,
  classes: number,
  apart: number,
  seed = 1,
): Train {
  const centre = randomStream("centres", classes, dimension);
  const centres = Array.from({ length: classes * dimension }, () => centre.normal() * apart);
  const stream = randomStream("points", seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
  const data = Float32Array.from({ length: count * dimension }, (_, at) => {
    const [i, e] = [Math.floor(at / dimension), at % dimension];
    return centres[labels[i] * dimension + e] + stream.normal();
  });
  return { features: { data, count, dimension }, labels, classes };
}

/** Mean cross-entropy and penalty by the formula, in float64 loops. */
function slowLoss(
  { data, count, dimension }: Features,
  labels: ArrayLike<number>,
  weights: Float64Array,
  classes: number,
  l2: number,
): number {
  let loss = 0;
  for (let i = 0; i < count; i++) {
    const logits = Array.from({ length: classes }, (_, c) => {
      let sum = 0;
      for (let e = 0; e < dimension; e++)
        sum += weights[c * dimension + e] * data[i * dimension + e];
      return sum;
    });
    loss += Math.log(logits.reduce((sum, v) => sum + Math.exp(v), 0)) - logits[labels[i]];
  }
  let penalty = 0;
  weights.forEach((w, at) => (penalty += at % dimension === dimension - 1 ? 0 : w * w));
  return loss / count + (l2 / 2) * penalty;
}

describe("crossEntropy", () => {
  it("has the value of the formula and the slope of its central differences", () => {
    const { features, labels, classes } = clusters(23, 5, 3, 1);
    const ready = scaled(features, scaleOf(features));
    const objective = crossEntropy(ready, labels, classes)(0.1);
    const stream = randomStream("weights");
    const weights = Float64Array.from({ length: classes * 6 }, () => stream.normal());
    const gradient = new Float64Array(weights.length);
    const value = objective(weights, gradient);
    expect(value).toBeCloseTo(slowLoss(ready, labels, weights, classes, 0.1), 5);
    for (let at = 0; at < weights.length; at++) {
      const moved = (by: number) => {
        const there = weights.slice();
        there[at] += by;
        return slowLoss(ready, labels, there, classes, 0.1);
      };
      expect(gradient[at]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 5);
    }
  });
});

describe("minimise", () => {
  it("finds the bottom of a quadratic bowl of any slope, and says that it has", () => {
    const steepness = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(steepness, (slopes) => {
        const bowl = (x: Float64Array, gradient: Float64Array) => {
          let value = 0;
          slopes.forEach((slope, i) => {
            value += (slope / 2) * (x[i] - i) ** 2;
            gradient[i] = slope * (x[i] - i);
          });
          return value;
        };
        const { point, converged, slope } = minimise(
          bowl,
          new Float64Array(slopes.length),
          1e-8,
          500,
        );
        expect(converged).toBe(true);
        expect(slope).toBeLessThanOrEqual(1e-8);
        slopes.forEach((_, i) => expect(point[i]).toBeCloseTo(i, 5));
      }),
      { numRuns: 50 },
    );
  });

  it("follows Rosenbrock's curved valley to (1, 1)", () => {
    const valley = ([x, y]: Float64Array, gradient: Float64Array) => {
      gradient[0] = -2 * (1 - x) - 400 * x * (y - x * x);
      gradient[1] = 200 * (y - x * x);
      return (1 - x) ** 2 + 100 * (y - x * x) ** 2;
    };
    const { point, converged } = minimise(valley, Float64Array.of(-1.2, 1), 1e-8, 200);
    expect(converged).toBe(true);
    expect(point[0]).toBeCloseTo(1, 6);
    expect(point[1]).toBeCloseTo(1, 6);
  });

  it("says that it has not arrived when it may not go on", () => {
    const bowl = (x: Float64Array, gradient: Float64Array) => {
      gradient.set(x.map((v, i) => v * 10 ** i));
      return x.reduce((sum, v, i) => sum + (10 ** i * v * v) / 2, 0);
    };
    const { converged, iterations } = minimise(bowl, new Float64Array(5).fill(1), 1e-12, 3);
    expect([converged, iterations]).toEqual([false, 3]);
  });
});

describe("linearProbe", () => {
  it("separates what is separable and guesses where there is nothing to learn", () => {
    const good = linearProbe(clusters(200, 8, 4, 5), clusters(100, 8, 4, 5, 2));
    expect(good.accuracy).toBe(1);
    expect(good.converged).toBe(true);
    const blind = linearProbe(clusters(400, 4, 2, 0), clusters(1000, 4, 2, 0, 2));
    expect(blind.accuracy).toBeGreaterThan(0.4);
    expect(blind.accuracy).toBeLessThan(0.6);
  });

  it("stops where ten times the effort hardly changes the loss", () => {
    const { features, labels, classes } = clusters(300, 12, 3, 0.7);
    const ready = scaled(features, scaleOf(features));
    const objective = crossEntropy(ready, labels, classes)(1e-3);
    const start = new Float64Array(classes * ready.dimension);
    const usual = minimise(objective, start, 3e-4, 300);
    const long = minimise(objective, start, 1e-6, 3000);
    expect(usual.value - long.value).toBeLessThan(1e-4);
    expect(usual.value).toBeGreaterThanOrEqual(long.value - 1e-7);
  });

  it("chooses a strong penalty where there is noise only and a weak one where there are many rows", () => {
    const noise = linearProbe(clusters(60, 30, 2, 0), clusters(60, 30, 2, 0, 2));
    expect(noise.l2).toBeGreaterThanOrEqual(0.1);
    const rich = linearProbe(clusters(2000, 4, 3, 1), clusters(300, 4, 3, 1, 2));
    expect(rich.l2).toBeLessThanOrEqual(0.01);
    expect(linearProbe(clusters(8, 4, 2, 1), clusters(8, 4, 2, 1, 2)).l2).toBe(0.01); // too few to choose
  });

  it("generalises better with the penalty it chooses than with next to none", () => {
    const [train, test] = [clusters(120, 60, 3, 0.25), clusters(3000, 60, 3, 0.25, 2)];
    const chosen = linearProbe(train, test);
    const weak = linearProbe(train, test, { l2: 1e-5 });
    expect(chosen.accuracy).toBeGreaterThan(weak.accuracy);
  });

  it("has the cross-entropy of the formula", () => {
    const { features, labels, classes } = clusters(20, 3, 3, 1);
    const ready = scaled(features, scaleOf(features));
    const weights = Float64Array.from({ length: classes * 4 }, (_, i) => Math.sin(i));
    const expected = slowLoss(ready, labels, weights, classes, 0);
    expect(meanCrossEntropy(ready, labels, weights, classes)).toBeCloseTo(expected, 5);
  });

  it("does not care for the scale and place of features, nor for columns that never change", () => {
    const [train, test] = [clusters(150, 6, 3, 1), clusters(90, 6, 3, 1, 2)];
    const moved = <T extends LabelledFeatures>(set: T): T => {
      const { count, dimension, data } = set.features;
      const wide = new Float32Array(count * 7).fill(3.7);
      for (let i = 0; i < count; i++) {
        for (let e = 0; e < dimension; e++)
          wide[i * 7 + e] = data[i * dimension + e] * 10 ** (e - 3) + e;
      }
      return { ...set, features: { data: wide, count, dimension: 7 } };
    };
    const plain = linearProbe(train, test, { l2: 0.01 });
    const other = linearProbe(moved(train), moved(test), { l2: 0.01 });
    expect(other.loss).toBeCloseTo(plain.loss, 4);
    expect(Math.abs(other.correct - plain.correct)).toBeLessThanOrEqual(1);
    expect(linearProbe(train, test, { l2: 0.01 })).toEqual(plain); // and repeats exactly
  });

  it("finds the log odds that two constant groups have", () => {
    // x = ±1; of x = 1, three in four are class 1; of x = −1, one in four: log odds ±log 3.
    const data = Float32Array.of(1, 1, 1, 1, -1, -1, -1, -1);
    const features = { data, count: 8, dimension: 1 };
    const labels = Int32Array.of(1, 1, 1, 0, 1, 0, 0, 0);
    const objective = crossEntropy(scaled(features, scaleOf(features)), labels, 2)(1e-9);
    const { point } = minimise(objective, new Float64Array(4), 1e-6, 500);
    const [w0, b0, w1, b1] = point;
    expect(w1 - w0).toBeCloseTo(Math.log(3), 3);
    expect(b1 - b0).toBeCloseTo(0, 3);
  });

  it("handles a class without training images and test rows without a label", () => {
    const train = { ...clusters(60, 3, 2, 4), classes: 5 };
    const test = clusters(20, 3, 2, 4, 2);
    const labels = Int32Array.from(test.labels, (label, i) => (i < 5 ? -1 : label));
    const { accuracy, count, predictions } = linearProbe(train, { ...test, labels });
    expect([accuracy, count, predictions.length]).toEqual([1, 15, 20]);
  });

  it("says what is wrong with its input", () => {
    const good = clusters(10, 3, 2, 1);
    expect(() => linearProbe(good, good, { l2: 0 })).toThrow(ConfigError);
    expect(() => linearProbe(good, clusters(10, 4, 2, 1))).toThrow(ShapeError);
    expect(() => linearProbe({ ...good, labels: new Int32Array(9) }, good)).toThrow(
      "9 labels for 10 rows",
    );
    expect(() => linearProbe({ ...good, classes: 1 }, good)).toThrow(DataError);
  });
});
