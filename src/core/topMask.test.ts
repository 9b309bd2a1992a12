import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, float64, rowsOf } from "../testing/arrays.ts";
import { compile } from "../engine/index.ts";
import { scalar } from "./arrays.ts";
import { LOWEST } from "./numerics.ts";
import { randomStream } from "./random.ts";
import { descendingRanks, topMask, topMaskOf } from "./topMask.ts";

/** Columns of a row from the largest entry down, equal ones by column. */
const order = (row: number[]): number[] =>
  row.map((_, j) => j).sort((a, b) => row[b] - row[a] || a - b);

const ranksOf = (row: number[]): number[] => {
  const columns = order(row);
  return row.map((_, j) => columns.indexOf(j));
};
const maskOf = (row: number[], count: number): number[] =>
  ranksOf(row).map((rank) => Number(rank < count));

const stream = randomStream(8, "topMask");
// few different values, so that most rows tie
const tied = Array.from({ length: 6 }, () =>
  Array.from({ length: 9 }, () => stream.integer(4) / 4),
);
const spread = Array.from({ length: 6 }, () =>
  Array.from({ length: 9 }, () => stream.uniform(-1, 1)),
);
const edges = [
  [0, 0, 0, 0],
  [LOWEST, LOWEST, 0.5, LOWEST],
  [-0.25, -0.5, -0.5, -0.25],
];

describe.each([
  ["tied", tied],
  ["spread", spread],
  ["edges", edges],
])("ranks of rows: %s", (_, rows) => {
  const matrix = (array: typeof float32 | typeof float64) =>
    array([rows.length, rows[0].length], rows.flat());

  test("topMask keeps the largest entries, the lower column of equal ones", async () => {
    for (const count of [1, 2, 3, rows[0].length - 1]) {
      for (const array of [float32, float64]) {
        const mask = await evaluate((x: np.Array) => topMask(x, count), matrix(array));
        expect(rowsOf(mask)).toEqual(rows.map((row) => maskOf(row, count)));
        expect((mask as { dtype: string }).dtype).toBe(matrix(array).dtype);
      }
    }
  });

  test("topMaskOf does the same with a count of the moment", async () => {
    const width = rows[0].length;
    for (const count of [0, 1, 3, width - 1, width, width + 2]) {
      const mask = await evaluate(topMaskOf, matrix(float32), scalar(count, "int32"));
      expect(rowsOf(mask)).toEqual(rows.map((row) => maskOf(row, count)));
    }
  });

  test("descendingRanks counts from the largest entry, equal ones by column", async () => {
    for (const array of [float32, float64]) {
      const ranks = await evaluate(descendingRanks, matrix(array));
      expect(rowsOf(ranks)).toEqual(rows.map(ranksOf));
    }
  });

  test("all are the same on ONNX Runtime", async () => {
    const all = (x: np.Array, count: np.Array) => [
      topMask(x.ref, 2),
      topMaskOf(x.ref, count),
      descendingRanks(x),
    ];
    const args = [matrix(float32), scalar(3, "int32")];
    const program = await compile(all, args, { device: "cpu" });
    const [mask, counted, ranks] = (await program.run(...args)) as never[];
    await program.dispose();
    expect(rowsOf(mask)).toEqual(rows.map((row) => maskOf(row, 2)));
    expect(rowsOf(counted)).toEqual(rows.map((row) => maskOf(row, 3)));
    expect(rowsOf(ranks)).toEqual(rows.map(ranksOf));
  });
});

test("topMask of none is empty, and of more than there are is full", async () => {
  const both = (x: np.Array) => [topMask(x.ref, 0), topMask(x.ref, 4), topMask(x, 9)];
  const [none, all, more] = (await evaluate(
    both,
    float32([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
  )) as never[];
  expect(rowsOf(none).flat()).toEqual(Array(8).fill(0));
  expect(rowsOf(all).flat()).toEqual(Array(8).fill(1));
  expect(rowsOf(more).flat()).toEqual(Array(8).fill(1));
});
