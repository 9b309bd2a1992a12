import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, numbers } from "../../testing/arrays.ts";
import { someBatch, stepper, tinyFramework } from "../../../test/tinyFramework.ts";
import type { HostRecord } from "../../core/arrays.ts";
import { losses } from "../../losses/index.ts";
import type { Named } from "../../core/catalogue.ts";
import { hardnessOf, samplingQuality } from "./quality.ts";

const measure = (similarity: number[], weights: number[], temperature: number) =>
  evaluate(
    (s: np.Array, w: np.Array) => hardnessOf(s, w, temperature),
    float32([1, similarity.length], similarity),
    float32([1, weights.length], weights),
  ) as Promise<HostRecord>;

describe("hardnessOf", () => {
  test("weighs negatives by their share of the force on the anchor", async () => {
    // weights of 0.5, 0.1 and 0.3 (left out) at temperature 0.2: e^2.5, 2·e^0.5, 0
    const got = await measure([0.5, 0.1, 0.3], [1, 2, 0], 0.2);
    const [a, b] = [Math.exp(2.5), 2 * Math.exp(0.5)];
    const [p, q] = [a / (a + b), b / (a + b)];
    expect(numbers(got.hardness)[0]).toBeCloseTo(0.5 * p + 0.1 * q, 5);
    expect(numbers(got.effectiveNegatives)[0]).toBeCloseTo(1 / (p * p + q * q), 5);
  });

  test("of equal negatives all count, whatever the temperature", async () => {
    const got = await measure([0.2, 0.2, 0.2, 0.2], [1, 1, 1, 1], 0.01);
    expect(numbers(got.effectiveNegatives)[0]).toBeCloseTo(4, 4);
  });

  test("without negatives there are none that count", async () => {
    const got = await measure([0.2, 0.4], [0, 0], 0.2);
    expect([...numbers(got.effectiveNegatives), ...numbers(got.hardness)]).toEqual([0, 0]);
  });

  test("a loss that prefers near negatives is measured with that preference", () => {
    const { hardNegative, infoNce, debiased } = losses;
    expect(hardNegative.negativeTemperature({ temperature: 0.5, beta: 1 })).toBe(0.25);
    expect(infoNce.negativeTemperature({ temperature: 0.5 })).toBe(0.5);
    expect(debiased.negativeTemperature({})).toBe(0.5);
  });
});

/** Quality of the second step, of images with the labels 0, 1, 0, 1. */
async function qualityOf(samplers: Named[], more: Parameters<typeof tinyFramework>[0] = {}) {
  const framework = tinyFramework({ samplers, ...more });
  const labels = Int32Array.from([0, 1, 0, 1]);
  const step = await stepper(framework);
  const { state } = await step(framework.init(), { ...someBatch(framework, 1), labels });
  const { metrics } = await step(state, { ...someBatch(framework, 2, 4), labels });
  return samplingQuality(metrics);
}

describe("samplingQuality", () => {
  test("the base rate is that of the labels, and nothing is detected where nothing detects", async () => {
    const plain = await qualityOf([]);
    expect(plain.falseNegativeRate).toBeCloseTo(1 / 3, 6); // one of three other images
    expect(plain.falseNegatives).toBeCloseTo(1 / 3, 6);
    expect(plain).not.toHaveProperty("detectionPrecision");
    const ring = await qualityOf([{ name: "hardest", share: 0.5 }]);
    expect(ring).not.toHaveProperty("detectionPrecision"); // easy ones are no detections
    expect(ring).not.toHaveProperty("detectionRecall");
  });

  test("an oracle is perfect, also behind a sampler that drops for other reasons", async () => {
    const oracle = await qualityOf([{ name: "oracle" }]);
    expect(oracle.detectionPrecision).toBeCloseTo(1, 6);
    expect(oracle.detectionRecall).toBeCloseTo(1, 6);
    expect(oracle.detectionLift).toBeCloseTo(3, 5);
    expect(oracle.falseNegatives).toBe(0);
    const behind = await qualityOf([{ name: "hardest", share: 0.8 }, { name: "oracle" }]);
    expect(behind.detectionPrecision).toBeCloseTo(1, 6);
    expect(behind.detectionRecall).toBeCloseTo(1, 6);
  });

  test("an attracted negative was detected too", async () => {
    const { detectionPrecision, positivePurity } = await qualityOf([
      { name: "oracle", action: "attract" },
    ]);
    expect(detectionPrecision).toBeCloseTo(1, 6);
    expect(positivePurity).toBeCloseTo(1, 6);
  });

  test("mixtures count among the negatives", async () => {
    const queue = { framework: { name: "moco", queueSize: 8 } };
    const bare = await qualityOf([], queue);
    const mixer = { name: "mochi", pairMixes: 8, queryMixes: 8, warmup: 0 };
    const mixed = await qualityOf([], { ...queue, mixer });
    expect(mixed.hardness).not.toBeCloseTo(bare.hardness, 3);
  });
});
