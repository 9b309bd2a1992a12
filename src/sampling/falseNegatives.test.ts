import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float64, rowsOf } from "../testing/arrays.ts";
import {
  expectNear,
  expectSlope,
  type GoldenCase,
  goldenCases,
  goldenPresent,
  type Rows,
} from "../../test/golden.ts";
import { fnc } from "../../test/reference/fnc.ts";
import { supCon } from "../../test/reference/supCon.ts";
import { sampledLoss, type SampledLoss, type Setting } from "../../test/sampledLoss.ts";
import { keyAndQueue, sample, viewsOfImages } from "../testing/scene.ts";
import { cosineSimilarity } from "../core/numerics.ts";
import { randomStream } from "../core/random.ts";
import type { Device } from "../engine/index.ts";
import { falseNegativeMask, falseNegatives, supportScores } from "./falseNegatives.ts";

type Rules = { aggregation: "max" | "mean"; topK: number | null; threshold: number | null };
type Params = Rules & {
  form: "batch" | "memory" | "candidates";
  strategy: "attract" | "eliminate";
  temperature: number;
};
type Expected = {
  loss: number;
  perAnchor: number[];
  mask: Rows;
  gradients?: Record<string, unknown>;
};
type Inputs = Record<"views" | "keys" | "support", Rows[]> &
  Record<"memory" | "anchor" | "positive" | "candidates", Rows>;
type Case = {
  id: string;
  params: Params;
  inputs: Inputs;
  differentiate: string[];
  expect: Expected;
} & Pick<GoldenCase, "tolerance">;

const optionsOf = ({ aggregation, topK, threshold, strategy }: Params) => ({
  aggregation,
  topK,
  threshold,
  action: strategy,
});

/** Views of B images against themselves; with keys and memory, against those instead. */
function viewSetting({ views, keys, memory }: Inputs): Setting {
  const [V, B] = [views.length, views[0].length];
  const n = V * B;
  const own = viewsOfImages(n, V);
  const older = (memory ?? []).length;
  const pad = (row: number[], value: number) => [...row, ...Array<number>(older).fill(value)];
  return {
    rows: views.flat(),
    ...(keys === undefined ? {} : { held: [...keys.flat(), ...memory] }),
    pairs: {
      positive: own.positive.map((row) => pad(row, 0)),
      negative: own.negative.map((row) => pad(row, 1)),
    },
    scene: (unit, held) => {
      const columns = keys === undefined ? unit.ref : held; // [M, D]
      const support = columns.ref.slice([0, n]); // [V·B, D]
      return {
        support: np.matmul(support, columns.ref.transpose()).reshape([V, B, n + older]),
        similarity: np.matmul(unit, columns.transpose()),
        ownViews: [],
      };
    },
  };
}

/** Column 0 is the anchor's positive, the others are shared candidates. */
function candidateSetting({ anchor, positive, support, candidates }: Inputs): Setting {
  const [n, s, m] = [anchor.length, support[0].length, candidates.length];
  const byView = Array.from({ length: s }, (_, v) => support.map((rows) => rows[v])).flat();
  const side = (first: number, rest: number) =>
    anchor.map(() => [first, ...Array<number>(m).fill(rest)]);
  return {
    rows: [...anchor, ...positive, ...candidates],
    held: byView, // [S·n, D]
    pairs: { positive: side(1, 0), negative: side(0, 1) },
    scene: (unit, held) => {
      const part = (from: number, to: number) => unit.ref.slice([from, to]);
      const own = part(0, n)
        .mul(part(n, 2 * n))
        .sum(-1, { keepdims: true }); // [n, 1]
      const shared = part(2 * n, 2 * n + m); // [M, D]
      const scores = np.matmul(held, shared.ref.transpose()); // [S·n, M]
      const padded = np.concatenate([scores.ref.slice([], [0, 1]).mul(0).add(1), scores], 1);
      return {
        similarity: np.concatenate([own, np.matmul(part(0, n), shared.transpose())], 1),
        support: padded.reshape([s, n, m + 1]),
      };
    },
  };
}

