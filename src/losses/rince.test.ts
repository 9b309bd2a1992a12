import { expect, test } from "vitest";

import {
  expectLoops,
  lossOf,
  randomTable,
  slopesOf,
  type Table,
  twoViewTable,
} from "../../test/losses.ts";
import { infoNce } from "./infoNce.ts";
import { rince } from "./rince.ts";

type Options = { temperature: number; q: number; lambda: number };

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** The formula as loops over pairs. */
const byLoops =
  ({ temperature, q, lambda }: Options) =>
  ({ similarity, positive, negative }: Table) =>
    similarity.map((row, i) => {
      const weight = sum(positive[i]);
      if (weight === 0) return 0;
      const e = row.map((s) => Math.exp(s / temperature));
      const all = sum(e.map((x, j) => (positive[i][j] + negative[i][j]) * x));
      return ((lambda * all) ** q - sum(e.map((x, j) => positive[i][j] * x ** q)) / weight) / q;
    });

test("matches a value worked out by hand", async () => {
  // e = 4 and 12, q = 0.5: 2·(√(0.25·16) − √4) = 0
  const table = {
    similarity: [[Math.log(4), Math.log(12)]],
    positive: [[1, 0]],
    negative: [[0, 1]],
  };
  const [value] = await lossOf(rince, table, { temperature: 1, q: 0.5, lambda: 0.25 });
  expect(value).toBeCloseTo(0, 12);
});

test.each([
  { temperature: 0.5, q: 0.5, lambda: 0.025 },
  { temperature: 0.3, q: 1, lambda: 1 },
  { temperature: 0.2, q: 0.1, lambda: 0.01 },
])("agrees with loops and central differences: %j", async (options) => {
  await expectLoops(rince, byLoops(options), randomTable(42, 8, 6), options);
});

test("q towards 0 is InfoNCE plus log λ, with its slopes", async () => {
  const table = twoViewTable(43, 4);
  const got = await slopesOf(rince, table, { temperature: 0.5, q: 1e-3, lambda: 0.5 });
  const want = await slopesOf(infoNce, table, { temperature: 0.5 });
  got.each.forEach((value, i) => expect(value - want.each[i]).toBeCloseTo(Math.log(0.5), 1));
  const slopes = want.slopes.flat();
  got.slopes.flat().forEach((slope, i) => expect(Math.abs(slope - slopes[i])).toBeLessThan(0.02));
});

test("a far positive pulls less than a near one at q = 1, where InfoNCE pulls it more", async () => {
  const pull = async (loss: "rince" | "infoNce", s: number) => {
    const table = { similarity: [[s, 0]], positive: [[1, 0]], negative: [[0, 1]] };
    const options = { temperature: 0.5 };
    const { slopes } =
      loss === "rince"
        ? await slopesOf(rince, table, { ...options, q: 1, lambda: 0.1 })
        : await slopesOf(infoNce, table, options);
    return -slopes[0][0];
  };
  expect(await pull("rince", -0.5)).toBeLessThan(await pull("rince", 0.5));
  expect(await pull("infoNce", -0.5)).toBeGreaterThan(await pull("infoNce", 0.5));
});

test("refuses what leaves float32", async () => {
  const table = { similarity: [[1, 0]], positive: [[1, 0]], negative: [[0, 1]] };
  await expect(lossOf(rince, table, { temperature: 0.005, q: 0.5 })).rejects.toThrow(
    "rince: q is 0.5 and temperature is 0.005, expected q / temperature of at most 60",
  );
  const { each } = await slopesOf(rince, table, { temperature: 0.01, q: 0.6 }, "cpu");
  expect(Number.isFinite(each[0])).toBe(true);
});
