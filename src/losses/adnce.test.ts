import { expect, test } from "vitest";

import { expectLoops, lossOf, randomTable, slopesOf, type Table } from "../../test/losses.ts";
import { adnce } from "./adnce.ts";
import { infoNce } from "./infoNce.ts";

type Options = { temperature: number; mu: number; sigma: number };

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** The formula as loops over pairs; the weights are made of `constant`. */
const byLoops =
  ({ temperature, mu, sigma }: Options, constant?: number[][]) =>
  ({ similarity, positive, negative }: Table) =>
    similarity.map((row, i) => {
      const [weight, count] = [sum(positive[i]), sum(negative[i])];
      if (weight === 0 || count === 0) return 0;
      const e = row.map((s) => Math.exp(s / temperature));
      const bell = (constant ?? similarity)[i].map((s) => Math.exp(-0.5 * ((s - mu) / sigma) ** 2));
      const middle = sum(bell.map((v, j) => negative[i][j] * v)) / count;
      const mass = sum(e.map((x, j) => (negative[i][j] * bell[j] * x) / middle));
      return sum(e.map((x, j) => positive[i][j] * Math.log((x + mass) / x))) / weight;
    });

test("matches a value worked out by hand", async () => {
  // weights e⁰ and e^{−ln 3} of the negatives, scaled to a mean of 1: 1.5 and 0.5; both e^s are 1
  const far = Math.sqrt(2 * Math.log(3));
  const table = { similarity: [[0, 0, far]], positive: [[1, 0, 0]], negative: [[0, 1, 1]] };
  const [value] = await lossOf(adnce, table, { temperature: 1e4, mu: 0, sigma: 1 });
  expect(value).toBeCloseTo(Math.log(1 + 1.5 + 0.5 * Math.exp(far / 1e4)), 10);
});

test.each([
  { temperature: 0.4, mu: 0.7, sigma: 0.5 },
  { temperature: 0.2, mu: -0.3, sigma: 0.1 },
])("agrees with loops and central differences: %j", async (options) => {
  const table = randomTable(44, 8, 6);
  await expectLoops(adnce, byLoops(options, table.similarity), table, options);
});

test("a wide bell is InfoNCE with the own positive in the denominator", async () => {
  const table = randomTable(45, 8, 6);
  table.negative[1].fill(1); // no row without negatives
  const got = await slopesOf(adnce, table, { temperature: 0.3, sigma: 1e4 });
  const want = await slopesOf(infoNce, table, { temperature: 0.3, denominator: "own" });
  got.each.forEach((value, i) => expect(value).toBeCloseTo(want.each[i], 6));
  const slopes = want.slopes.flat();
  got.slopes.flat().forEach((slope, i) => expect(slope).toBeCloseTo(slopes[i], 6));
});

test("a narrow bell in float32: what is not near mu counts for nothing", async () => {
  const table = { similarity: [[0.9, 0.5, -1]], positive: [[1, 0, 0]], negative: [[0, 1, 1]] };
  const options = { temperature: 0.1, mu: 0.5, sigma: 0.01 };
  const { each, slopes } = await slopesOf(adnce, table, options, "cpu");
  expect(each[0]).toBeCloseTo(Math.log1p(2 * Math.exp(-4)), 5);
  expect(slopes[0][2]).toBe(0);
});
