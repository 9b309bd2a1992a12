import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float64, rowsOf } from "../testing/arrays.ts";
import {
  expectNear,
  expectSlope,
  goldenCases,
  goldenPresent,
  type Rows,
} from "../../test/golden.ts";
import { invariancePropagation } from "../../test/reference/invariancePropagation.ts";
import { sampledLoss, type SampledLoss, type Setting } from "../../test/sampledLoss.ts";
import { sample } from "../testing/scene.ts";
import { hostArray, isHostArray } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import type { Device } from "../engine/index.ts";
import { findPositives, propagate } from "./propagate.ts";

type Params = {
  variant: "set" | "multiset";
  temperature: number;
  neighbours: number;
  steps: number;
  hardPositives: number;
  hardNegatives: number;
  invarianceWeight: number;
  epsilon: number;
};
type Case = {
  id: string;
  params: Params;
  inputs: { embedding: Rows; bank: Rows; indices: number[] };
  expect: {
    loss: number;
    perAnchor: number[];
    gradients?: { embedding: Rows };
    neighbours: Rows;
    nearest: Rows;
    positivesPerStep?: Rows[];
    multiset?: Rows;
    hardPositives: Rows;
    hardNegatives: Rows;
    refreshedNeighbours: Rows;
    lossInstance: number[];
    lossInvariance: number[];
  };
  tolerance: { loss: number; gradient: number };
};

const graphOf = (rows: Rows) =>
  hostArray("int32", [rows.length, rows[0].length], Int32Array.from(rows.flat()));

/** Embeddings against all rows of a bank: the own row attracts, all others repel. */
function bankSetting({ inputs, expect: want }: Pick<Case, "inputs" | "expect">): Setting {
  const { embedding, bank, indices } = inputs;
  const positive = indices.map((own) => bank.map((_, j) => Number(j === own)));
  return {
    rows: embedding,
    held: bank,
    state: { graph: graphOf(want.neighbours) },
    pairs: { positive, negative: positive.map((row) => row.map((own) => 1 - own)) },
    scene: (unit, held) => {
      const similarity = np.matmul(unit, held.transpose());
      return { similarity, anchors: { ids: indices }, pool: bank.length - 1 };
    },
  };
}

const optionsOf = (params: Params) => {
  const { variant, neighbours, steps, hardPositives, hardNegatives, invarianceWeight } = params;
  return { variant, neighbours, steps, hardPositives, hardNegatives, weight: invarianceWeight };
};

const lossOptions = ({ variant, temperature, epsilon }: Params) => ({
  temperature,
  positives: "inside" as const,
  epsilon: variant === "multiset" ? epsilon : 0,
});

/** Columns with their multiplicity, ascending. */
const listed = (row: number[]): number[] => row.flatMap((w, j) => Array<number>(w).fill(j));
const sorted = (list: number[]): number[] => [...list].sort((a, b) => a - b);

/** Everything that a case expects of terms, graph and losses. */
async function check(one: Case, device: Device, tolerance: Case["tolerance"]): Promise<void> {
  const { params, expect: want, inputs } = one;
  const id = `${one.id} on ${device}`;
  const setting = bankSetting(one);
  const got = await sampledLoss(propagate, optionsOf(params), lossOptions(params), setting, device);
  const [instance, invariance] = got.terms;
  instance.negative.forEach((row, i) => {
    const near = want.nearest[i].filter((j) => j !== inputs.indices[i]);
    expect(listed(row), id).toEqual(sorted(near));
  });
  invariance.negative.forEach((row, i) =>
    expect(listed(row), id).toEqual(sorted(want.hardNegatives[i])),
  );
  invariance.positive.forEach((row, i) => {
    const opposed = want.hardNegatives[i].length > 0;
    expect(listed(row), id).toEqual(opposed ? sorted(want.hardPositives[i]) : []);
  });
  expectGraph(got, want.neighbours, inputs.indices, want.refreshedNeighbours);
  expectNear(got.each[0], want.lossInstance, tolerance.loss, id);
  expectNear(got.each[1], want.lossInvariance, tolerance.loss, id);
  expectNear(got.perAnchor, want.perAnchor, tolerance.loss, id);
  expectNear([got.loss], [want.loss], tolerance.loss, id);
  const { embedding } = want.gradients!;
  expectSlope(got.slopes.flat(), embedding.flat(), tolerance.gradient, id);
}

