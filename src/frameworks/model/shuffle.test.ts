import type { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";

import { evaluate, int32, numbers } from "../../testing/arrays.ts";
import { shuffled, unshuffled } from "./shuffle.ts";

const orderOf = async (count: number, splits: number) =>
  numbers(
    await evaluate(
      (x: np.Array) => shuffled(x, splits),
      int32(Array.from({ length: count }, (_, i) => i)),
    ),
  );

test.each([
  [8, 2],
  [32, 8],
  [128, 8],
])("of %i rows in %i splits, those of one split are spread evenly", async (count, splits) => {
  const order = await orderOf(count, splits);
  expect([...order].sort((a, b) => a - b)).toEqual(order.map((_, i) => i));
  const groupAfter = new Map(order.map((row, at) => [row, at % splits]));
  for (let row = 0; row < count; row++) {
    const before = Array.from({ length: count / splits }, (_, i) => (row % splits) + i * splits);
    const together = before.filter((other) => groupAfter.get(other) === groupAfter.get(row));
    expect(together.length).toBeLessThanOrEqual(Math.max(1, Math.ceil(before.length / splits)));
  }
});

test("unshuffled restores the order", async () => {
  const back = await evaluate(
    (x: np.Array) => unshuffled(shuffled(x, 4), 4),
    int32([0, 1, 2, 3, 4, 5, 6, 7]),
  );
  expect(numbers(back)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});