const settingOf = ({ params, inputs }: Pick<Case, "params" | "inputs">): Setting =>
  params.form === "candidates" ? candidateSetting(inputs) : viewSetting(inputs);

/** Which candidates an anchor's term treats as false negatives, by what became of its negatives. */
function maskOf({ terms: [term] }: SampledLoss, before: Rows): Rows {
  return before.map((row, i) =>
    row.map((was, j) => Number(was === 1 && term.negative[i][j] === 0)),
  );
}

async function check(one: Case, device: Device, tolerance: Case["tolerance"]): Promise<void> {
  const { params, expect: want, inputs } = one;
  const id = `${one.id} on ${device}`;
  const setting = settingOf(one);
  const loss = { temperature: params.temperature };
  const got = await sampledLoss(falseNegatives, optionsOf(params), loss, setting, device);
  expectNear([got.loss], [want.loss], tolerance.loss, id);
  expectNear(got.perAnchor, want.perAnchor, tolerance.loss, id);
  const mask = maskOf(got, setting.pairs.negative);
  const image = (i: number) => (params.form === "candidates" ? i : i % inputs.views[0].length);
  const columns = (row: number[]) => (params.form === "candidates" ? row.slice(1) : row);
  mask.forEach((row, i) => expect(columns(row), id).toEqual(want.mask[image(i)]));
  const names = one.differentiate;
  const slopes = names.flatMap((name) => (want.gradients![name] as Rows | Rows[]).flat(2));
  expectSlope(got.slopes.flat(), slopes, tolerance.gradient, id);
}

const cases = goldenCases<Case>("fnc");

/** V views of B images, random small vectors of 6 numbers. */
function randomViews(seed: number, V: number, B: number): Rows[] {
  const stream = randomStream(seed, "views");
  const row = () => Array.from({ length: 6 }, () => stream.normal());
  return Array.from({ length: V }, () => Array.from({ length: B }, row));
}

/** A case made of random views, with what loops say of it. */
function randomCase(seed: number, [V, B]: [number, number], params: Partial<Params>): Case {
  const views = randomViews(seed, V, B);
  const whole: Params = {
    form: "batch",
    temperature: 0.2,
    aggregation: "max",
    topK: 3,
    threshold: 0.2,
    strategy: "attract",
    ...params,
  };
  const inputs = { views } as Inputs;
  return {
    id: `seed ${seed} ${JSON.stringify(params)}`,
    params: whole,
    inputs,
    differentiate: ["views"],
    expect: fnc(whole, inputs) as unknown as Expected,
    tolerance: { loss: 1e-9, gradient: 1e-9 },
  };
}

/** Anchors' losses of random views under options. */
async function lossesOf(views: Rows[], options: object, temperature = 0.2): Promise<number[]> {
  const setting = viewSetting({ views } as Inputs);
  return (await sampledLoss(falseNegatives, options, { temperature }, setting)).perAnchor;
}

const nothing = { topK: 0 };