/** The graph as it was, but for the rows seen. */
function expectGraph({ state }: SampledLoss, before: Rows, seen: number[], fresh: Rows): void {
  if (!isHostArray(state.graph)) throw new Error("expected a graph");
  const rows = before.map((row, j) => (seen.includes(j) ? fresh[seen.indexOf(j)] : row));
  expect(state.graph.dtype).toBe("int32");
  expect(rowsOf(state.graph)).toEqual(rows);
}

function randomRows(seed: number, count: number, size: number): Rows {
  const stream = randomStream(seed, "rows");
  return Array.from({ length: count }, () => Array.from({ length: size }, () => stream.normal()));
}

/** A case made of random rows, with what loops say of it. */
function randomCase(seed: number, params: Partial<Params>): Case {
  const whole: Params = {
    variant: "set",
    temperature: 0.2,
    neighbours: 3,
    steps: 2,
    hardPositives: 4,
    hardNegatives: 9,
    invarianceWeight: 0.6,
    epsilon: 1e-7,
    ...params,
  };
  const bank = randomRows(seed, 16, 5);
  const indices = [3, 0, 11];
  const stream = randomStream(seed, "noise");
  const embedding = indices.map((j) => bank[j].map((x) => x + 0.3 * stream.normal()));
  const inputs = { bank, embedding, indices };
  const loops = { ...whole, bankMomentum: 0.5 };
  return {
    id: `seed ${seed} ${JSON.stringify(params)}`,
    params: whole,
    inputs,
    expect: invariancePropagation(loops, inputs) as unknown as Case["expect"],
    tolerance: { loss: 1e-9, gradient: 1e-9 },
  };
}

/** Rows on a line of cosines: bank row j of one anchor. */
const oneAnchor = (cosines: number[], own = 0) => ({
  given: { similarity: [cosines], support: [[cosines]], anchors: { ids: [own] } },
  pairs: {
    positive: [cosines.map((_, j) => Number(j === own))],
    negative: [cosines.map((_, j) => Number(j !== own))],
  },
});

