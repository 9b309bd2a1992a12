import { readdirSync, readFileSync } from "node:fs";

import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import type { HostArray, HostRecord } from "../src/core/arrays.ts";
import { l2Normalize } from "../src/core/numerics.ts";
import type { Pairs } from "../src/core/pairs.ts";
import { randomStream } from "../src/core/random.ts";
import { type ArrayRecord, differentiate } from "../src/core/trees.ts";
import { compile, type TracedFunction } from "../src/engine/index.ts";
import { type Mixer, mixers, type Sampler, samplers, type Sizes } from "../src/sampling/index.ts";
import { evaluate, float32, float64, numbers, rowsOf } from "./arrays.ts";
import { type GivenScene, keyAndQueue, type Rows, sceneOf, viewsOfImages } from "./scene.ts";

type Part = { name: string; part: Sampler | Mixer };
const allSamplers = Object.entries(samplers).map(
  ([name, sampler]) => [name, sampler as unknown as Sampler] as const,
);
const allMixers = Object.entries(mixers).map(
  ([name, mixer]) => [name, mixer as unknown as Mixer] as const,
);
const parts: [string, Part][] = [...allSamplers, ...allMixers].map(([name, part]) => [
  name,
  { name, part },
]);

test("the catalogues list every sampler and mixer under the name of its file", () => {
  const folder = new URL("../src/sampling/", import.meta.url);
  const sources = readdirSync(folder).filter((file) => !/\.test\.|^(sampler|mixer)\.ts/.test(file));
  const defined = sources.flatMap((file) => {
    const text = readFileSync(new URL(file, folder), "utf8");
    const [, name] = /^export const (\w+) = define(?:Sampler|Mixer)\(/m.exec(text) ?? [];
    if (name !== undefined) expect(file).toBe(`${name}.ts`);
    return name === undefined ? [] : [name];
  });
  expect(parts.map(([name]) => name).sort()).toEqual(defined.sort());
});

describe.each(parts)("every sampler and mixer: %s", (name, { part }) => {
  test("has its own name, a summary, a source with a year, and options that are described", () => {
    expect(part.name).toBe(name);
    expect(part.summary).toMatch(/\.$/);
    expect(part.source).toMatch(/\d{4}/);
    const options = Object.entries(part.options.shape);
    expect(options.map(([option]) => option)).toContain("warmup");
    for (const [option, schema] of options) {
      expect((schema as { description?: string }).description, option).toBeTruthy();
    }
    for (const meaning of Object.values(part.metrics)) expect(meaning).toBeTruthy();
    expect(part.warmup).toBe((part.options.parse({}) as { warmup: number }).warmup);
  });

  test("makes the arrays that it announces, the same from the same stream", () => {
    const sizes = { anchors: 4, candidates: 9, images: 4, datasetSize: 8 };
    const inputs = part.inputs?.({}, sizes);
    if (inputs === undefined) return;
    const at = (seed: number) => inputs.make({ progress: 0.3, stream: randomStream(seed) });
    const made = at(1);
    expect(Object.keys(made).sort()).toEqual(Object.keys(inputs.spec).sort());
    for (const [array, { dtype, shape }] of Object.entries(inputs.spec)) {
      expect([made[array].dtype, made[array].shape]).toEqual([dtype, shape]);
    }
    expect(at(1)).toEqual(made);
  });
});

type Setting = {
  sizes: Sizes;
  scene: Omit<GivenScene, "similarity" | "state" | "inputs" | "active">;
  similarity: number[];
  pairs: { positive: Rows; negative: Rows };
};

const stream = randomStream(5, "samplers");
const cosines = (count: number) =>
  Array.from({ length: count }, () => Math.fround(stream.uniform(-1, 1)));
const list = (count: number, entry: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => entry(i));

/** Four views of four images against each other, in three classes, one image of unknown label. */
function viewSetting(): Setting {
  const [n, images] = [16, 4];
  const marks = {
    ids: list(n, (i) => i % images),
    groups: list(n, (i) => [3, -1, 3, -1][i % images]),
    labels: list(n, (i) => [0, 0, 1, -1][i % images]),
  };
  return {
    sizes: { anchors: n, candidates: n, images, datasetSize: 20 },
    scene: { views: 4, anchors: marks, candidates: marks },
    similarity: cosines(n * n),
    pairs: viewsOfImages(n, 4),
  };
}

/** Four anchors against a bank of 16 images, each with its own row. */
function bankSetting(): Setting {
  const [n, m] = [4, 16];
  const own = list(n, (i) => 3 * i);
  const positive = own.map((at) => list(m, (j) => Number(j === at)));
  return {
    sizes: { anchors: n, candidates: m, images: n, datasetSize: m },
    scene: {
      anchors: { ids: own, labels: list(n, (i) => i % 2) },
      candidates: { ids: list(m, (j) => j), labels: list(m, (j) => j % 3) },
      ownViews: [positive],
      pool: m - 1,
    },
    similarity: cosines(n * m),
    pairs: { positive, negative: positive.map((row) => row.map((w) => 1 - w)) },
  };
}

const settings = { views: viewSetting(), bank: bankSetting() };
const settingOf = ({ needs }: Sampler): Setting =>
  settings[needs.includes("bank") ? "bank" : "views"];

/** Everything that a sampler gives, as one tree of arrays. */
function traced(sampler: Sampler, { scene, pairs, sizes }: Setting, options = {}): TracedFunction {
  return (similarity: np.Array, active: np.Array, inputs: ArrayRecord, state: ArrayRecord) => {
    const { dtype } = similarity;
    const given = { ...scene, similarity, inputs, state };
    const whole = { ...sceneOf(given), active };
    const before: Pairs = {
      positive: np.array(pairs.positive, { dtype }),
      negative: np.array(pairs.negative, { dtype }),
    };
    const sampled = sampler.apply(whole, before, options);
    const ones = (n: number) => np.ones([n]).astype(dtype);
    const terms = sampled.terms.map(({ pairs, weight }) => ({
      ...pairs,
      weight: weight ?? ones(sizes.anchors),
    }));
    // a use of an array that was consumed instead of lent throws here
    const lent = [
      ...[whole.similarity, whole.ranking, whole.support, ...whole.ownViews, whole.active],
      ...[...whole.ownIds, ...Object.values(whole.anchors), ...Object.values(whole.candidates)],
      ...Object.values(whole.inputs),
    ].map((array) => array.ref.astype(dtype).sum());
    return { terms, metrics: sampled.metrics ?? {}, state: sampled.state ?? {}, lent };
  };
}

type Given = {
  terms: Record<"positive" | "negative" | "weight", HostArray>[];
  metrics: HostRecord;
  state: HostRecord;
};

function argumentsOf(
  sampler: Sampler,
  { similarity, sizes }: Setting,
  active: number,
  array: typeof float32 | typeof float64 = float32,
) {
  const shape = [sizes.anchors, sizes.candidates];
  const at = { progress: 0.6, stream: randomStream(9) };
  const inputs = sampler.inputs?.({}, sizes).make(at) ?? {};
  const state = sampler.state?.({}, sizes) ?? {};
  return [array(shape, similarity), array([], [active]), inputs, state];
}

const run = async (sampler: Sampler, setting: Setting, active = 1) =>
  (await evaluate(
    traced(sampler, setting),
    ...argumentsOf(sampler, setting, active),
  )) as unknown as Given;

const leaves = ({ terms, metrics, state }: Given): HostArray[] => [
  ...terms.flatMap((term) => Object.values(term)),
  ...Object.values(metrics),
  ...Object.values(state),
];

describe.each(allSamplers)("every sampler: %s", (_, sampler) => {
  const setting = settingOf(sampler);
  const { positive, negative } = setting.pairs;
  const [n, m] = [setting.sizes.anchors, setting.sizes.candidates];

  test("gives finite weights ≥ 0, and the metrics and state that it announces", async () => {
    const given = await run(sampler, setting);
    expect(given.terms.length).toBeGreaterThan(0);
    for (const term of given.terms) {
      expect([term.positive.shape, term.negative.shape, term.weight.shape]).toEqual([
        [n, m],
        [n, m],
        [n],
      ]);
    }
    const weights = given.terms.flatMap((term) => Object.values(term).flatMap(numbers));
    expect(weights.every((weight) => Number.isFinite(weight) && weight >= 0)).toBe(true);
    expect(leaves(given).flatMap(numbers).every(Number.isFinite)).toBe(true);
    for (const name of Object.keys(given.metrics)) expect(sampler.metrics).toHaveProperty(name);
    for (const value of Object.values(given.metrics)) expect(value.shape).toEqual([]);
    const before = sampler.state?.({}, setting.sizes) ?? {};
    const kinds = (record: HostRecord) =>
      Object.entries(record)
        .map(([key, { dtype, shape }]) => [key, dtype, [...shape]])
        .sort();
    expect(kinds(given.state)).toEqual(kinds(before));
  });

  test("invents no pair, and changes only what it has a word for", async () => {
    const { dropped, promoted, demoted, weighted } = sampler.reasons;
    const { terms } = await run(sampler, setting);
    const largest = (side: "positive" | "negative") => {
      const all = terms.map((term) => rowsOf(term[side]));
      return (i: number, j: number) => Math.max(...all.map((rows) => rows[i][j]));
    };
    const [attracts, repels] = [largest("positive"), largest("negative")];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        const [own, other, after, against] = [
          positive[i][j],
          negative[i][j],
          attracts(i, j),
          repels(i, j),
        ];
        const where = `anchor ${i}, candidate ${j}`;
        if (own + other === 0) expect(after + against, where).toBe(0);
        if (other > 0 && after > 0) expect(promoted, where).toBeDefined();
        if (other > 0 && after + against === 0) expect(dropped, where).toBeDefined();
        if (own > 0 && after === 0) expect(demoted, where).toBeDefined();
        const scaled = (from: number, to: number) => from > 0 && to > 0 && from !== to;
        if (scaled(own, after) || scaled(other, against)) expect(weighted, where).toBeDefined();
      }
    }
  });

  test.skipIf(sampler.gates)("changes nothing before its warm-up is over", async () => {
    const { terms } = await run(sampler, setting, 0);
    expect(rowsOf(terms[0].positive)).toEqual(positive);
    expect(rowsOf(terms[0].negative)).toEqual(negative);
    expect(numbers(terms[0].weight).every((weight) => weight === 1)).toBe(true);
    for (const { weight } of terms.slice(1))
      expect(numbers(weight).every((w) => w === 0)).toBe(true);
  });

  test("lets no gradient through its weights", async () => {
    const [similarity, active, inputs, state] = argumentsOf(sampler, setting, 1);
    const apply = traced(sampler, setting);
    const objective = ({ s }: { s: np.Array }, ...rest: unknown[]) => {
      const { terms } = apply(s, ...rest) as { terms: Record<string, np.Array>[] };
      const all = terms.flatMap((term) => Object.values(term)).map((weights) => weights.sum());
      return [all.reduce((sum, weight) => sum.add(weight)), {}] as [np.Array, ArrayRecord];
    };
    const slope = await evaluate(
      (s: np.Array, ...rest: unknown[]) => differentiate(objective)({ s }, ...rest).gradient.s,
      ...[similarity, active, inputs as never, state as never],
    );
    expect(numbers(slope).every((value) => value === 0)).toBe(true);
  });

  test("is the same on ONNX Runtime as on jax-js, and in float64", async () => {
    const args = argumentsOf(sampler, setting, 1);
    const program = await compile(traced(sampler, setting), args, { device: "cpu" });
    const fast = (await program.run(...(args as never[]))) as unknown as Given;
    await program.dispose();
    const slow = leaves(await run(sampler, setting)).map(numbers);
    const precise = leaves(
      (await evaluate(
        traced(sampler, setting),
        ...(argumentsOf(sampler, setting, 1, float64) as never[]),
      )) as unknown as Given,
    ).map(numbers);
    leaves(fast).forEach((array, at) =>
      numbers(array).forEach((value, i) => {
        expect(value).toBeCloseTo(slow[at][i], 5);
        expect(value).toBeCloseTo(precise[at][i], 5);
      }),
    );
  });
});

