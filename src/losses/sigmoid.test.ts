import { expect, test } from "vitest";

import { expectLoops, lossOf, randomTable, slopesOf, type Table } from "../../test/losses.ts";
import { sigmoid } from "./sigmoid.ts";

const softplus = (x: number) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0);

/** The formula as loops over pairs. */
const byLoops =
  (temperature: number, bias: number) =>
  ({ similarity, positive, negative }: Table) =>
    similarity.map((row, i) => {
      if (positive[i].every((weight) => weight === 0)) return 0;
      return row
        .map((s) => s / temperature + bias)
        .reduce(
          (sum, x, j) => sum + positive[i][j] * softplus(-x) + negative[i][j] * softplus(x),
          0,
        );
    });

test("matches a value worked out by hand", async () => {
  // x = 2·s − 1: odds 1 for the positive, odds 3 for the negative
  const table = {
    similarity: [[0.5, (Math.log(3) + 1) / 2]],
    positive: [[1, 0]],
    negative: [[0, 1]],
  };
  const [value] = await lossOf(sigmoid, table, { temperature: 0.5, bias: -1 });
  expect(value).toBeCloseTo(Math.log(2) + Math.log(4), 12);
});

test.each([
  { temperature: 0.1, bias: -10 },
  { temperature: 0.5, bias: 1.5 },
])("agrees with loops and central differences: %j", async ({ temperature, bias }) => {
  const loops = byLoops(temperature, bias);
  await expectLoops(sigmoid, loops, randomTable(41, 8, 6), { temperature, bias });
});

test("the slope at a pair does not depend on the other pairs", async () => {
  const of = async (s: number) => {
    const table = { similarity: [[0.4, 0.1, s]], positive: [[1, 0, 0]], negative: [[0, 1, 1]] };
    return (await slopesOf(sigmoid, table, { temperature: 0.2, bias: -2 })).slopes[0].slice(0, 2);
  };
  expect(await of(-0.9)).toEqual(await of(0.9));
});

test("is finite at temperature 0.01 in float32, with slopes within 1/τ", async () => {
  const table = { similarity: [[-1, 1, -1]], positive: [[1, 0, 0]], negative: [[0, 1, 1]] };
  const { each, slopes } = await slopesOf(sigmoid, table, { temperature: 0.01, bias: 0 }, "cpu");
  expect(each[0]).toBeCloseTo(200, 3);
  expect(slopes[0].map((slope) => Math.round(slope))).toEqual([-100, 100, 0]);
});
