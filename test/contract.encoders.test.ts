import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { type HostRecord, type HostTree, sizeOf } from "../src/core/arrays.ts";
import { randomStream } from "../src/core/random.ts";
import { type ArrayRecord, differentiate } from "../src/core/trees.ts";
import { encoders, heads, type Network, type Variables } from "../src/encoders/index.ts";
import { compile } from "../src/engine/index.ts";
import { evaluate, float32, numbers } from "../src/testing/arrays.ts";

const context = { imageSize: 8 };
const block = { kernel: 3, hidden: 4, outputs: 4 };
const stages = [
  [{ ...block, kind: "separable" as const, stride: 1, squeeze: 2 }],
  [{ ...block, kind: "inverted" as const, stride: 2, activation: "hardSwish" as const }],
  [{ ...block, kind: "edge" as const, stride: 1 }],
  [{ ...block, kind: "plain" as const, stride: 1 }],
];
// every entry at a size that an interpreter can run
const tiny: Record<keyof typeof encoders, () => Network> = {
  resnet: () => encoders.resnet({ width: 2, blocks: [1, 1], bottleneck: true }, context),
  resnet18: () => encoders.resnet18({ width: 1 }, context),
  resnet34: () => encoders.resnet34({ width: 1 }, context),
  // of one channel, the scale before a convolution and its norm has no slope but rounding
  resnet50: () => encoders.resnet50({ width: 2 }, context),
  convnet: () => encoders.convnet({ width: 2, depth: 3 }, context),
  convnext: () =>
    encoders.convnext(
      { depths: [1, 1], widths: [2, 4], patch: 2, kernel: 3, globalResponse: true, layerScale: 1 },
      context,
    ),
  mobilenet: () => encoders.mobilenet({ stem: 4, head: 3, headPooled: true, stages }, context),
  vit: () => encoders.vit({ dimension: 4, heads: 2, depth: 2 }, context),
  vitTiny: () => encoders.vitTiny({ depth: 1 }, context),
  vitSmall: () => encoders.vitSmall({ depth: 1, patch: 8 }, context),
};
const N = 3;
const stream = randomStream(8, "encoders");
const images = float32(
  [N, 3, 8, 8],
  Array.from({ length: N * 192 }, () => stream.normal()),
);
type Parameters = { parameters: ArrayRecord };

describe.each(Object.entries(tiny))("every encoder: %s", (name, make) => {
  const entry = encoders[name as keyof typeof encoders];

  test("has its own name, a summary, a source and described options", () => {
    expect(entry.name).toBe(name);
    expect(entry.summary).toMatch(/\.$/);
    expect(entry.source).toMatch(/arXiv:\d{4}/);
    for (const option of Object.values(entry.options.shape)) {
      expect((option as { description?: string }).description).toBeTruthy();
    }
  });

  test("draws arrays of the declared shapes, the same for the same seed", () => {
    const network = make();
    const [{ parameters }, again] = [network.init(3), network.init(3)];
    for (const [key, { shape }] of Object.entries(network.parameters)) {
      expect(parameters[key].shape).toEqual(shape);
      expect(parameters[key].data).toHaveLength(sizeOf(shape));
      const repeated = again.parameters[key].data;
      expect(
        parameters[key].data.every((value, i) => value === repeated[i]),
        key,
      ).toBe(true);
    }
  });

  test("gives finite features, and a gradient that reaches every parameter", async () => {
    const network = make();
    const { parameters, statistics } = network.init(1);
    const objective = (
      at: Parameters,
      running: ArrayRecord,
      x: np.Array,
    ): [np.Array, { features: np.Array; statistics: ArrayRecord }] => {
      const variables: Variables = { parameters: at.parameters, statistics: running };
      const applied = network.apply(variables, x, { training: true });
      return [applied.features.ref.sub(0.3).mul(applied.features.ref).mean(), applied];
    };
    const run = (at: Parameters, running: ArrayRecord, x: np.Array) => {
      const { value, gradient, extra } = differentiate(objective)(at, running, x);
      return {
        value,
        gradient: gradient.parameters,
        features: extra.features,
        running: extra.statistics,
      };
    };
    const args = [{ parameters }, statistics, images] as HostTree[];
    const program = await compile(run, args, { device: "cpu" });
    const result = (await program.run(...args)) as {
      gradient: HostRecord;
      features: HostTree;
      running: HostRecord;
    };
    await program.dispose();
    expect(numbers(result.features)).toHaveLength(N * network.dimension);
    expect(numbers(result.features).every(Number.isFinite)).toBe(true);
    expect(Object.keys(result.running)).toEqual(Object.keys(statistics));
    for (const [key, slope] of Object.entries(result.gradient)) {
      expect(
        slope.data.some((x) => x !== 0),
        key,
      ).toBe(true);
      expect(slope.data.every(Number.isFinite), key).toBe(true);
    }
  });

  test("leaves statistics alone in evaluation, and treats images one by one", async () => {
    const network = make();
    const variables = network.init(1);
    const apply = (v: Variables, x: np.Array) => network.apply(v, x, { training: false });
    const run = async (x: HostTree) => {
      const program = await compile(apply, [variables, x] as never, { device: "cpu" });
      const result = await program.run(variables, x);
      await program.dispose();
      return result as { features: HostTree; statistics: HostRecord };
    };
    const all = await run(images);
    const one = await run(float32([1, 3, 8, 8], numbers(images).slice(192, 384)));
    expect(all.statistics).toEqual(variables.statistics);
    const second = numbers(all.features).slice(network.dimension, 2 * network.dimension);
    numbers(one.features).forEach((value, i) => expect(value).toBeCloseTo(second[i], 4));
  });
});

