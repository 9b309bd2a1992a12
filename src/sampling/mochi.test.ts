import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, float64, numbers, rowsOf } from "../testing/arrays.ts";
import {
  expectNear,
  expectSlope,
  type GoldenCase,
  goldenCases,
  goldenPresent,
} from "../../test/golden.ts";
import type { Rows } from "../testing/scene.ts";
import { full, type HostArray, type HostRecord, mapTree } from "../core/arrays.ts";
import { l2Normalize } from "../core/numerics.ts";
import { randomStream } from "../core/random.ts";
import { type ArrayRecord, differentiate } from "../core/trees.ts";
import { compile } from "../engine/index.ts";
import { infoNce } from "../losses/infoNce.ts";
import type { Mixed, MixerScene } from "./mixer.ts";
import { mochi, mochiRows } from "./mochi.ts";

type Params = {
  temperature: number;
  topN: number;
  pairs: number[][][];
  alphas: Rows;
  picks: Rows;
  betas: Rows;
};
type Inputs = { query: Rows; key: Rows; queue: Rows };
type Expected = { loss: number; perAnchor: number[]; topIndices: Rows; synthetic: number[][][] };
type Case = GoldenCase<Params, Inputs, Expected>;
type Real = typeof float32 | typeof float64;

const random = (seed: number, n: number, d: number): Rows => {
  const stream = randomStream(seed, "mochi");
  return Array.from({ length: n }, () => Array.from({ length: d }, () => stream.normal()));
};
const matrix = (rows: Rows, array: Real = float64) =>
  array([rows.length, rows[0]?.length ?? 0], rows.flat());

/** Draws as the mixer takes them: positions p of `count` as (p + ½) / count, a second as its distance. */
function drawsOf(
  { topN, pairs, alphas, picks, betas }: Omit<Params, "temperature">,
  array: Real = float32,
): HostRecord {
  const first = pairs.map((row) => row.map(([a]) => (a + 0.5) / topN));
  const second = pairs.map((row) =>
    row.map(([a, b]) => (((b - a - 1 + topN) % topN) + 0.5) / (topN - 1)),
  );
  const all = {
    first,
    second,
    alphas,
    picks: picks.map((row) => row.map((p) => (p + 0.5) / topN)),
    betas,
  };
  return Object.fromEntries(
    Object.entries(all)
      .filter(([, rows]) => rows[0].length > 0)
      .map(([name, rows]) => [name, matrix(rows, array)]),
  );
}

type Setup = {
  options: Record<string, number>;
  draws: HostRecord;
  temperature?: number;
  negative?: Rows;
};

/** The loss of queries against their keys (column 0) and a queue with mixes, and all that it is made of. */
function program({ options, temperature = 0.2, negative }: Setup) {
  const objective = (
    { q }: { q: np.Array },
    keys: np.Array,
    stored: np.Array,
    inputs: ArrayRecord,
  ) => {
    const anchors = l2Normalize(q); // [N, E]
    const rows = l2Normalize(stored); // [K, E]
    const own = anchors.ref.mul(l2Normalize(keys)).sum(-1, { keepdims: true }); // [N, 1]
    const others = np.matmul(anchors.ref, rows.ref.transpose()); // [N, K]
    const similarity = np.concatenate([own, others], 1); // [N, 1 + K]
    const [n, m] = similarity.shape;
    const { dtype } = similarity;
    const column = np.arange(m).equal(0).astype(dtype).reshape([1, m]); // [1, 1 + K]
    const positive = np.broadcastTo(column, [n, m]); // [N, 1 + K]
    const rest = negative ? np.array(negative, { dtype }) : np.subtract(1, positive.ref); // [N, 1 + K]
    const active = np.ones([]).astype(dtype);
    const scene: MixerScene = { anchors, rows, offset: 1, similarity, active, inputs };
    const pairs = { positive, negative: rest };
    const lend = () => ({ positive: pairs.positive.ref, negative: pairs.negative.ref });
    const mixed: Mixed = mochi.apply(scene, lend(), options);
    const explicit = mochiRows(scene, lend(), options);
    const none = np.zeros([...mixed.similarity.shape]).astype(dtype); // [N, S]
    const each = infoNce(
      np.concatenate([similarity.ref, mixed.similarity.ref], 1),
      {
        positive: np.concatenate([pairs.positive.ref, none], 1),
        negative: np.concatenate([pairs.negative.ref, mixed.negative.ref], 1),
      },
      { temperature },
    );
    const extra = {
      each,
      cosine: mixed.similarity,
      weight: mixed.negative,
      ...mixed.metrics,
      ...explicit,
    };
    return [each.ref.mean(), extra] as [np.Array, Record<string, np.Array>];
  };
  return objective;
}

