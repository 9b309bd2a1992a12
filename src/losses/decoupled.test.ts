import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import type { z } from "zod";

import { evaluate, float64, numbers } from "../testing/arrays.ts";
import { expectNear, goldenCases, type GoldenCase, goldenPresent } from "../../test/golden.ts";
import {
  centralDifferences,
  expectGolden,
  expectLoops,
  lossOf,
  randomTable,
  slopesOf,
  type Table,
  twoViews,
  twoViewTable,
} from "../../test/losses.ts";
import { weightedMean } from "../core/numerics.ts";
import { type Pairs, refPairs } from "../core/pairs.ts";
import { decoupled, vonMisesWeights } from "./decoupled.ts";
import { infoNce } from "./infoNce.ts";

type Options = z.output<typeof decoupled.options>;

const defaults = { temperature: 0.3, weighting: "none", sigma: 0.5, detachWeights: false } as const;
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** Mean similarity to the positives; undefined where there are none. */
const cosines = ({ similarity, positive }: Table) =>
  similarity.map((row, i) =>
    sum(positive[i]) === 0
      ? undefined
      : sum(row.map((s, j) => s * positive[i][j])) / sum(positive[i]),
  );

function weightsByLoops(table: Table, sigma: number): number[] {
  const all = cosines(table);
  const known = all.filter((c) => c !== undefined).map((c) => Math.exp(c / sigma));
  return all.map((c) =>
    c === undefined ? 0 : 2 - (known.length * Math.exp(c / sigma)) / sum(known),
  );
}

/** The formula as loops; `constant` holds the table that the weights are made of. */
function byLoops(table: Table, options: Options, constant = table): number[] {
  const { similarity, negative } = table;
  const { temperature, weighting, sigma } = options;
  const weights = weightsByLoops(constant, sigma);
  return cosines(table).map((cosine, i) => {
    if (cosine === undefined || sum(negative[i]) === 0) return 0;
    const push = sum(similarity[i].map((s, j) => negative[i][j] * Math.exp(s / temperature)));
    return Math.log(push) - ((weighting === "none" ? 1 : weights[i]) * cosine) / temperature;
  });
}

const weightsOf = async (cosine: number[], counted: number[], sigma: number) =>
  numbers(
    await evaluate(
      (c: np.Array, k: np.Array) => vonMisesWeights(c, k.greater(0), sigma),
      float64([cosine.length], cosine),
      float64([counted.length], counted),
    ),
  );