describe("falseNegatives", () => {
  test("agrees with loops on random views, in value and gradient", async () => {
    const choices: Partial<Params>[] = [
      {},
      { strategy: "eliminate", aggregation: "mean" },
      { topK: null, threshold: 0.5 },
      { topK: 4, threshold: null, strategy: "eliminate" },
      { topK: null, threshold: null },
    ];
    for (const [i, params] of choices.entries()) {
      const one = randomCase(i, i % 2 === 0 ? [3, 4] : [2, 5], params);
      await check(one, "reference", one.tolerance);
    }
  });

  test("without a selection attraction, elimination and no sampler are one", async () => {
    const views = randomViews(3, 3, 4);
    const plain = await lossesOf(views, { topK: null, threshold: null });
    for (const action of ["attract", "eliminate"]) {
      expectNear(await lossesOf(views, { ...nothing, action }), plain, 1e-12, action);
      expectNear(await lossesOf(views, { threshold: 1.1, action }), plain, 1e-12, action);
    }
  });

  test("elimination never raises the loss of an anchor", async () => {
    const views = randomViews(4, 2, 5);
    const plain = await lossesOf(views, nothing);
    const less = await lossesOf(views, { action: "eliminate", topK: 4, threshold: 0 });
    less.forEach((value, i) => expect(value).toBeLessThanOrEqual(plain[i] + 1e-12));
    expect(Math.min(...less.map((value, i) => value - plain[i]))).toBeLessThan(-0.01);
  });

  test("turning all embeddings changes nothing, and permuting images permutes the anchors", async () => {
    const views = randomViews(5, 2, 4);
    const options = { topK: 2, threshold: 0.1 };
    const before = await lossesOf(views, options);
    const turned = views.map((rows) =>
      rows.map(([a, b, ...rest]) => [0.6 * a - 0.8 * b, 0.8 * a + 0.6 * b, ...rest]),
    );
    expectNear(await lossesOf(turned, options), before, 1e-12, "turned");
    const order = [2, 0, 3, 1];
    const moved = await lossesOf(
      views.map((rows) => order.map((b) => rows[b])),
      options,
    );
    const want = [0, 4].flatMap((from) => order.map((b) => before[from + b]));
    expectNear(moved, want, 1e-12, "permuted");
  });

  test("with the labels as scores, attraction is supervised contrast", async () => {
    const views = randomViews(6, 2, 5);
    const labels = [0, 1, 0, 2, 1];
    const setting = viewSetting({ views } as Inputs);
    const same = setting.pairs.negative;
    const label = (i: number) => labels[i % 5];
    const support = [labels.map((own) => same[0].map((_, j) => Number(label(j) === own)))];
    const got = await sampledLoss(
      falseNegatives,
      { topK: null, threshold: 0.5 },
      { temperature: 0.5 },
      { ...setting, scene: (unit, held) => ({ ...setting.scene(unit, held), support }) },
    );
    const want = supCon(
      { temperature: 0.5, baseTemperature: 0.5, variant: "out", anchors: "all" } as never,
      { view1: views[0], view2: views[1], labels },
    ) as unknown as Expected;
    expectNear(got.perAnchor, want.perAnchor, 1e-9, "supervised");
  });

  test("looks only at negatives of the anchor's own row, and moves their weight", async () => {
    const similarity = [
      [0, 0.9, 0.8, 0.7],
      [0, 0.9, 0.8, 0.7],
    ];
    const pairs = {
      positive: [
        [1, 0, 0, 0],
        [1, 0, 0, 0],
      ],
      negative: [
        [0, 2, 1, 1],
        [0, 0, 1, 0.5],
      ],
    };
    const got = await sample(falseNegatives, { similarity }, pairs, { topK: 2, threshold: 0.75 });
    expect(got.positive).toEqual([
      [1, 2, 1, 0],
      [1, 0, 1, 0],
    ]);
    expect(got.negative).toEqual([
      [0, 0, 0, 1],
      [0, 0, 0, 0.5],
    ]);
    expect(got.metrics.selectedShare).toBeCloseTo(3 / 5, 12);
    expect(got.metrics.selectedCount).toBeCloseTo(1.5, 12);
  });

  test("ties go to the lower column, also where all candidates are equal", async () => {
    const similarity = [[0.5, 0.5, 0.5, 0.5, 0.5]];
    const got = await sample(falseNegatives, { similarity }, keyAndQueue(1, 5), {
      topK: 2,
      threshold: null,
      action: "eliminate",
    });
    expect(got.negative).toEqual([[0, 0, 0, 1, 1]]);
  });

  test("a score must exceed the threshold", async () => {
    const similarity = [[0, 0.5, 0.25, 0.75]];
    const got = await sample(falseNegatives, { similarity }, keyAndQueue(1, 4), { threshold: 0.5 });
    expect(got.negative).toEqual([[0, 1, 1, 0]]);
  });

  test("takes a share of the pool in place of a number, rounded down", async () => {
    const similarity = [[1, 0.1, 0.4, 0.3, 0.2, 0.5]];
    const options = { share: 0.59, threshold: null, action: "eliminate" };
    const got = await sample(falseNegatives, { similarity }, keyAndQueue(1, 6), options);
    expect(got.negative).toEqual([[0, 1, 0, 1, 1, 0]]); // ⌊0.59 · 5⌋ = 2
  });

  test("takes scores above a quantile of the anchor's own candidates", async () => {
    const similarity = [[1, 0.1, 0.4, 0.3, 0.2, 0.5]];
    // at 0.7 of 0.1 … 0.5: place 2.8, so 0.3 + 0.8 · 0.1 = 0.38
    const options = { quantile: 0.7, topK: null, threshold: null, action: "eliminate" };
    const got = await sample(falseNegatives, { similarity }, keyAndQueue(1, 6), options);
    expect(got.negative).toEqual([[0, 1, 0, 1, 1, 0]]);
  });

  test("scores every image by its own support views", async () => {
    const support = [
      [
        [0, 0.9, 0.1],
        [0, 0.2, 0.1],
      ],
      [
        [0, 0.1, 0.2],
        [0, 0.2, 0.6],
      ],
    ]; // [S = 2, B = 2, M = 3]
    const zeros = Array.from({ length: 4 }, () => [0, 0, 0]);
    const scores = async (aggregation: "max" | "mean") =>
      (
        await sample(falseNegatives, { similarity: zeros, support }, keyAndQueue(4, 3), {
          aggregation,
          topK: null,
          threshold: 0.45,
          action: "eliminate",
        })
      ).negative;
    const rows = [
      [0, 0, 1],
      [0, 1, 0],
    ];
    expect(await scores("max")).toEqual([...rows, ...rows]);
    const mean = [
      [0, 0, 1],
      [0, 1, 1],
    ];
    expect(await scores("mean")).toEqual([...mean, ...mean]);
  });
});

