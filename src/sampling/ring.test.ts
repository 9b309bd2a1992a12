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
import { keyAndQueue, type Rows, sample, sceneOf } from "../testing/scene.ts";
import { full, type HostArray, type HostRecord } from "../core/arrays.ts";
import { l2Normalize } from "../core/numerics.ts";
import type { Pairs, Term } from "../core/pairs.ts";
import { randomStream } from "../core/random.ts";
import { differentiate } from "../core/trees.ts";
import { infoNce } from "../losses/infoNce.ts";
import { hardest } from "./hardest.ts";
import { ring } from "./ring.ts";
import { outerAt } from "./ringSchedule.ts";

type NeighbourViews = "none" | "logSumExp" | "mean";
type Params = {
  temperature: number;
  outer: number;
  inner: number;
  dynamicInner: boolean;
  draws: Rows | null;
  neighbourViews: NeighbourViews;
};
type Inputs = { query: Rows; key: Rows; queue: Rows };
type Expected = { loss: number; perAnchor: number[]; members: Rows };
type Case = GoldenCase<Params, Inputs, Expected>;

const random = (seed: number, n: number, m: number): Rows => {
  const stream = randomStream(seed, "ring");
  return Array.from({ length: n }, () =>
    Array.from({ length: m }, () => Math.fround(stream.uniform(-1, 1))),
  );
};

/** Columns of a row from the largest entry down, equal ones by column; only those that are negatives. */
const order = (cosines: number[], negative: number[]): number[] =>
  cosines
    .map((_, j) => j)
    .filter((j) => negative[j] > 0)
    .sort((a, b) => cosines[b] - cosines[a] || a - b);

/** Weights of negatives that the cuts leave, by loops. */
const byLoops = (cosines: Rows, negative: Rows, [from, to]: [number, number]): Rows =>
  cosines.map((row, i) => {
    const members = order(row, negative[i]).slice(from, to);
    return row.map((_, j) => (members.includes(j) ? negative[i][j] : 0));
  });

const losses = {
  none: { positives: "outside" },
  mean: { positives: "outside" },
  logSumExp: { positives: "inside" },
} as const;

/** Loss, gradient and pairs of queries against their keys and a queue. */
async function against(
  { query, key, queue }: Inputs,
  options: object,
  {
    temperature,
    form,
    inputs = {},
  }: { temperature: number; form: NeighbourViews; inputs?: HostRecord },
  array: typeof float32 | typeof float64 = float64,
) {
  const matrix = (rows: Rows) => array([rows.length, rows[0].length], rows.flat());
  const [n, k] = [query.length, queue.length];
  const { positive, negative } = keyAndQueue(n, 1 + k);
  const objective = ({ q }: { q: np.Array }, keys: np.Array, stored: np.Array) => {
    const unit = l2Normalize(q); // [N, E]
    const own = unit.ref.mul(l2Normalize(keys)).sum(-1, { keepdims: true }); // [N, 1]
    const others = np.matmul(unit, l2Normalize(stored).transpose()); // [N, K]
    const similarity = np.concatenate([own, others], 1); // [N, 1 + K]
    const scene = sceneOf({ similarity: similarity.ref, inputs });
    const before: Pairs = {
      positive: np.array(positive, { dtype: similarity.dtype }),
      negative: np.array(negative, { dtype: similarity.dtype }),
    };
    const [{ pairs, denominator }]: Term[] = ring.apply(scene, before, options).terms;
    const kept = { positive: pairs.positive.ref, negative: pairs.negative.ref };
    const each = infoNce(similarity.ref, pairs, {
      temperature,
      denominator: denominator ?? "all",
      ...losses[form],
    });
    return [each.ref.mean(), { each, similarity, ...kept }] as [np.Array, Record<string, np.Array>];
  };
  const result = await evaluate(
    (q: np.Array, keys: np.Array, stored: np.Array) => {
      const { value, gradient, extra } = differentiate(objective)({ q }, keys, stored);
      return { value, slope: gradient.q, ...extra };
    },
    matrix(query),
    matrix(key),
    matrix(queue),
  );
  const { value, slope, each, similarity, ...pairs } = result as Record<string, HostArray>;
  return {
    loss: numbers(value)[0],
    slope: numbers(slope),
    each: numbers(each),
    similarity: rowsOf(similarity),
    positive: rowsOf(pairs.positive),
    negative: rowsOf(pairs.negative),
  };
}