describe("propagate", () => {
  test("agrees with loops on random banks, in terms, value and gradient", async () => {
    const choices: Partial<Params>[] = [
      {},
      { steps: 3, neighbours: 2, temperature: 0.07 },
      { steps: 1, hardPositives: 9, hardNegatives: 16 },
      { variant: "multiset", hardNegatives: 12 },
      { variant: "multiset", steps: 3, neighbours: 2, hardNegatives: 16, hardPositives: 30 },
    ];
    for (const [seed, params] of choices.entries()) {
      const one = randomCase(seed, params);
      await check(one, "reference", one.tolerance);
    }
  });

  test("finds more at every step, and at one step the nearest rows", async () => {
    const { inputs, expect: want } = randomCase(8, { steps: 3 });
    const cosines = inputs.embedding.map(() => inputs.bank.map(() => 0));
    const masks: Rows[] = [];
    for (const steps of [1, 2, 3]) {
      const mask = await evaluate(
        (similarity: np.Array) => {
          const graph = np.array(want.neighbours, { dtype: np.int32 });
          const own = np.array(inputs.indices, { dtype: np.int32 });
          return findPositives(similarity, graph, own, { variant: "set", steps, hardPositives: 1 })
            .mask;
        },
        float64([3, 16], cosines.flat()),
      );
      masks.push(rowsOf(mask));
    }
    masks[0].forEach((row, i) => {
      expect(listed(row)).toEqual(sorted(want.neighbours[inputs.indices[i]]));
    });
    masks.forEach((rows, step) =>
      rows.forEach((row, i) => {
        expect(listed(row)).toEqual(want.positivesPerStep![i][step]);
        row.forEach((on, j) =>
          expect(on).toBeGreaterThanOrEqual(step > 0 ? masks[step - 1][i][j] : 0),
        );
      }),
    );
  });

  test("without weight it is instance discrimination, over the whole bank the plain softmax", async () => {
    const one = randomCase(9, { hardNegatives: 16, invarianceWeight: 0 });
    const setting = bankSetting(one);
    const { perAnchor } = await sampledLoss(
      propagate,
      optionsOf(one.params),
      lossOptions(one.params),
      setting,
    );
    const { bank, embedding, indices } = one.inputs;
    const unit = (row: number[]) => row.map((x) => x / Math.hypot(...row));
    const want = embedding.map((row, i) => {
      const scores = bank.map(
        (b) => unit(b).reduce((sum, x, k) => sum + x * unit(row)[k], 0) / 0.2,
      );
      const total = Math.log(scores.reduce((sum, s) => sum + Math.exp(s), 0));
      return total - scores[indices[i]];
    });
    expectNear(perAnchor, want, 1e-9, "softmax");
    const fewer = randomCase(9, { hardNegatives: 6, invarianceWeight: 0 });
    const less = await sampledLoss(
      propagate,
      optionsOf(fewer.params),
      lossOptions(fewer.params),
      setting,
    );
    less.perAnchor.forEach((value, i) => expect(value).toBeLessThan(want[i]));
  });

  test("holds the invariance term back until the warm-up is over, not the instance term", async () => {
    const graph = graphOf([[1], [2], [3], [0]]);
    const { given, pairs } = oneAnchor([1, 0.9, 0.5, 0.1]);
    const options = { neighbours: 1, hardNegatives: 3 };
    const before = await sample(
      propagate,
      { ...given, state: { graph }, active: 0 },
      pairs,
      options,
    );
    expect(before.negative).toEqual([[0, 1, 1, 0]]);
    expect(before.terms[1].weight).toEqual([0]);
    const after = await sample(propagate, { ...given, state: { graph } }, pairs, options);
    expect(after.terms[0]).toEqual(before.terms[0]);
    expect(after.terms[1].weight![0]).toBeCloseTo(0, 12); // row 3 is all that is left, and it was found
    const wide = await sample(propagate, { ...given, state: { graph } }, pairs, {
      neighbours: 1,
      steps: 1,
    });
    expect(wide.terms[1].weight![0]).toBeCloseTo(0.6, 12);
  });

  test("finds nothing from rows that have not been seen, and keeps them unseen", async () => {
    const unseen = propagate.state!({ neighbours: 2 }, { datasetSize: 5 } as never).graph;
    expect(rowsOf(unseen)).toEqual(Array.from({ length: 5 }, () => [-1, -1]));
    const { given, pairs } = oneAnchor([0.2, 0.9, 0.5, 0.9, 0.1], 3);
    const got = await sample(propagate, { ...given, state: { graph: unseen } }, pairs, {});
    expect(got.metrics.positivesFound).toBe(0);
    expect(got.terms[1].positive).toEqual([[0, 0, 0, 0, 0]]);
    expect(got.terms[1].weight).toEqual([0]);
    // nearest: 1, 3 (itself), 2; itself gives way to the last
    const none = [-1, -1];
    expect(rowsOf(got.state.graph)).toEqual([none, none, none, [1, 2], none]);
  });

  test("stops at unseen rows on the way", async () => {
    const graph = graphOf([
      [1, 2],
      [-1, -1],
      [3, 0],
      [-1, -1],
      [-1, -1],
    ]);
    const { given, pairs } = oneAnchor([1, 0.4, 0.3, 0.2, 0.1]);
    const options = { neighbours: 2, steps: 3, hardPositives: 2 };
    for (const variant of ["set", "multiset"]) {
      const got = await sample(propagate, { ...given, state: { graph } }, pairs, {
        ...options,
        variant,
      });
      expect(got.metrics.positivesFound, variant).toBe(3);
      expect(got.terms[1].positive, variant).toEqual([[0, 0, 1, 1, 0]]);
    }
  });

  test("takes the hardest of equal rows in the order of the bank", async () => {
    const graph = graphOf([
      [4, 3],
      [0, 2],
      [0, 1],
      [1, 0],
      [2, 0],
      [0, 1],
    ]);
    const { given, pairs } = oneAnchor([1, 0.5, 0.5, 0.5, 0.5, 0]);
    const options = { neighbours: 2, steps: 2, hardPositives: 2 };
    const set = await sample(propagate, { ...given, state: { graph } }, pairs, options);
    expect(set.terms[1].positive).toEqual([[0, 1, 1, 0, 0, 0]]);
    // walked: 4 3 | 2 0 1 0: the first two of equal cosine
    const multiset = await sample(propagate, { ...given, state: { graph } }, pairs, {
      ...options,
      variant: "multiset",
    });
    expect(multiset.terms[1].positive).toEqual([[0, 0, 0, 1, 1, 0]]);
  });

  test("leaves weights and gaps of the negatives as they are", async () => {
    const graph = graphOf([[1], [0], [0], [0], [0]]);
    const { given } = oneAnchor([1, 0.9, 0.8, 0.7, 0.6]);
    const pairs = { positive: [[2, 0, 0, 0, 0]], negative: [[0, 1, 0, 0.5, 3]] };
    const got = await sample(propagate, { ...given, state: { graph } }, pairs, {
      neighbours: 1,
      hardNegatives: 4,
    });
    expect(got.terms[0]).toMatchObject({
      positive: [[2, 0, 0, 0, 0]],
      negative: [[0, 1, 0, 0.5, 0]],
    });
    expect(got.terms[1]).toMatchObject({
      positive: [[0, 1, 0, 0, 0]],
      negative: [[0, 0, 0, 0.5, 0]],
    });
  });

  test("renews the graph once where an image has several anchors", async () => {
    const graph = graphOf([[1], [0], [0]]);
    const similarity = [
      [1, 0.1, 0.9],
      [1, 0.9, 0.1],
    ];
    const pairs = {
      positive: [
        [1, 0, 0],
        [1, 0, 0],
      ],
      negative: [
        [0, 1, 1],
        [0, 1, 1],
      ],
    };
    const given = { similarity, support: similarity.map((row) => [row]), anchors: { ids: [0, 0] } };
    const got = await sample(propagate, { ...given, state: { graph } }, pairs, { neighbours: 1 });
    expect(rowsOf(got.state.graph)).toEqual([[2], [0], [0]]);
  });

  test("says what is wrong with a dataset of one image, and with a graph of another size", async () => {
    expect(() => propagate.state!({}, { datasetSize: 1 } as never)).toThrow(
      "propagate: the dataset has 1 image, expected at least 2",
    );
    const { given, pairs } = oneAnchor([1, 0.9]);
    await expect(
      sample(propagate, { ...given, state: { graph: graphOf([[1], [0], [0]]) } }, pairs, {}),
    ).rejects.toThrow("propagate: graph has shape [3, 1], expected [M, K] with M = 2");
  });
});

describe.skipIf(!goldenPresent)("propagate on the cases (needs ../shared/golden)", () => {
  const cases = goldenCases<Case>("invariancePropagation");

  test("gives indices, losses, gradients and the graph in float64", async () => {
    expect(cases.length).toBeGreaterThan(10);
    for (const one of cases) await check(one, "reference", { loss: 1e-9, gradient: 1e-9 });
  });

  test("gives them in float32 on ONNX Runtime", async () => {
    for (const one of cases) await check(one, "cpu", one.tolerance);
  });
});