describe.each(allMixers)("every mixer: %s", (_, mixer) => {
  const [n, k, e] = [4, 16, 6];
  const normals = (count: number, seed: number) => {
    const draw = randomStream(seed, "rows");
    return Array.from({ length: count }, () => draw.normal());
  };
  const pairs = keyAndQueue(n, 1 + k);
  pairs.negative[2].fill(0, 1, 12); // few negatives
  pairs.negative[3].fill(0); // none
  const sizes = { anchors: n, candidates: 1 + k, images: n, datasetSize: 100 };
  const inputs = mixer.inputs?.({}, sizes).make({ progress: 0.6, stream: randomStream(9) }) ?? {};

  /** Cosines of anchors with keys (column 0) and a queue, mixed. */
  const traced = (anchors: np.Array, queue: np.Array, active: np.Array, drawn: ArrayRecord) => {
    const { dtype } = anchors;
    const rows = l2Normalize(queue); // [K, E]
    const own = anchors.ref.mul(rows.ref.slice([0, n])).sum(-1, { keepdims: true }); // [N, 1]
    const similarity = np.concatenate([own, np.matmul(anchors.ref, rows.ref.transpose())], 1);
    const scene = { anchors, rows, offset: 1, similarity, active, inputs: drawn };
    const before = {
      positive: np.array(pairs.positive, { dtype }),
      negative: np.array(pairs.negative, { dtype }),
    };
    const mixed = mixer.apply(scene, before, {});
    const lent = [anchors, rows, similarity, active, ...Object.values(drawn)];
    const used = lent.map((array) => array.ref.astype(dtype).sum());
    return { mixed: { ...mixed, metrics: mixed.metrics ?? {} }, used };
  };
  const unit = (values: number[]) =>
    Array.from({ length: n }, (_, i) => values.slice(i * e, (i + 1) * e)).flatMap((row) =>
      row.map((value) => value / Math.hypot(...row)),
    );
  const args = (array: typeof float32 | typeof float64, active: number) => [
    array([n, e], unit(normals(n * e, 1))),
    array([k, e], normals(k * e, 2)),
    array([], [active]),
    inputs,
  ];
  type Given = { mixed: { similarity: HostArray; negative: HostArray; metrics: HostRecord } };
  const run = async (active = 1, array: typeof float32 | typeof float64 = float32) =>
    ((await evaluate(traced, ...(args(array, active) as never[]))) as unknown as Given).mixed;

  test("gives cosines and weights ≥ 0, none to anchors without negatives", async () => {
    const { similarity, negative, metrics } = await run();
    expect(similarity.shape).toEqual(negative.shape);
    expect(similarity.shape[0]).toBe(n);
    expect(numbers(similarity).every((value) => Math.abs(value) <= 1 + 1e-5)).toBe(true);
    expect(numbers(negative).every((weight) => Number.isFinite(weight) && weight >= 0)).toBe(true);
    const totals = rowsOf(negative).map((row) => row.reduce((sum, weight) => sum + weight, 0));
    expect(totals.slice(0, 2).every((total) => total > 0)).toBe(true);
    expect(totals[3]).toBe(0);
    expect(Object.keys(metrics).sort()).toEqual(Object.keys(mixer.metrics).sort());
    expect(Object.values(metrics).flatMap(numbers).every(Number.isFinite)).toBe(true);
  });

  test("mixes nothing before its warm-up is over", async () => {
    const { negative } = await run(0);
    expect(numbers(negative).every((weight) => weight === 0)).toBe(true);
  });

  test("its slopes at the anchors are rows of unit length, whose cosines they are slopes of", async () => {
    const [anchors, ...rest] = args(float64, 1);
    const { similarity } = await run(1, float64);
    for (const column of [0, similarity.shape[1] - 1]) {
      // one synthetic candidate an anchor, so that the slopes of each are told apart
      const objective = ({ q }: { q: np.Array }, ...others: [np.Array, np.Array, ArrayRecord]) => {
        const all = traced(q, ...others).mixed.similarity; // [N, S]
        const chosen = np.arange(all.shape[1]).equal(column).astype(all.dtype); // [S]
        return [all.mul(chosen).sum(), {}] as [np.Array, ArrayRecord];
      };
      const slope = await evaluate(
        (q: np.Array, ...others: [np.Array, np.Array, ArrayRecord]) =>
          differentiate(objective)({ q }, ...others).gradient.q,
        ...([anchors, ...rest] as never[]),
      );
      for (const i of [0, 1]) {
        const [row, anchor] = [rowsOf(slope)[i], rowsOf(anchors)[i]];
        const cosine = row.reduce((sum, value, at) => sum + value * anchor[at], 0);
        expect(Math.hypot(...row)).toBeCloseTo(1, 6);
        expect(cosine).toBeCloseTo(rowsOf(similarity)[i][column], 6);
      }
    }
  });

  test("is the same on ONNX Runtime as on jax-js, and in float64", async () => {
    const given = args(float32, 1) as never[];
    const program = await compile(traced, given, { device: "cpu" });
    const { mixed } = (await program.run(...given)) as unknown as Given;
    await program.dispose();
    const all = ({ similarity, negative, metrics }: Given["mixed"]) =>
      [similarity, negative, ...Object.values(metrics)].flatMap(numbers);
    const [slow, precise] = [all(await run()), all(await run(1, float64))];
    all(mixed).forEach((value, i) => {
      expect(value).toBeCloseTo(slow[i], 5);
      expect(value).toBeCloseTo(precise[i], 5);
    });
  });
});