const given: Inputs = { query: random(1, 5, 8), key: random(2, 5, 8), queue: random(3, 40, 8) };
const constant = { schedule: "constant" } as const;
const plain = { temperature: 0.2, form: "none" } as const;

describe("ring", () => {
  test("keeps the ranks between its cuts, as loops do", async () => {
    const cosines = random(4, 6, 21);
    const pairs = keyAndQueue(6, 21);
    pairs.negative[2].fill(0, 3, 9); // some are no negatives
    pairs.negative[3].fill(0); // none is
    const { negative, positive } = await sample(ring, { similarity: cosines }, pairs, {
      ...constant,
      outer: 0.55,
      inner: 0.3,
    });
    // trunc(0.55 · 20) = 11, trunc(0.3 · 11) = 3
    expect(negative).toEqual(byLoops(cosines, pairs.negative, [3, 11]));
    expect(positive).toEqual(pairs.positive);
  });

  test("counts in double precision, also where the outer cut moves", async () => {
    const cosines = random(5, 2, 101);
    const pairs = keyAndQueue(2, 101);
    // 0.29 · 100 is 28.999999999999996: 28, and trunc(0.25 · 28) = 7; statically trunc(0.07 · 100) = 7
    const want = byLoops(cosines, pairs.negative, [7, 28]);
    const inputs = { outer: full([], 0.29, "float64") };
    for (const inner of [
      { inner: 0.25, dynamicInner: true },
      { inner: 0.07, dynamicInner: false },
    ]) {
      const options = { outer: 0.29, ...inner };
      for (const type of ["float32", "float64"] as const) {
        const fixed = await sample(
          ring,
          { similarity: cosines },
          pairs,
          { ...options, ...constant },
          type,
        );
        const moving = await sample(ring, { similarity: cosines, inputs }, pairs, options, type);
        expect(fixed.negative).toEqual(want);
        expect(moving.negative).toEqual(want);
      }
    }
  });

  test("gives ties to the lower column", async () => {
    const cosines = [[0.9, 0.5, 0.7, 0.5, 0.5, 0.7, 0.5, 0.1, 0.1]];
    const pairs = keyAndQueue(1, 9);
    const options = { outer: 0.5, inner: 0.25 }; // ranks 1 … 3 of 8: columns 2 | 5 1 3 | 4 6 7 8
    const want = [[0, 1, 0, 1, 0, 1, 0, 0, 0]];
    const inputs = { outer: full([], 0.5, "float64") };
    const fixed = await sample(ring, { similarity: cosines }, pairs, { ...options, ...constant });
    expect(fixed.negative).toEqual(want);
    expect((await sample(ring, { similarity: cosines, inputs }, pairs, options)).negative).toEqual(
      want,
    );
  });

  test("is nothing at outer 1 and inner 0, and the hardest negatives at inner 0", async () => {
    const [cosines, pairs] = [random(6, 4, 21), keyAndQueue(4, 21)];
    const all = await sample(ring, { similarity: cosines }, pairs, {
      ...constant,
      outer: 1,
      inner: 0,
    });
    expect(all.negative).toEqual(pairs.negative);
    expect(all.metrics.ringOccupancy).toBe(1);
    const options = { ...constant, outer: 0.25, inner: 0 };
    const ball = await sample(ring, { similarity: cosines }, pairs, options);
    const hard = await sample(hardest, { similarity: cosines }, pairs, { count: 5 });
    expect(ball.negative).toEqual(hard.negative);
  });

  test("a larger inner cut never raises the loss, a wider outer cut never lowers it", async () => {
    const loss = async (outer: number, inner: number) =>
      (await against(given, { ...constant, outer, inner }, plain)).each;
    const inner = await Promise.all([0, 0.1, 0.6].map((share) => loss(0.5, share)));
    const outer = await Promise.all([0.9, 0.5, 0.1].map((share) => loss(share, 0)));
    for (const [before, after] of [...pairwise(inner), ...pairwise(outer)]) {
      after.forEach((value, i) => expect(value).toBeLessThan(before[i]));
    }
  });

  test("an anchor whose negatives all lie within the inner cut has none left, and loss 0", async () => {
    const [cosines, pairs] = [random(7, 2, 21), keyAndQueue(2, 21)];
    pairs.negative[1].fill(0, 3);
    const { negative, metrics } = await sample(ring, { similarity: cosines }, pairs, {
      ...constant,
      outer: 0.5,
      inner: 0.2,
    });
    expect(negative[1].some((weight) => weight > 0)).toBe(false);
    const left = cosines[0].filter((_, j) => negative[0][j] > 0);
    // the empty row counts for the occupancy and not for the cosines
    expect(metrics.ringOccupancy).toBeCloseTo(8 / 20 / 2, 6);
    expect(metrics.ringUpper).toBeCloseTo(Math.max(...left), 6);
    expect(metrics.ringLower).toBeCloseTo(Math.min(...left), 6);
  });

  test("says when the cuts leave nothing", async () => {
    const apply = (options: Record<string, unknown>) =>
      sample(ring, { similarity: random(8, 1, 8) }, keyAndQueue(1, 8), options);
    await expect(apply({ outer: 0.1 })).rejects.toThrow(
      "ring: outer 0.1 of 7 candidates keeps 0 and inner 0.1 drops 0 of them, expected at least 1 left",
    );
    await expect(apply({ outer: 0.5, inner: 1 })).rejects.toThrow("keeps 3 and inner 1 drops 3");
  });
});

