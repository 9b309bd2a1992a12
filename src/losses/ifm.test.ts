import { expect, test } from "vitest";

import { expectLoops, lossOf, randomTable, slopesOf, type Table } from "../../test/losses.ts";
import { ifm } from "./ifm.ts";
import { infoNce } from "./infoNce.ts";

type Options = { temperature: number; epsilon: number; alpha: number };

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** Both parts as loops over pairs, the second with every similarity moved by ε. */
const byLoops =
  ({ temperature, epsilon, alpha }: Options) =>
  ({ similarity, positive, negative }: Table) =>
    similarity.map((row, i) => {
      const weight = sum(positive[i]);
      if (weight === 0) return 0;
      const part = (by: number) => {
        const near = row.map((s, j) => positive[i][j] * Math.exp((s - by) / temperature));
        const far = row.map((s, j) => negative[i][j] * Math.exp((s + by) / temperature));
        const own = sum(row.map((s, j) => (positive[i][j] * (s - by)) / temperature)) / weight;
        return Math.log(sum(near) + sum(far)) - own;
      };
      return (part(0) + alpha * part(epsilon)) / (1 + alpha);
    });

test("matches a value worked out by hand", async () => {
  // τ = 1: e = 1 and 1; moved by ln 2: ½ and 2
  const table = { similarity: [[0, 0]], positive: [[1, 0]], negative: [[0, 1]] };
  const [value] = await lossOf(ifm, table, { temperature: 1, epsilon: Math.log(2), alpha: 3 });
  expect(value).toBeCloseTo((Math.log(2) + 3 * Math.log(2.5 / 0.5)) / 4, 12);
});

test.each([
  { temperature: 0.2, epsilon: 0.1, alpha: 1 },
  { temperature: 0.5, epsilon: 0.7, alpha: 4 },
])("agrees with loops and central differences: %j", async (options) => {
  await expectLoops(ifm, byLoops(options), randomTable(46, 8, 6), options);
});

test.each([{ epsilon: 0 }, { alpha: 0 }])("%j is InfoNCE, slopes included", async (options) => {
  const table = randomTable(47, 8, 6);
  const got = await slopesOf(ifm, table, { temperature: 0.3, ...options });
  const want = await slopesOf(infoNce, table, { temperature: 0.3 });
  got.each.forEach((value, i) => expect(value).toBeCloseTo(want.each[i], 11));
  const slopes = want.slopes.flat();
  got.slopes.flat().forEach((slope, i) => expect(slope).toBeCloseTo(slopes[i], 11));
});

test("is finite in float32 where e^(2ε/τ) is not", async () => {
  const table = { similarity: [[0.5, 0.5]], positive: [[1, 0]], negative: [[0, 1]] };
  const options = { temperature: 0.01, epsilon: 1, alpha: 1 };
  const { each, slopes } = await slopesOf(ifm, table, options, "cpu");
  expect(each[0]).toBeCloseTo((Math.log(2) + 200) / 2, 3);
  expect(slopes[0][0]).toBeCloseTo(-75, 3);
});