describe.skipIf(!goldenPresent)("falseNegatives on the cases (needs ../shared/golden)", () => {
  test("selects what the cases select, ties and own candidates included", async () => {
    const selections = goldenCases<{
      id: string;
      params: Rules;
      inputs: { support: Rows[]; candidates: Rows; candidateImages?: number[] };
      expect: { scores: Rows; mask: Rows };
    }>("fncSelect");
    expect(selections.length).toBeGreaterThan(25);
    for (const { id, params, inputs, expect: want } of selections) {
      const { support, candidates, candidateImages } = inputs;
      const [n, s, d] = [support.length, support[0].length, candidates[0].length];
      const m = candidates.length;
      const byView = Array.from({ length: s }, (_, v) => support.map((rows) => rows[v])).flat(2);
      const negative = support.map((_, b) =>
        candidates.map((_, c) => Number(candidateImages?.[c] !== b)),
      );
      const result = await evaluate(
        (views: np.Array, rows: np.Array, side: np.Array) => {
          const cosine = cosineSimilarity(views, rows).reshape([s, n, m]);
          const scores = supportScores(cosine, params.aggregation, n);
          return {
            scores: scores.ref,
            mask: falseNegativeMask(scores, side, { ...params, quantile: null }),
          };
        },
        float64([s * n, d], byView),
        float64([m, d], candidates.flat()),
        float64([n, m], negative.flat()),
      );
      const { scores, mask } = result as unknown as Record<"scores" | "mask", never>;
      expectNear(rowsOf(scores).flat(), want.scores.flat(), 1e-10, id);
      expect(rowsOf(mask), id).toEqual(want.mask);
    }
  });

  test("gives masks, losses and gradients in float64", async () => {
    expect(cases.length).toBeGreaterThan(50);
    for (const one of cases) await check(one, "reference", { loss: 1e-9, gradient: 1e-9 });
  });

  test("gives them in float32 on ONNX Runtime", async () => {
    const some = cases.filter(({ id }) => id.includes("random"));
    for (const one of some) await check(one, "cpu", one.tolerance);
  });
});