test.each(["convnet", "vit", "resnet"] as const)(
  "%s is the same on ONNX Runtime as on jax-js",
  async (name) => {
    const network = tiny[name]();
    const variables = network.init(2);
    const apply = (v: Variables, x: np.Array) => network.apply(v, x, { training: true }).features;
    const program = await compile(apply, [variables, images], { device: "cpu" });
    const fast = numbers(await program.run(variables, images));
    await program.dispose();
    const slow = numbers(await evaluate(apply, variables, images));
    fast.forEach((value, i) => expect(value).toBeCloseTo(slow[i], 4));
  },
);

describe.each(Object.entries(heads))("every head: %s", (name, head) => {
  test("maps features to embeddings, with a gradient for every parameter", async () => {
    expect(head.name).toBe(name);
    const options = name === "none" ? {} : { dimension: 3 };
    const network = (head as (inputs: number, options: object) => Network)(4, options);
    const { parameters, statistics } = network.init(0);
    const objective = (at: Parameters & { x: np.Array }): [np.Array, { features: np.Array }] => {
      const variables = { parameters: at.parameters, statistics: {} };
      const { features } = network.apply(variables, at.x, { training: true });
      return [features.ref.mul(features.ref).sum(), { features: features.mul(1) }];
    };
    expect(Object.keys(statistics)).toEqual([]);
    expect(Object.keys(parameters).every((key) => key.startsWith("head."))).toBe(true);
    const x = float32([2, 4], [1, -2, 0.5, 3, 0.1, 1, -1, 2]);
    const result = (await evaluate(
      (at: Parameters & { x: np.Array }) => differentiate(objective)(at),
      { parameters, x },
    )) as { gradient: { parameters?: HostRecord; x: HostTree }; extra: HostRecord };
    expect(numbers(result.gradient.x).some((value) => value !== 0)).toBe(true);
    expect(numbers(result.extra.features)).toHaveLength(2 * network.dimension);
    for (const [key, slope] of Object.entries(result.gradient.parameters ?? {})) {
      expect(
        slope.data.some((value) => value !== 0),
        key,
      ).toBe(true);
    }
  });
});

test("an MLP head with batch norm keeps statistics and names as a PyTorch Sequential", () => {
  const network = heads.mlp(4, { hidden: 6, layers: 3, batchNorm: true, dimension: 2 });
  expect(Object.keys(network.parameters)).toEqual([
    "head.0.weight",
    "head.1.weight",
    "head.1.bias",
    "head.3.weight",
    "head.4.weight",
    "head.4.bias",
    "head.6.weight",
    "head.6.bias",
  ]);
  expect(Object.keys(network.statistics)).toContain("head.4.running_var");
});
