import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import {
  expectNear,
  expectSlope,
  goldenCases,
  type GoldenCase,
  goldenPresent,
} from "../../test/golden.ts";
import {
  centralDifferences,
  correctedByLoops,
  expectAtMost,
  expectGolden,
  expectLoops,
  lossOf,
  measureOf,
  randomTable,
  slopesOf,
  type Table,
  twoSided,
  twoViews,
  twoViewTable,
} from "../../test/losses.ts";
import { type Pairs, refPairs } from "../core/pairs.ts";
import { debiased } from "./debiased.ts";
import { hardNegative } from "./hardNegative.ts";
import { infoNce } from "./infoNce.ts";
import { negativeMass } from "./reweighted.ts";

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** One row: its first column is the positive. */
const row = (positive: number, ...negatives: number[]): Table => ({
  similarity: [[positive, ...negatives]],
  positive: [[1, ...negatives.map(() => 0)]],
  negative: [[0, ...negatives.map(() => 1)]],
});

describe("hardNegative", () => {
  test("matches a value worked out by hand", async () => {
    // τ = 1, β = 1, τ⁺ = 0.2: E = w = 1 and 4, R = 2·(1 + 16)/(1 + 4) = 6.8, P = 2, Ng = (6.8 − 0.8)/0.8
    const table = row(Math.log(2), 0, Math.log(4));
    const [value] = await lossOf(hardNegative, table, { temperature: 1, tauPlus: 0.2 });
    expect(value).toBeCloseTo(Math.log((2 + 7.5) / 2), 12);
  });

  test.each([
    { temperature: 0.5, tauPlus: 0.5, beta: 1 },
    { temperature: 0.3, tauPlus: 0.25, beta: 0.5 },
    { temperature: 0.5, tauPlus: 0, beta: 2 },
  ])("agrees with loops and central differences in both branches: %j", async (options) => {
    const table = randomTable(31, 10, 6);
    const loops = (given: Table) => correctedByLoops(given, options);
    const { clamped, each } = loops(table);
    if (options.tauPlus > 0) expect(new Set(clamped.slice(2))).toEqual(new Set([0, 1]));
    await expectLoops(hardNegative, (given) => loops(given).each, table, options);
    const { clampedShare } = await measureOf(hardNegative, table, options);
    expect(clampedShare).toBeCloseTo(sum(clamped) / twoSided(table), 12);

    const detached = await slopesOf(hardNegative, table, { ...options, detachWeights: true });
    expectNear(detached.each, each, 1e-9, "detached");
    const frozen = (given: Table) => correctedByLoops(given, options, table.similarity).each;
    const want = centralDifferences(frozen, table).flat();
    expectSlope(detached.slopes.flat(), want, 1e-6, "detached");
  });

  test("beta 0 is debiased, and with tauPlus 0 NT-Xent", async () => {
    const table = randomTable(32, 8, 6);
    const options = { temperature: 0.4, tauPlus: 0.1 };
    const [hard, plain] = [
      await slopesOf(hardNegative, table, { ...options, beta: 0 }),
      await slopesOf(debiased, table, options),
    ];
    expect(hard).toEqual(plain);
    // and a beta near 0 is near it: both branches of the code
    const nearly = await lossOf(hardNegative, table, { ...options, beta: 1e-9 });
    nearly.forEach((value, i) => expect(value).toBeCloseTo(plain.each[i], 7));
    const views = twoViewTable(33, 4);
    const want = await lossOf(infoNce, views, { temperature: 0.4 });
    const got = await lossOf(hardNegative, views, { temperature: 0.4, tauPlus: 0, beta: 0 });
    got.forEach((value, i) => expect(value).toBeCloseTo(want[i], 11));
  });

  test("never falls as beta grows, up to log(1 + N·e^{(max s − s⁺)/τ})", async () => {
    const table = twoViewTable(34, 5);
    const of = (beta: number, tauPlus: number) =>
      lossOf(hardNegative, table, { temperature: 0.5, tauPlus, beta });
    for (const tauPlus of [0, 0.1]) {
      const rising = await Promise.all([0, 0.5, 1, 2, 6].map((beta) => of(beta, tauPlus)));
      rising.slice(1).forEach((upper, i) => expectAtMost(rising[i], upper));
    }
    const last = await of(5000, 0);
    last.forEach((value, i) => {
      const own = (i + 5) % 10;
      const top = Math.max(...table.similarity[i].filter((_, j) => j !== i && j !== own));
      const want = Math.log1p(8 * Math.exp((top - table.similarity[i][own]) / 0.5));
      expect(value).toBeCloseTo(want, 6);
    });
  });

  test("equal embeddings give log(2n − 1)", async () => {
    const flat = row(0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6);
    for (const [beta, tauPlus] of [
      [1, 0.1],
      [8, 0.5],
    ]) {
      const [value] = await lossOf(hardNegative, flat, { beta, tauPlus });
      expect(value).toBeCloseTo(Math.log(7), 12);
    }
  });

  test("attached weights pull easy negatives in, detached ones push all away", async () => {
    const table = row(0.1, 0.9, -0.6, -0.4, -0.8);
    const options = { temperature: 0.5, tauPlus: 0.1, beta: 2 };
    const [attached, detached] = [
      await slopesOf(hardNegative, table, options),
      await slopesOf(hardNegative, table, { ...options, detachWeights: true }),
    ];
    expect(attached.slopes[0].slice(1).map(Math.sign)).toEqual([1, -1, -1, -1]);
    expect(detached.slopes[0].slice(1).map(Math.sign)).toEqual([1, 1, 1, 1]);
    expect(attached.each).toEqual(detached.each);
  });

  test.each(["reference", "cpu"] as const)(
    "no positives, no negatives or neither is 0 without a slope (%s)",
    async (device) => {
      for (const [p, q] of [
        [0, 0],
        [1, 0],
        [0, 1],
      ]) {
        const table = { similarity: [[0.4, -0.2]], positive: [[p, 0]], negative: [[0, q]] };
        const { each, slopes } = await slopesOf(hardNegative, table, {}, device);
        expect([...each, ...slopes.flat()].map(Math.abs)).toEqual([0, 0, 0]);
        expect(await measureOf(hardNegative, table, {})).toEqual({ clampedShare: 0 });
      }
    },
  );

  test("is right at τ = 0.01 and beta 8 in float32", async () => {
    const options = { temperature: 0.01, tauPlus: 0.1, beta: 8 };
    const far = await slopesOf(hardNegative, row(-1, 1, 1, 0), options, "cpu");
    // e^{900} and e^{0}: R = 3e¹⁰⁰, Ng = 3e¹⁰⁰/0.9
    expect(far.each[0]).toBeCloseTo(200 + Math.log(3 / 0.9), 2);
    [-100, 50, 50, 0].forEach((slope, i) => expect(far.slopes[0][i]).toBeCloseTo(slope, 1));
    const near = await slopesOf(hardNegative, row(1, 0, -0.5, 0.5), options, "cpu");
    expect([...near.each, ...near.slopes.flat()].map(Math.abs)).toEqual([0, 0, 0, 0, 0]);
  });

  describe.skipIf(!goldenPresent)("reference cases (need ../shared/golden)", () => {
    type Params = { temperature: number; tauPlus: number; beta: number; detachWeights: boolean };
    type Expected = { loss: number; perAnchor: number[]; clamped: number[] };
    type Case = GoldenCase<Params, Record<string, number[][]>, Expected>;
    const cases = goldenCases<Case>("hardNegative");

    test("are there", () => expect(cases.length).toBeGreaterThan(12));

    test.each(cases.map((one) => [one.id, one] as const))("%s", async (_, one) => {
      const views = twoViews(one.inputs.view1.length);
      await expectGolden(one, views, (s: np.Array, pairs: Pairs) => {
        const { clamped } = negativeMass(s.ref, refPairs(pairs), one.params); // [2n]
        return { perAnchor: hardNegative(s, pairs, one.params), clamped };
      });
    });
  });
});