type Arrays = [q: np.Array, keys: np.Array, stored: np.Array, inputs: ArrayRecord];

const withSlope =
  (setup: Setup) =>
  (...[q, ...rest]: Arrays) => {
    const { gradient, extra, value } = differentiate(program(setup))({ q }, ...rest);
    return { loss: value, slope: gradient.q, ...extra };
  };

const withoutSlope =
  (setup: Setup) =>
  (...[q, ...rest]: Arrays) => {
    const [loss, extra] = program(setup)({ q }, ...rest);
    return { loss, ...extra };
  };

async function mix(
  { query, key, queue }: Inputs,
  setup: Setup,
  array: Real = float64,
  slope = false,
) {
  const data = [query, key, queue].map((rows) => matrix(rows, array));
  const traced = slope ? withSlope(setup) : withoutSlope(setup);
  const result = await evaluate(traced, ...data, setup.draws);
  return result as unknown as Record<string, HostArray>;
}

const unit = (row: number[]) => {
  const length = Math.hypot(...row);
  return row.map((value) => value / length);
};
const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Synthetic rows by loops: pair mixes, then query mixes, of the `topN` hardest of the valid queue rows. */
function byLoops({ query, queue }: Inputs, draws: Omit<Params, "temperature">): number[][][] {
  const rows = queue.map(unit);
  return query.map((raw, i) => {
    const q = unit(raw);
    const top = rows
      .map((_, j) => j)
      .sort((a, b) => dot(q, rows[b]) - dot(q, rows[a]) || a - b)
      .slice(0, draws.topN);
    const between = (share: number, a: number[], b: number[]) =>
      unit(a.map((value, e) => share * value + (1 - share) * b[e]));
    return [
      ...draws.pairs[i].map(([a, b], s) => between(draws.alphas[i][s], rows[top[a]], rows[top[b]])),
      ...draws.picks[i].map((pick, s) => between(draws.betas[i][s], q, rows[top[pick]])),
    ];
  });
}

const given: Inputs = { query: random(1, 4, 6), key: random(2, 4, 6), queue: random(3, 20, 6) };
const stream = randomStream(4, "draws");
const distinct = (): number[] => {
  const a = stream.integer(5);
  return [a, (a + 1 + stream.integer(4)) % 5];
};
const table = <T>(width: number, draw: () => T): T[][] =>
  Array.from({ length: 4 }, () => Array.from({ length: width }, draw));
const draws = {
  topN: 5,
  pairs: table(3, distinct),
  alphas: table(3, () => Math.fround(stream.uniform())),
  picks: table(2, () => stream.integer(5)),
  betas: table(2, () => Math.fround(stream.uniform(0, 0.5))),
};
const options = { topN: 5, topShare: 1, pairMixes: 3, queryMixes: 2 };
const setup: Setup = { options, draws: drawsOf(draws) };

