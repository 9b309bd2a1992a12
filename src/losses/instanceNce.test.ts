import { existsSync, readFileSync } from "node:fs";

import { lax, numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, float64, numbers } from "../testing/arrays.ts";
import { l2Normalize } from "../core/numerics.ts";
import { differentiate } from "../core/trees.ts";
import { instanceLogNormaliser, instanceNce } from "./instanceNce.ts";

const golden = new URL("../../../shared/golden/conformance.json", import.meta.url);
type Rows = number[][];
type Case = {
  id: string;
  method: string;
  params: { temperature: number; noise: Rows; normaliser: number | null; epsilon: number };
  inputs: { embedding: Rows; bank: Rows; indices: number[] };
  expect: {
    loss: number;
    perAnchor: number[];
    normaliser: number;
    gradients: { embedding: Rows };
  };
};
const cases = existsSync(golden)
  ? (JSON.parse(readFileSync(golden, "utf8")) as { cases: Case[] }).cases
  : [];

describe("instanceNce", () => {
  test("is (1 + K)·log(1 + K) − K·log K where every row is equally probable", async () => {
    // P = 1 / count: log(1 + K) + K·log((1 + K) / K)
    const similarity = float64([1, 4], [0.5, 0.5, 0.5, 0.5]);
    const options = { temperature: 0.1, count: 1000, epsilon: 0 };
    const value = await evaluate(
      (s: np.Array) => instanceNce(s.ref, instanceLogNormaliser(s, options), options),
      similarity,
    );
    expect(numbers(value)[0]).toBeCloseTo(4 * Math.log(4) - 3 * Math.log(3), 6);
  });

  test("stays exact at temperature 0.01, where exponentials of near rows are beyond float32", async () => {
    const rows = [
      [0.97, 0.95, -0.2, 0.4],
      [0.1, 0.99, 0.98, -0.9],
    ];
    const options = { temperature: 0.01, count: 50 };
    const objective = ({ s }: { s: np.Array }): [np.Array, { each: np.Array; logZ: np.Array }] => {
      const logZ = instanceLogNormaliser(lax.stopGradient(s.ref), options);
      const each = instanceNce(s, logZ.ref, options);
      return [each.ref.sum(), { each, logZ }];
    };
    const result = (await evaluate(
      (s: np.Array) => {
        const { value, gradient, extra } = differentiate(objective)({ s });
        return { value, slope: gradient.s, ...extra };
      },
      float32([2, 4], rows.flat()),
    )) as Record<"slope" | "each" | "logZ", never>;
    const e = rows.map((row) => row.map((s) => Math.exp(Math.fround(s) / 0.01)));
    const z = (50 * e.flat().reduce((sum, value) => sum + value, 0)) / 8;
    const each = e.map(([own, ...others]) => {
      const surprise = Math.log1p((3 / 50 + 1e-7) / (own / z));
      return others.reduce(
        (sum, x) => sum + Math.log((x / z + 3 / 50 + 1e-7) / (3 / 50)),
        surprise,
      );
    });
    expect(numbers(result.logZ)[0]).toBeCloseTo(Math.log(z), 4);
    numbers(result.each).forEach((value, i) => expect(value / each[i]).toBeCloseTo(1, 4));
    expect(numbers(result.slope).every(Number.isFinite)).toBe(true);
  });

  test("leaves out noise of weight 0", async () => {
    const options = { temperature: 0.2, count: 20, epsilon: 0 };
    const both = await evaluate(
      (s: np.Array, logZ: np.Array, kept: np.Array) => [
        instanceNce(s.ref, logZ.ref, options, kept),
        instanceNce(s, logZ, options),
      ],
      ...[float32([1, 4], [0.8, 0.3, 0.6, -0.1]), float32([], [2]), float32([1, 3], [1, 0, 1])],
    );
    const [some, all] = (both as never[]).map((each) => numbers(each)[0]);
    expect(all - some).toBeCloseTo(Math.log(1 + Math.exp(0.6 / 0.2 - 2) / (3 / 20)), 5);
  });

  test.skipIf(cases.length === 0)(
    "gives losses, normalisers and gradients of the published form (needs ../shared/golden)",
    async () => {
      const chosen = cases.filter(({ method }) => method === "instDiscNce");
      expect(chosen.length).toBeGreaterThan(0);
      for (const { params, inputs, expect: want, id } of chosen) {
        const unit = (row: number[]) => row.map((x) => x / Math.hypot(...row));
        const bank = inputs.bank.map(unit);
        const [b, k, d] = [inputs.indices.length, params.noise[0].length, bank[0].length];
        const rows = inputs.indices.map((own, i) => [own, ...params.noise[i]].map((j) => bank[j]));
        const options = {
          temperature: params.temperature,
          count: bank.length,
          epsilon: params.epsilon,
        };
        const objective = (
          { x }: { x: np.Array },
          candidates: np.Array,
          given: np.Array,
        ): [np.Array, { each: np.Array; logZ: np.Array }] => {
          const similarity = l2Normalize(x).reshape([b, 1, d]).mul(candidates).sum(-1);
          const estimate = instanceLogNormaliser(lax.stopGradient(similarity.ref), options);
          const logZ = np.where(given.ref.greater(0), given, estimate);
          const each = instanceNce(similarity, logZ.ref, options);
          return [each.ref.mean(), { each, logZ }];
        };
        const result = (await evaluate(
          (x: np.Array, candidates: np.Array, given: np.Array) => {
            const { value, gradient, extra } = differentiate(objective)({ x }, candidates, given);
            return { value, slope: gradient.x, ...extra };
          },
          float32([b, d], inputs.embedding.flat()),
          float32([b, 1 + k, d], rows.flat(2)),
          float32([], [Math.log(params.normaliser ?? 1)]),
        )) as Record<"value" | "slope" | "each" | "logZ", never>;
        const close = (got: number[], wanted: number[], digits: number) =>
          got.forEach((value, i) =>
            expect(Math.abs(value - wanted[i]), id).toBeLessThan(
              10 ** -digits * Math.max(1, Math.abs(wanted[i])),
            ),
          );
        close(numbers(result.value), [want.loss], 4.6);
        close(numbers(result.each), want.perAnchor, 4.6);
        close(numbers(result.logZ).map(Math.exp), [want.normaliser], 4.6);
        close(numbers(result.slope), want.gradients.embedding.flat(), 4);
      }
    },
  );
});