describe("decoupled", () => {
  test.each([{ weighting: "none" }, { weighting: "vonMises" }] as const)(
    "agrees with loops and central differences: %j",
    async (form) => {
      const options = { ...defaults, ...form };
      const table = randomTable(11, 8, 6);
      await expectLoops(decoupled, (given) => byLoops(given, options), table, options);
    },
  );

  test("detached weights give the same numbers, and the slopes of constant weights", async () => {
    const options = { ...defaults, weighting: "vonMises", detachWeights: true } as const;
    const table = randomTable(12, 8, 6);
    const { each, slopes } = await slopesOf(decoupled, table, options);
    expectNear(each, byLoops(table, options), 1e-9, "detached");
    const want = centralDifferences((given) => byLoops(given, options, table), table).flat();
    slopes.flat().forEach((slope, i) => expect(slope).toBeCloseTo(want[i], 6));
    const attached = await slopesOf(decoupled, table, { ...options, detachWeights: false });
    expect(attached.each).toEqual(each);
    expect(
      Math.max(...attached.slopes.flat().map((slope, i) => Math.abs(slope - want[i]))),
    ).toBeGreaterThan(0.01);
  });

  test("NT-Xent is log(1 + e^ℓ)", async () => {
    const table = twoViewTable(13, 4);
    const [apart, together] = [
      await lossOf(decoupled, table, { temperature: 0.2 }),
      await lossOf(infoNce, table, { temperature: 0.2 }),
    ];
    apart.forEach((value, i) => expect(Math.log1p(Math.exp(value))).toBeCloseTo(together[i], 12));
  });

  test("the push from the negatives does not depend on how near the positive is", async () => {
    const at = (s: number) => ({
      similarity: [[s, 0.2, -0.1]],
      positive: [[1, 0, 0]],
      negative: [[0, 1, 1]],
    });
    const [far, near] = [
      await slopesOf(decoupled, at(-0.5), {}),
      await slopesOf(decoupled, at(0.99), {}),
    ];
    expect(near.slopes).toEqual(far.slopes);
    expect(near.slopes[0][0]).toBeCloseTo(-10, 10); // −1/τ
  });

  test("with both views as anchors the weights are those of the pairs of a batch", async () => {
    const n = 4;
    const table = twoViewTable(14, n);
    const cosine = Array.from({ length: n }, (_, b) => table.similarity[b][b + n]);
    const total = sum(cosine.map((c) => Math.exp(c / 0.5)));
    const pairs = cosine.map((c) => 2 - (n * Math.exp(c / 0.5)) / total);
    const got = await weightsOf([...cosine, ...cosine], Array(2 * n).fill(1), 0.5);
    got.forEach((weight, i) => expect(weight).toBeCloseTo(pairs[i % n], 12));
  });

  test("weights are 1 on average and for equal pairs, and leave out anchors without positives", async () => {
    const weights = await weightsOf([0.9, 0.1, -0.3, 0.7], [1, 1, 0, 1], 0.5);
    expect((weights[0] + weights[1] + weights[3]) / 3).toBeCloseTo(1, 12);
    expect(weights[0]).toBeLessThan(weights[3]);
    expect(await weightsOf([0.4, 0.4], [1, 1], 0.5)).toEqual([1, 1]);
    const without = await weightsOf([0.9, 0.1, 0.7], [1, 1, 1], 0.5);
    expect([weights[0], weights[1], weights[3]]).toEqual(without.map((w) => expect.closeTo(w, 12)));
  });

  test.each(["reference", "cpu"] as const)(
    "no positives, no negatives or neither is 0 without a slope (%s)",
    async (device) => {
      const lone = (positive: number, negative: number) => ({
        similarity: [[0.4, -0.2]],
        positive: [[positive, 0]],
        negative: [[0, negative]],
      });
      for (const weighting of ["none", "vonMises"] as const) {
        for (const [p, q] of [
          [0, 0],
          [1, 0],
          [0, 1],
        ]) {
          const options = { weighting, detachWeights: false };
          const { each, slopes } = await slopesOf(decoupled, lone(p, q), options, device);
          expect([...each, ...slopes.flat()].map(Math.abs)).toEqual([0, 0, 0]);
        }
      }
    },
  );

  test("stays finite at τ = 0.01 and σ = 0.01 in float32", async () => {
    const table = {
      similarity: [
        [-1, 1],
        [1, -1],
        [0, 0],
      ],
      positive: [
        [1, 0],
        [1, 0],
        [0, 0],
      ],
      negative: [
        [0, 1],
        [0, 1],
        [1, 1],
      ],
    };
    const options = { temperature: 0.01, weighting: "vonMises", sigma: 0.01 } as const;
    const { each, slopes } = await slopesOf(decoupled, table, options, "cpu");
    // weights 2 − 2·0 and 2 − 2·1: 100 + 2·100 and −100 − 0·100
    expectNear(each, [300, -100, 0], 1e-6, "0.01");
    expectNear(slopes.flat(), [-200, 100, 0, 100, 0, 0], 1e-6, "0.01");
  });

  describe.skipIf(!goldenPresent)("reference cases (need ../shared/golden)", () => {
    type Params = Omit<Options, "sigma"> & { sigma: number | null };
    type Expected = { loss: number; perAnchor: number[]; weights?: number[] };
    const cases =
      goldenCases<GoldenCase<Params, Record<string, number[][]>, Expected>>("decoupled");

    test("are there", () => expect(cases.length).toBeGreaterThan(5));

    test.each(cases.map((one) => [one.id, one] as const))("%s", async (_, one) => {
      const { sigma, ...rest } = one.params;
      const options = { ...rest, sigma: sigma ?? 0.5 };
      const n = one.inputs.view1.length;
      await expectGolden(one, twoViews(n), (s: np.Array, pairs: Pairs) => {
        const perAnchor = decoupled(s.ref, refPairs(pairs), options);
        if (options.weighting === "none") return { perAnchor };
        const cosine = weightedMean(s, pairs.positive); // [2n]
        const counted = np.ones([2 * n]).greater(0); // [2n]
        return {
          perAnchor,
          weights: vonMisesWeights(cosine, counted, options.sigma).slice([0, n]),
        };
      });
    });
  });
});
