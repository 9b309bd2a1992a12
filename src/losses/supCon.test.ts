import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import type { z } from "zod";

import { goldenCases, type GoldenCase, goldenPresent, type Rows } from "../../test/golden.ts";
import {
  expectAtMost,
  expectGolden,
  expectLoops,
  lossOf,
  randomTable,
  slopesOf,
  type Table,
  twoViewTable,
} from "../../test/losses.ts";
import type { Pairs } from "../core/pairs.ts";
import { infoNce } from "./infoNce.ts";
import { supCon } from "./supCon.ts";

type Options = z.output<typeof supCon.options>;
const variants = ["out", "in", "logSum"] as const;

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** The formulas as loops over anchors, positives and candidates. */
function byLoops({ similarity, positive, negative }: Table, options: Options): number[] {
  const { variant, temperature, baseTemperature = temperature } = options;
  return similarity.map((row, i) => {
    const weight = sum(positive[i]);
    if (weight === 0) return 0;
    const e = row.map((s) => Math.exp(s / temperature));
    const total = sum(e.map((x, j) => (positive[i][j] + negative[i][j]) * x));
    const inside = sum(e.map((x, j) => (positive[i][j] * x) / total));
    const outside = sum(e.map((x, j) => positive[i][j] * Math.log(x / total))) / weight;
    const value = { out: outside, in: Math.log(inside / weight), logSum: Math.log(inside) };
    return (-temperature / baseTemperature) * value[variant];
  });
}

/** Two views of images with labels: every other row of the same label is a positive. */
function labelled(seed: number, labels: number[]): Table {
  const { similarity } = twoViewTable(seed, labels.length);
  const n = labels.length;
  const weight = (same: boolean) =>
    similarity.map((row, i) =>
      row.map((_, j) => Number(i !== j && (labels[i % n] === labels[j % n]) === same)),
    );
  return { similarity, positive: weight(true), negative: weight(false) };
}

describe("supCon", () => {
  test.each(variants)("agrees with loops and central differences: %s", async (variant) => {
    const options: Options = { variant, temperature: 0.2, baseTemperature: 0.07 };
    await expectLoops(supCon, (table) => byLoops(table, options), randomTable(3, 8, 6), options);
  });

  test("with a label for each image it is NT-Xent, in every variant", async () => {
    const table = twoViewTable(4, 4);
    const want = await lossOf(infoNce, table, { temperature: 0.1 });
    for (const variant of variants) {
      const got = await lossOf(supCon, table, { variant, temperature: 0.1 });
      got.forEach((value, i) => expect(value).toBeCloseTo(want[i], 12));
    }
  });

  test("grows as 1 / baseTemperature, which is the temperature unless given", async () => {
    const table = labelled(5, [0, 1, 0, 2]);
    const of = (options: Partial<Options>) => lossOf(supCon, table, options);
    const [plain, same, tenfold] = [
      await of({ temperature: 0.1 }),
      await of({ temperature: 0.1, baseTemperature: 0.1 }),
      await of({ temperature: 0.1, baseTemperature: 0.01 }),
    ];
    expect(same).toEqual(plain);
    tenfold.forEach((value, i) => expect(value).toBeCloseTo(10 * plain[i], 11));
  });

  test("in is at most out, and logSum is in less the log of the number of positives", async () => {
    const table = labelled(6, [0, 1, 0, 2, 1, 0]);
    const [out, inside, logSum] = [
      await lossOf(supCon, table, { variant: "out" }),
      await lossOf(supCon, table, { variant: "in" }),
      await lossOf(supCon, table, { variant: "logSum" }),
    ];
    expectAtMost(inside, out);
    logSum.forEach((value, i) =>
      expect(value).toBeCloseTo(inside[i] - Math.log(sum(table.positive[i])), 12),
    );
  });

  test("equal embeddings give log(2n − 1), however many positives there are", async () => {
    const table = labelled(7, [0, 0, 1, 2]);
    const flat = { ...table, similarity: table.similarity.map((row) => row.map(() => 1)) };
    for (const variant of ["out", "in"] as const) {
      const { each, slopes } = await slopesOf(supCon, flat, { variant });
      each.forEach((value) => expect(value).toBeCloseTo(Math.log(7), 12));
      expect(slopes.map(sum)).toEqual(slopes.map(() => expect.closeTo(0, 10)));
    }
  });

  test("an anchor without positives has 0 and no slope", async () => {
    const alone = { similarity: [[0.3, -0.4]], positive: [[0, 0]], negative: [[1, 1]] };
    for (const variant of variants) {
      const { each, slopes } = await slopesOf(supCon, alone, { variant });
      expect([...each, ...slopes.flat()].map(Math.abs)).toEqual([0, 0, 0]);
    }
  });

  test("refuses a base temperature of 0", async () => {
    await expect(lossOf(supCon, twoViewTable(1, 2), { baseTemperature: 0 })).rejects.toThrow(
      "supCon: baseTemperature: Too small: expected number to be >=0.0001 (is 0)",
    );
  });

  describe.skipIf(!goldenPresent)("reference cases (need ../shared/golden)", () => {
    type Params = Required<Options> & { anchors: "all" | "view1" };
    type Inputs = { view1: Rows; view2?: Rows; labels: number[] };
    const cases = goldenCases<GoldenCase<Params, Inputs>>("supCon");

    test("are there", () => expect(cases.length).toBeGreaterThan(10));

    test.each(cases.map((one) => [one.id, one] as const))("%s", async (_, one) => {
      const { anchors, ...options } = one.params;
      const { view1, view2, labels } = one.inputs;
      const n = view1.length;
      const rows = n * (view2 ? 2 : 1);
      const embedded = {
        names: view2 ? ["view1", "view2"] : ["view1"],
        anchors: anchors === "all" ? rows : n,
        sides: (i: number, j: number) =>
          labels[i % n] === labels[j % n] ? ("positive" as const) : ("negative" as const),
      };
      await expectGolden(
        one as unknown as GoldenCase<object>,
        embedded,
        (s: np.Array, p: Pairs) => ({ perAnchor: supCon(s, p, options) }),
      );
    });
  });
});