const pairwise = <T>(list: T[]): [T, T][] => list.slice(1).map((after, i) => [list[i], after]);

describe("ring: schedules", () => {
  const rule = { outer: 0.1, anneal: 0.5 } as const;
  const list = (schedule: "linear" | "step" | "exponential", count: number, over: number) =>
    Array.from({ length: count }, (_, i) => outerAt(i / over, { ...rule, schedule }));

  test("step falls in ten equal blocks, as the released code", () => {
    const want = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1];
    list("step", 13, 20).forEach((value, i) => expect(value).toBeCloseTo(want[i], 12));
  });

  test("exponential is the released curve of 50 steps", () => {
    const want = [1, 0.914353676232364, 0.836857677770184, 0.766736398613546, 0.703288041432075];
    list("exponential", 5, 100).forEach((value, i) => expect(value).toBeCloseTo(want[i], 12));
  });

  test("linear falls from 1 to outer, then stays", () => {
    [1, 0.82, 0.64, 0.46, 0.28, 0.1, 0.1, 0.1].forEach((value, i) =>
      expect(outerAt(i / 10, { ...rule, schedule: "linear" })).toBeCloseTo(value, 12),
    );
  });

  test("is constant without annealing", () => {
    expect(outerAt(0, { ...rule, schedule: "constant" })).toBe(0.1);
    expect(outerAt(0, { ...rule, anneal: 0, schedule: "linear" })).toBe(0.1);
  });

  test("comes into the program as a number of the step", () => {
    const sizes = { anchors: 2, candidates: 9, images: 2, datasetSize: 90, width: 4 };
    const inputs = ring.inputs!({ outer: 0.5, inner: 0 }, sizes);
    expect(inputs.spec).toEqual({ outer: { dtype: "float64", shape: [] } });
    const at = (progress: number) =>
      numbers(inputs.make({ progress, stream: randomStream(1) }).outer)[0];
    expect([at(0), at(0.25), at(0.5)]).toEqual([1, 0.75, 0.5]);
    expect(ring.inputs!({ schedule: "constant" }, sizes).spec).toEqual({});
  });
});

