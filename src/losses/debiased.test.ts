import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { goldenCases, type GoldenCase, goldenPresent } from "../../test/golden.ts";
import {
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
import { infoNce } from "./infoNce.ts";
import { againstMass, negativeMass } from "./reweighted.ts";

const even = { beta: 0, detachWeights: false };
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** One row: its first column is the positive. */
const row = (positive: number, ...negatives: number[]): Table => ({
  similarity: [[positive, ...negatives]],
  positive: [[1, ...negatives.map(() => 0)]],
  negative: [[0, ...negatives.map(() => 1)]],
});

describe("debiased", () => {
  test("matches a value worked out by hand", async () => {
    // τ = 1, τ⁺ = 0.2: P = 1, E = 2 and 4, Ng = (6 − 0.2·2·1) / 0.8 = 7, log(1 + 7)
    const table = row(0, Math.log(2), Math.log(4));
    const [value] = await lossOf(debiased, table, { temperature: 1, tauPlus: 0.2 });
    expect(value).toBeCloseTo(Math.log(8), 12);
  });

  test.each([
    { temperature: 0.5, tauPlus: 0.4 },
    { temperature: 0.3, tauPlus: 0.25 },
    { temperature: 1, tauPlus: 0 },
  ])("agrees with loops and central differences in both branches: %j", async (options) => {
    const table = randomTable(21, 10, 6);
    const loops = (given: Table) => correctedByLoops(given, { ...options, beta: 0 });
    const { clamped } = loops(table);
    if (options.tauPlus > 0) expect(new Set(clamped.slice(2))).toEqual(new Set([0, 1]));
    await expectLoops(debiased, (given) => loops(given).each, table, options);
    const { clampedShare } = await measureOf(debiased, table, options);
    expect(clampedShare).toBeCloseTo(sum(clamped) / twoSided(table), 12);
  });

  test("tauPlus 0 is NT-Xent, slopes included", async () => {
    const table = twoViewTable(22, 4);
    const [got, want] = [
      await slopesOf(debiased, table, { temperature: 0.2, tauPlus: 0 }),
      await slopesOf(infoNce, table, { temperature: 0.2 }),
    ];
    got.each.forEach((value, i) => expect(value).toBeCloseTo(want.each[i], 11));
    const slopes = want.slopes.flat();
    got.slopes.flat().forEach((value, i) => expect(value).toBeCloseTo(slopes[i], 11));
  });

  test("equal embeddings give log(2n − 1) for every tauPlus", async () => {
    const flat = row(0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6);
    for (const tauPlus of [0, 0.1, 0.7]) {
      expect((await lossOf(debiased, flat, { tauPlus }))[0]).toBeCloseTo(Math.log(7), 12);
    }
  });

  test("falls as tauPlus grows, where the positive is nearer than the negatives", async () => {
    const table = row(0.8, 0.5, -0.2, 0.1);
    const of = (tauPlus: number) => lossOf(debiased, table, { temperature: 1, tauPlus });
    const rising = [await of(0), await of(0.05), await of(0.1), await of(0.3), await of(0.6)];
    rising.slice(1).forEach((lower, i) => expectAtMost(lower, rising[i]));
  });

  test("a clamped anchor is log(1 + N·e^{(−1 − s)/τ}), and its negatives have no slope", async () => {
    const [t, s] = [0.2, 0.9];
    const table = row(s, 0.1, -0.3, 0.2);
    const { each, slopes } = await slopesOf(debiased, table, { temperature: t, tauPlus: 0.1 });
    const mass = 3 * Math.exp((-1 - s) / t);
    expect(each[0]).toBeCloseTo(Math.log1p(mass), 12);
    expect(slopes[0][0]).toBeCloseTo(-mass / (1 + mass) / t, 12);
    expect(slopes[0].slice(1).map(Math.abs)).toEqual([0, 0, 0]);
    expect(await measureOf(debiased, table, { temperature: t })).toEqual({ clampedShare: 1 });
  });

  test("a weight of 2 is a negative twice; the scale of the positives' weights does not matter", async () => {
    const twice = await lossOf(debiased, row(0.2, 0.4, 0.4, -0.1), {});
    const table = { similarity: [[0.2, 0.4, -0.1]], positive: [[3, 0, 0]], negative: [[0, 2, 1]] };
    expect((await lossOf(debiased, table, {}))[0]).toBeCloseTo(twice[0], 12);
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
        const { each, slopes } = await slopesOf(debiased, table, {}, device);
        expect([...each, ...slopes.flat()].map(Math.abs)).toEqual([0, 0, 0]);
        expect(await measureOf(debiased, table, {})).toEqual({ clampedShare: 0 });
      }
    },
  );

  test("is right at τ = 0.01 in float32", async () => {
    const options = { temperature: 0.01, tauPlus: 0.1 };
    const of = (table: Table) => slopesOf(debiased, table, options, "cpu");
    // free: Ng = (3e¹⁰⁰ − 0.3e⁻¹⁰⁰) / 0.9
    const far = await of(row(-1, 1, 1, 1));
    expect(far.each[0]).toBeCloseTo(200 + Math.log(3 / 0.9), 3);
    [-100, 100 / 3, 100 / 3, 100 / 3].forEach((slope, i) =>
      expect(far.slopes[0][i]).toBeCloseTo(slope, 2),
    );
    // free and equal: Ng = 3P; dℓ/ds⁺ = P(1 − τ⁺N/τ⁻)/D − 1 = (1 − 1/3)/4 − 1, the others 1/(τ⁻·4)
    const equal = await of(row(1, 1, 1, 1));
    expect(equal.each[0]).toBeCloseTo(Math.log(4), 4);
    [-250 / 3, 250 / 9, 250 / 9, 250 / 9].forEach((slope, i) =>
      expect(equal.slopes[0][i]).toBeCloseTo(slope, 2),
    );
    // clamped, with a bound e⁻²⁰⁰ of the positive
    const near = await of(row(1, 0, -0.5, 0.5));
    expect([...near.each, ...near.slopes.flat()].map(Math.abs)).toEqual([0, 0, 0, 0, 0]);
    expect((await measureOf(debiased, row(1, 0, -0.5, 0.5), options)).clampedShare).toBe(1);
    // tauPlus 0: e⁻¹⁵⁰ of the positive, and not clamped
    const none = { ...options, tauPlus: 0 };
    expect((await measureOf(debiased, row(1, -0.5, -0.5), none)).clampedShare).toBe(0);
  });

  test("refuses a tauPlus of 1", async () => {
    await expect(lossOf(debiased, row(0, 1), { tauPlus: 1 })).rejects.toThrow(
      "debiased: tauPlus: Too big: expected number to be <1 (is 1)",
    );
  });

  describe.skipIf(!goldenPresent)("reference cases (need ../shared/golden)", () => {
    type Params = { temperature: number; tauPlus: number; anchors: "both" | "view1" };
    type Expected = { loss: number; perAnchor: number[]; clamped: number[] };
    const cases = goldenCases<GoldenCase<Params, Record<string, number[][]>, Expected>>("debiased");

    test("are there", () => {
      expect(cases.length).toBeGreaterThan(12);
      expect(cases.filter(({ inputs }) => inputs.view3).length).toBeGreaterThan(1);
    });

    test.each(cases.map((one) => [one.id, one] as const))("%s", async (_, one) => {
      const { anchors, ...options } = one.params;
      const { view1, view3 } = one.inputs;
      const n = view1.length;
      const { sides, ...two } = twoViews(n, anchors);
      // view 3 is a second positive of Ng, and no negative of anybody
      const embedded = view3
        ? {
            ...two,
            names: ["view1", "view2", "view3"],
            sides: (i: number, j: number) =>
              i % n === j % n
                ? ("positive" as const)
                : j < 2 * n
                  ? ("negative" as const)
                  : undefined,
          }
        : { ...two, sides };
      const reweighting = { ...options, ...even };
      await expectGolden(one, embedded, (s: np.Array, pairs: Pairs) => {
        const { logMass, clamped } = negativeMass(s.ref, refPairs(pairs), reweighting); // [A], [A]
        if (!view3) return { perAnchor: debiased(s, pairs, options), clamped };
        const isView2 = np
          .arange(3 * n)
          .less(2 * n)
          .astype(s.dtype); // [3n]
        const numerator = pairs.positive.mul(isView2); // [n, 3n]
        return { perAnchor: againstMass(s, numerator, logMass, options.temperature), clamped };
      });
    });
  });
});