describe("mochi", () => {
  test("gives the cosines of unit rows between hard negatives, as loops do", async () => {
    const { cosine, weight, synthetic, syntheticHardness, hardestReal } = await mix(given, setup);
    const want = byLoops(given, draws);
    const cosines = want.flatMap((rows, i) => rows.map((row) => dot(unit(given.query[i]), row)));
    expectNear(numbers(synthetic), want.flat(2), 1e-6, "rows");
    expectNear(numbers(cosine), cosines, 1e-6, "cosines");
    expect(numbers(weight)).toEqual(Array(20).fill(1));
    expect(numbers(syntheticHardness)[0]).toBeCloseTo(dot(cosines, Array(20).fill(1 / 20)), 6);
    const hardest = given.query.map((q) =>
      Math.max(...given.queue.map((row) => dot(unit(q), unit(row)))),
    );
    expect(numbers(hardestReal)[0]).toBeCloseTo(dot(hardest, Array(4).fill(1 / 4)), 6);
  });

  test("its slope at the anchor is the synthetic row, also where the anchor is mixed in", async () => {
    // against a plain queue that holds the same rows; every query has its own, so one at a time
    const i = 3;
    const own = { ...given, query: [given.query[i]], key: [given.key[i]] };
    const ofOne = (array: HostArray) => matrix([rowsOf(array)[i]], float32);
    const drawn: HostRecord = mapTree(setup.draws, ofOne);
    const { slope, each } = await mix(own, { ...setup, draws: drawn }, float64, true);
    const plain = await plainLoss({
      ...own,
      queue: [...given.queue.map(unit), ...byLoops(given, draws)[i]],
    });
    expectNear(numbers(each), plain.each, 1e-6, "loss");
    expectSlope(numbers(slope), plain.slope, 1e-6, "slope");
  });

  test("adds to the loss with every mix, and a mix of share 1 or 0 is a copy", async () => {
    const losses = await Promise.all(
      [0, 1, 3].map(async (pairMixes) => {
        const cut = {
          ...draws,
          pairs: draws.pairs.map((row) => row.slice(0, pairMixes)),
          alphas: draws.alphas.map((row) => row.slice(0, pairMixes)),
        };
        const { each } = await mix(given, {
          options: { ...options, pairMixes },
          draws: drawsOf(cut),
        });
        return numbers(each);
      }),
    );
    losses
      .slice(1)
      .forEach((each, i) =>
        each.forEach((value, anchor) => expect(value).toBeGreaterThan(losses[i][anchor])),
      );
    const copies = { ...draws, alphas: table(3, () => 1), betas: table(2, () => 0) };
    const { synthetic, topIndices } = await mix(given, { ...setup, draws: drawsOf(copies) });
    const top = rowsOf(topIndices);
    const want = draws.pairs.flatMap((row, i) => [
      ...row.map(([a]) => unit(given.queue[top[i][a]])),
      ...draws.picks[i].map((pick) => unit(given.queue[top[i][pick]])),
    ]);
    expectNear(numbers(synthetic), want.flat(), 1e-6, "copies");
  });

  test("never mixes what is no negative", async () => {
    const negative = Array.from({ length: 4 }, () => [0, ...Array<number>(20).fill(1)]);
    negative[1].fill(0, 4); // 3 left of 5
    negative[2].fill(0); // none left
    const { cosine, weight, topIndices } = await mix(given, { ...setup, negative });
    const valid = (i: number, position: number) =>
      Number(negative[i][1 + rowsOf(topIndices)[i][position]] > 0);
    const want = draws.pairs.map((row, i) => [
      ...row.map(([a, b]) => valid(i, a) * valid(i, b)),
      ...draws.picks[i].map((pick) => valid(i, pick)),
    ]);
    expect(rowsOf(weight)).toEqual(want);
    expect(want[1].includes(0) && want[1].includes(1)).toBe(true);
    expect(want[2].every((value) => value === 0)).toBe(true);
    expect(numbers(cosine).every((value) => Number.isFinite(value))).toBe(true);
  });

  test("stays small where two parents are opposite, rounded as they are", async () => {
    const rows = random(7, 6, 6).map(unit);
    const nudge = () => 1 + stream.uniform(-3e-7, 3e-7);
    const queue = [...rows, ...rows.map((row) => row.map((value) => -value * nudge()))];
    // ranks r and 11 − r are opposite rows
    const pairs = Array.from({ length: 6 }, (_, rank) => [rank, 11 - rank]);
    const half = {
      topN: 12,
      pairs: [pairs],
      alphas: [pairs.map(() => 0.5)],
      picks: [[]],
      betas: [[]],
    };
    const opposite = { query: given.query.slice(0, 1), key: given.key.slice(0, 1), queue };
    const options = { topN: 12, topShare: 1, pairMixes: 6, queryMixes: 0 };
    for (const array of [float32, float64]) {
      const { cosine, slope } = await mix(opposite, { options, draws: drawsOf(half) }, array, true);
      for (const value of numbers(cosine)) expect(Math.abs(value)).toBeLessThan(1e-3);
      expect(numbers(slope).every(Number.isFinite)).toBe(true);
    }
  });

  test("caps the list at a share of the candidates, and mixes pairs only of two", async () => {
    const { topIndices } = await mix(given, {
      ...setup,
      options: { ...options, topN: 9, topShare: 0.2 },
    });
    expect(topIndices.shape).toEqual([4, 4]);
    const one = { ...given, queue: given.queue.slice(0, 1) };
    const { cosine } = await mix(one, setup);
    expect(cosine.shape).toEqual([4, 2]);
  });

  test("draws two different parents, evenly over the list", async () => {
    const sizes = { anchors: 4, candidates: 21, images: 4, datasetSize: 100, width: 4 };
    const many = { topN: 3, topShare: 1, pairMixes: 300, queryMixes: 1 };
    const { spec, ...made } = mochi.inputs!(many, sizes);
    const inputs = made.make({ progress: 0.5, stream: randomStream(6) });
    for (const [name, { shape, dtype }] of Object.entries(spec)) {
      expect([inputs[name].shape, inputs[name].dtype]).toEqual([shape, dtype]);
    }
    expect(Math.max(...numbers(inputs.betas))).toBeLessThanOrEqual(0.5);
    const parents = await Promise.all(
      [1, 0].map(async (share) => {
        const alphas = full([4, 300], share);
        const { cosine } = await mix(given, { options: many, draws: { ...inputs, alphas } });
        return rowsOf(cosine)[0].map((value) => value.toFixed(5));
      }),
    );
    const counts = new Map<string, number>();
    for (let s = 0; s < 300; s++) {
      const [first, second] = [parents[0][s], parents[1][s]];
      expect(first).not.toBe(second);
      counts.set(`${first} ${second}`, (counts.get(`${first} ${second}`) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // 50 ± 5 standard deviations of 6.5
    for (const count of counts.values()) expect(Math.abs(count - 50)).toBeLessThan(33);
  });

  test("is the same on ONNX Runtime, slopes included", async () => {
    const data = [given.query, given.key, given.queue].map((rows) => matrix(rows, float32));
    const compiled = await compile(withSlope(setup), [...data, setup.draws], { device: "cpu" });
    const fast = (await compiled.run(...data, setup.draws)) as unknown as Record<string, HostArray>;
    await compiled.dispose();
    const slow = await mix(given, setup, float32, true);
    for (const [name, array] of Object.entries(slow)) {
      expectNear(numbers(fast[name]), numbers(array), 2e-6, name);
    }
  });
});

describe("mochi: nothing to mix", () => {
  test("leaves the loss as it was, on ONNX Runtime too", async () => {
    const empty = { options: { ...options, pairMixes: 0, queryMixes: 0 }, draws: {} };
    const { each } = await plainLoss(given);
    const loss = (q: np.Array, keys: np.Array, stored: np.Array) =>
      withoutRows(q, keys, stored, empty.options);
    const data = [given.query, given.key, given.queue].map((rows) => matrix(rows, float32));
    const compiled = await compile(loss, data, { device: "cpu" });
    expectNear(numbers(await compiled.run(...data)), each, 2e-6, "loss");
    await compiled.dispose();
  });
});

/** Cosines of queries with keys (column 0) and a queue, and the unit rows. */
function cosines(q: np.Array, keys: np.Array, stored: np.Array) {
  const [anchors, rows] = [l2Normalize(q), l2Normalize(stored)];
  const own = anchors.ref.mul(l2Normalize(keys)).sum(-1, { keepdims: true }); // [N, 1]
  const similarity = np.concatenate([own, np.matmul(anchors.ref, rows.ref.transpose())], 1);
  const [n, m] = similarity.shape;
  const column = np.arange(m).equal(0).astype(similarity.dtype).reshape([1, m]); // [1, 1 + K]
  const positive = np.broadcastTo(column, [n, m]); // [N, 1 + K]
  return { anchors, rows, similarity, positive };
}

/** infoNce without any mixing, with its slope at the queries. */
async function plainLoss({ query, key, queue }: Inputs) {
  const objective = ({ q }: { q: np.Array }, keys: np.Array, stored: np.Array) => {
    const { similarity, positive } = cosines(q, keys, stored);
    const pairs = { positive: positive.ref, negative: np.subtract(1, positive) };
    const each = infoNce(similarity, pairs, { temperature: 0.2 });
    return [each.ref.mean(), { each }] as [np.Array, { each: np.Array }];
  };
  const result = await evaluate(
    (q: np.Array, keys: np.Array, stored: np.Array) => {
      const { gradient, extra, value } = differentiate(objective)({ q }, keys, stored);
      return { value, slope: gradient.q, each: extra.each };
    },
    ...[query, key, queue].map((rows) => matrix(rows)),
  );
  const { slope, each } = result as Record<string, HostArray>;
  return { slope: numbers(slope), each: numbers(each) };
}

/** infoNce with a mixer that has nothing to mix. */
function withoutRows(q: np.Array, keys: np.Array, stored: np.Array, given: Record<string, number>) {
  const { anchors, rows, similarity, positive } = cosines(q, keys, stored);
  const negative = np.subtract(1, positive.ref); // [N, 1 + K]
  const scene = { anchors, rows, offset: 1, similarity, active: np.ones([]), inputs: {} };
  const lent = { positive: positive.ref, negative: negative.ref };
  const mixed = mochi.apply(scene, lent, given);
  const none = np.zeros([...mixed.negative.shape]);
  return infoNce(
    np.concatenate([similarity, mixed.similarity], 1),
    {
      positive: np.concatenate([positive, none], 1),
      negative: np.concatenate([negative, mixed.negative], 1),
    },
    { temperature: 0.2 },
  );
}

describe("mochi: reference cases", () => {
  const chosen = goldenCases<Case>("mochi");

  test.skipIf(!goldenPresent)("are there (needs ../shared/golden)", () =>
    expect(chosen.length).toBeGreaterThan(5),
  );

  test.each(chosen)("$id", async ({ id, params, inputs, expect: want, tolerance }) => {
    const { temperature, ...drawn } = params;
    const counts = { pairMixes: drawn.pairs[0].length, queryMixes: drawn.picks[0].length };
    const options = { topN: drawn.topN, topShare: 1, ...counts };
    const array = id.includes("small") ? float32 : float64;
    const limit = array === float32 ? tolerance : { loss: 1e-9, gradient: 1e-9 };
    const setup = { options, draws: drawsOf(drawn, array), temperature };
    const got = await mix(inputs, setup, array, true);
    const { loss, each, slope, topIndices, synthetic } = got;
    expect(rowsOf(topIndices), id).toEqual(want.topIndices);
    expectNear(numbers(synthetic), want.synthetic.flat(2), limit.loss, id);
    const losses = [want.loss, ...want.perAnchor];
    expectNear([...numbers(loss), ...numbers(each)], losses, limit.loss, id);
    expectSlope(numbers(slope), want.gradients!.query.flat(), limit.gradient, id);
  });
});
