import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, numbers } from "../testing/arrays.ts";
import type { HostRecord, HostTree } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import type { Normalisation } from "./normalisation.ts";
import { normalisation } from "./normalisation.ts";
import { initialRecord } from "./initial.ts";
import { openScope } from "./layer.ts";
import type { Variables } from "./network.ts";

const [N, C, S] = [4, 2, 3];
const stream = randomStream(9, "norm");
const image = Array.from({ length: N * C * S * S }, () => 3 * stream.normal() + 1);
const weight = [1.5, -0.5];
const bias = [0.25, 2];

async function run(kind: Normalisation, training: boolean, statistics?: HostRecord) {
  const layer = normalisation(kind, "bn1", C);
  const variables = {
    parameters: { "bn1.weight": float32([C], weight), "bn1.bias": float32([C], bias) },
    statistics: statistics ?? initialRecord(layer.statistics, 0),
  };
  return (await evaluate(
    (v: Variables, x: np.Array) => {
      const scope = openScope("norm", v, training);
      const features = layer.apply(scope, x);
      return { features, statistics: scope.close() };
    },
    variables,
    float32([N, C, S, S], image),
  )) as { features: HostTree; statistics: HostRecord };
}

const at = (n: number, c: number, p: number) => (n * C + c) * S * S + p;
const pixels = Array.from({ length: S * S }, (_, p) => p);
const moments = (values: number[]) => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, variance: values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length };
};

/** Normalises by loops; `peers` are the images whose statistics an image shares. */
function byLoops(peers: (n: number) => number[], channels: (c: number) => number[]): number[] {
  const result = new Array<number>(image.length);
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      const values = peers(n).flatMap((m) =>
        channels(c).flatMap((d) => pixels.map((p) => image[at(m, d, p)])),
      );
      const { mean, variance } = moments(values);
      for (const p of pixels) {
        const unit = (image[at(n, c, p)] - mean) / Math.sqrt(variance + 1e-5);
        result[at(n, c, p)] = unit * weight[c] + bias[c];
      }
    }
  }
  return result;
}

const close = (got: HostTree, want: number[]) =>
  numbers(got).forEach((value, i) => expect(value).toBeCloseTo(want[i], 4));
const everyone = [0, 1, 2, 3];

describe("normalisation", () => {
  test("batch: uses the batch's moments and averages unbiased ones as PyTorch does", async () => {
    const { features, statistics } = await run("batch", true);
    close(
      features,
      byLoops(
        () => everyone,
        (c) => [c],
      ),
    );
    const all = everyone.flatMap((n) => pixels.map((p) => image[at(n, 1, p)]));
    const { mean, variance } = moments(all);
    const unbiased = (variance * all.length) / (all.length - 1);
    expect(numbers(statistics["bn1.running_mean"])[1]).toBeCloseTo(0.1 * mean, 5);
    expect(numbers(statistics["bn1.running_var"])[1]).toBeCloseTo(0.9 + 0.1 * unbiased, 4);
  });

  test("batch: evaluates with the running statistics and leaves them alone", async () => {
    const running = {
      "bn1.running_mean": float32([C], [0.5, -1]),
      "bn1.running_var": float32([C], [4, 0.25]),
    };
    const { features, statistics } = await run("batch", false, running);
    expect(statistics).toEqual(running);
    const value = ((image[at(2, 1, 4)] + 1) / Math.sqrt(0.25 + 1e-5)) * weight[1] + bias[1];
    expect(numbers(features)[at(2, 1, 4)]).toBeCloseTo(value, 4);
  });

  test("splitBatch: images i mod count share statistics; running ones get their mean", async () => {
    const { features, statistics } = await run({ splitBatch: 2 }, true);
    close(
      features,
      byLoops(
        (n) => everyone.filter((m) => m % 2 === n % 2),
        (c) => [c],
      ),
    );
    const means = [0, 1].map(
      (split) =>
        moments([split, split + 2].flatMap((n) => pixels.map((p) => image[at(n, 0, p)]))).mean,
    );
    expect(numbers(statistics["bn1.running_mean"])[0]).toBeCloseTo(0.05 * (means[0] + means[1]), 5);
  });

  test("group: every image has its own statistics over a group of channels", async () => {
    close(
      (await run({ group: 1 }, true)).features,
      byLoops(
        (n) => [n],
        () => [0, 1],
      ),
    );
    close(
      (await run({ group: 2 }, true)).features,
      byLoops(
        (n) => [n],
        (c) => [c],
      ),
    );
  });

  test("says when a batch does not divide", async () => {
    await expect(run({ splitBatch: 3 }, true)).rejects.toThrow(
      "bn1: a batch of 4 images does not divide into 3 splits",
    );
    expect(() => normalisation({ group: 3 }, "bn1", 4)).toThrow(
      "normalisation: 4 channels of bn1 do not divide into 3 groups",
    );
  });
});
