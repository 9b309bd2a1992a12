import { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";

import type { HostArray, HostRecord } from "../core/arrays.ts";
import { l2Normalize } from "../core/numerics.ts";
import { randomStream } from "../core/random.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { evaluate, float32, numbers, rowsOf } from "../testing/arrays.ts";
import { synco } from "./synco.ts";

const [N, K, E] = [3, 12, 5];
const sizes = { anchors: N, candidates: K, images: N, datasetSize: 50, width: E };
const few = { topN: 6, topShare: 1, warmup: 0 };
const none = { interpolated: 0, extrapolated: 0, mixed: 0, noisy: 0, perturbed: 0, adversarial: 0 };

const rows = (count: number, name: string) => {
  const stream = randomStream(3, name);
  const all = Array.from({ length: count }, () => Array.from({ length: E }, () => stream.normal()));
  return all.map((row) => row.map((x) => x / Math.hypot(...row)));
};
const [anchors, queue] = [rows(N, "anchors"), rows(K, "queue")];
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((s, x, i) => s + x * b[i], 0);

/** Cosines and weights of the synthetic candidates, and what they were made of. */
async function candidates(options: object) {
  const inputs = synco.inputs!(options, sizes).make({ progress: 0.5, stream: randomStream(8) });
  const given = (await evaluate(
    (q: np.Array, u: np.Array, drawn: ArrayRecord) => {
      const [unit, stored] = [l2Normalize(q), l2Normalize(u)];
      const similarity = np.matmul(unit.ref, stored.ref.transpose()); // [N, K]
      const active = np.ones([]).astype(similarity.dtype);
      const scene = { anchors: unit, rows: stored, offset: 0, similarity, active, inputs: drawn };
      const positive = np.zerosLike(similarity.ref);
      const pairs = () => ({ positive: positive.ref, negative: np.onesLike(similarity.ref) });
      const { similarity: cosine, negative } = synco.apply(scene, pairs(), options);
      return { cosine, negative, ...synco.parents!(scene, pairs(), options) };
    },
    float32([N, E], anchors.flat()),
    float32([K, E], queue.flat()),
    inputs,
  )) as HostRecord;
  return given as Record<"cosine" | "negative" | "first" | "second" | "share", HostArray>;
}

test("draws what the paper draws, and the noise once a place", () => {
  const options = { ...few, noisy: 400, mixed: 0 };
  const { spec, ...made } = synco.inputs!(options, sizes);
  const drawn = made.make({ progress: 0, stream: randomStream(1) });
  const range = (name: string) => {
    const values = numbers(drawn[name]);
    return [Math.min(...values), Math.max(...values)];
  };
  expect(spec.noise.shape).toEqual([400, E]);
  expect(Object.keys(spec).filter((name) => ["first", "second", "alphas"].includes(name))).toEqual(
    [],
  );
  const [low, high] = range("interpolatedShares");
  expect(low).toBeGreaterThanOrEqual(0);
  expect(high).toBeLessThanOrEqual(0.5);
  const [from, to] = range("extrapolatedShares");
  expect(from).toBeGreaterThanOrEqual(1);
  expect(to).toBeLessThanOrEqual(1.5);
  const noise = numbers(drawn.noise);
  const variance = noise.reduce((sum, x) => sum + x * x, 0) / noise.length;
  expect(Math.abs(variance - 1)).toBeLessThan(0.15); // 2000 draws: 0.03 is one standard error
});

test("candidates on a line or between two are what their parents and shares say", async () => {
  const options = {
    ...few,
    ...none,
    interpolated: 3,
    extrapolated: 3,
    perturbed: 2,
    mixed: 3,
    delta: 0.4,
  };
  const { cosine, first, second, share } = await candidates(options);
  const [got, a, b, w] = [cosine, first, second, share].map(rowsOf);
  expect(got[0]).toHaveLength(11);
  got.forEach((row, i) =>
    row.forEach((value, s) => {
      const one = a[i][s] < 0 ? anchors[i] : queue[a[i][s]];
      const mixed = one.map((x, e) => w[i][s] * x + (1 - w[i][s]) * queue[b[i][s]][e]);
      expect(value).toBeCloseTo(dot(anchors[i], mixed) / Math.hypot(...mixed), 5);
    }),
  );
});

test("perturbed and adversarial ones are nearer to the anchor than the negative, extrapolated ones farther", async () => {
  const gain = async (kind: object) => {
    const { cosine, second } = await candidates({ ...few, ...none, ...kind });
    const [got, from] = [rowsOf(cosine), rowsOf(second)];
    return got.flatMap((row, i) =>
      row.map((value, s) => value - dot(anchors[i], queue[from[i][s]])),
    );
  };
  for (const by of await gain({ perturbed: 5 })) expect(by).toBeGreaterThan(0);
  for (const by of await gain({ adversarial: 5 })) expect(by).toBeGreaterThan(0);
  for (const by of await gain({ extrapolated: 5 })) expect(by).toBeLessThan(0);
});

test("none of all kinds is a candidate without weight", async () => {
  const { cosine, negative } = await candidates({ ...few, ...none });
  expect([cosine.shape, numbers(negative)]).toEqual([
    [N, 1],
    [0, 0, 0],
  ]);
});