describe("ring: draws", () => {
  const options = { ...constant, outer: 0.5, inner: 0.2 }; // ranks 2 … 9 of 20
  const [cosines, pairs] = [random(9, 3, 21), keyAndQueue(3, 21)];
  const sizes = { anchors: 3, candidates: 21, images: 3, datasetSize: 20, width: 4 };

  test("count how often each member was drawn, evenly over the ring", async () => {
    const draws = 4000;
    const made = ring.inputs!({ ...options, draws }, sizes);
    expect(made.spec).toEqual({ draws: { dtype: "float32", shape: [3, draws] } });
    const inputs = made.make({ progress: 0, stream: randomStream(10) });
    const { negative } = await sample(ring, { similarity: cosines, inputs }, pairs, {
      ...options,
      draws,
    });
    const members = byLoops(cosines, pairs.negative, [2, 10]);
    negative.forEach((row, i) => {
      expect(row.reduce((sum, weight) => sum + weight, 0)).toBe(draws);
      row.forEach((weight, j) => {
        if (members[i][j] === 0) expect(weight).toBe(0);
        // 500 ± 5 standard deviations of 21
        else expect(Math.abs(weight - draws / 8)).toBeLessThan(105);
      });
    });
  });

  test("fall on the valid negatives where the ring is short, and on none where it is empty", async () => {
    const few = { ...pairs, negative: pairs.negative.map((row) => [...row]) };
    few.negative[0].fill(0, 5); // 4 left, ranks 2 and 3 in the ring
    few.negative[1].fill(0, 2); // 1 left, within the inner cut
    // 1 is what a draw just below 1 becomes in float32
    const inputs = { draws: float32([3, 4], [0, 0.4, 0.6, 1, 0, 0.4, 0.6, 1, 0, 0.4, 0.6, 1]) };
    const { negative } = await sample(ring, { similarity: cosines, inputs }, few, {
      ...options,
      draws: 4,
    });
    const [third, fourth] = order(cosines[0], few.negative[0]).slice(2);
    expect(negative[0][third]).toBe(2);
    expect(negative[0][fourth]).toBe(2);
    const totals = negative.map((row) => row.reduce((sum, weight) => sum + weight, 0));
    expect(totals).toEqual([4, 0, 4]);
  });
});

describe("ring: warm-up", () => {
  test("leaves the loss as it was, also where the ball is positive", async () => {
    const [cosines, pairs] = [random(11, 3, 21), keyAndQueue(3, 21)];
    const scene = { similarity: cosines, active: 0 };
    const options = { ...constant, outer: 0.5, inner: 0.4 };
    const before = await sample(ring, scene, pairs, options);
    expect([before.negative, before.positive]).toEqual([pairs.negative, pairs.positive]);
    const views = await sample(ring, scene, pairs, { ...options, neighbourViews: "mean" });
    expect(views.positive).toEqual(pairs.positive);
    // own views stand in the denominator that the term spells out
    expect(views.negative).toEqual(pairs.negative.map((row) => row.map(() => 1)));
  });
});

describe("ring: reference cases", () => {
  const chosen = goldenCases<Case>("ring");

  test.skipIf(!goldenPresent)("are there (needs ../shared/golden)", () =>
    expect(chosen.length).toBeGreaterThan(10),
  );

  test.each(chosen)("$id", async ({ id, params, inputs, expect: want, tolerance }) => {
    const { temperature, draws, ...options } = params;
    const outer = Math.trunc(options.outer * inputs.queue.length);
    const inner = Math.trunc(options.inner * (options.dynamicInner ? outer : inputs.queue.length));
    const drawn = draws && draws.flat().map((position) => (position + 0.5) / (outer - inner));
    const shape = draws && [draws.length, draws[0].length];
    for (const array of [float64, float32]) {
      const got = await against(
        inputs,
        { ...options, ...constant, draws: shape && shape[1] },
        {
          temperature,
          form: params.neighbourViews,
          ...(drawn && { inputs: { draws: float32(shape!, drawn) } }),
        },
        array,
      );
      const limit = array === float32 ? tolerance : { loss: 1e-9, gradient: 1e-9 };
      expectNear([got.loss, ...got.each], [want.loss, ...want.perAnchor], limit.loss, id);
      expectSlope(got.slope, want.gradients!.query.flat(), limit.gradient, id);
      if (draws === null) {
        const members = got.negative.map((row, i) =>
          order(got.similarity[i].slice(1), row.slice(1)),
        );
        expect(members, id).toEqual(want.members);
      }
    }
  });
});
