import type { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";

import { evaluate, float32, float64, int32, rowsOf } from "../testing/arrays.ts";
import { compile } from "../engine/index.ts";
import { entriesAt, sumEntriesAt } from "./rowEntries.ts";
import { rowQuantile } from "./rowQuantile.ts";
import { sumAt } from "./sumAt.ts";
import { differentiate } from "./trees.ts";

const columns = { ...int32([2, 0, 0, 1, 1, 1]), shape: [2, 3] };

test("reads entries of each row and adds them back, repeats included, on both devices", async () => {
  const values = float32([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
  const f = (x: np.Array, at: np.Array) => {
    const read = entriesAt(x.ref, at.ref);
    return { read: read.ref, sum: sumEntriesAt(x, at, read) };
  };
  const program = await compile(f, [values, columns], { device: "cpu" });
  const results = [await evaluate(f, values, columns), await program.run(values, columns)];
  await program.dispose();
  for (const result of results) {
    const { read, sum } = result as Record<string, never>;
    expect(rowsOf(read)).toEqual([
      [3, 1, 1],
      [6, 6, 6],
    ]);
    expect(rowsOf(sum)).toEqual([
      [2, 0, 3, 0],
      [0, 18, 0, 0],
    ]);
  }
});

test("adds rows at ids within a gradient, without one of its own", async () => {
  const objective = ({ x }: { x: np.Array }, ids: np.Array): [np.Array, Record<string, never>] => {
    const sum = sumAt(x.ref, ids, x.ref.slice([0, 2])); // [3, 2]
    return [x.mul(sum).sum(), {}];
  };
  const slopes = await evaluate(
    (x: np.Array, ids: np.Array) => differentiate(objective)({ x }, ids).gradient.x,
    float64([3, 2], [1, 2, 3, 4, 5, 6]),
    int32([2, 2]),
  );
  expect(rowsOf(slopes)).toEqual([
    [0, 0],
    [0, 0],
    [4, 6],
  ]);
});

test("takes quantiles of the kept entries of each row, between them too", async () => {
  const values = float64([4, 4], [4, 1, 3, 2, 9, 1, 5, 7, 2, 8, 8, 8, 1, 2, 3, 4]);
  const kept = float64([4, 4], [1, 1, 1, 1, 0, 1, 0.5, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
  const at = async (share: number) =>
    rowsOf(
      await evaluate((x: np.Array, k: np.Array) => rowQuantile(x, k, share), values, kept),
    ).flat();
  expect((await at(0)).slice(0, 3)).toEqual([1, 1, 2]);
  expect((await at(1)).slice(0, 3)).toEqual([4, 5, 2]);
  // places 2.1 of 1 2 3 4, and 0.7 of 1 5
  const between = await at(0.7);
  expect(between[0]).toBeCloseTo(3.1, 12);
  expect(between[1]).toBeCloseTo(3.8, 12);
  expect(between[3]).toBeGreaterThan(1e29); // nothing kept
});
