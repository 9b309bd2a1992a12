import type { numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { evaluate, float32, int32, numbers, rowsOf } from "../testing/arrays.ts";
import type { HostRecord } from "../core/arrays.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { randomBank, updateBank, updateMarks } from "./bank.ts";
import { defaultQueueSize, emptyQueue, enqueue, strangers } from "./queue.ts";

const rows = (first: number, count: number): HostRecord => {
  const ids = Array.from({ length: count }, (_, i) => first + i);
  return {
    keys: float32(
      [count, 2],
      ids.flatMap((id) => [id, id + 0.5]),
    ),
    ids: int32(ids),
    groups: int32(ids.map((id) => id % 3)),
    labels: int32(ids.map((id) => id % 2)),
  };
};

describe("queue", () => {
  test("holds the newest rows, newest batch first, whatever the batch size", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(sizes, async (batches) => {
        let queue = emptyQueue(5, 2);
        let want = new Array<number>(5).fill(-1);
        let next = 0;
        for (const count of batches) {
          queue = (await evaluate(
            (old: ArrayRecord, fresh: ArrayRecord) => enqueue(old, fresh),
            queue,
            rows(next, count),
          )) as HostRecord;
          const ids = Array.from({ length: count }, (_, i) => next + i);
          want = [...ids, ...want].slice(0, 5);
          next += count;
        }
        expect(numbers(queue.ids)).toEqual(want);
        expect(rowsOf(queue.keys)).toEqual(want.map((id) => (id < 0 ? [0, 0] : [id, id + 0.5])));
      }),
      { seed: 11, numRuns: 8 },
    );
  });

  test("an image never meets itself or an empty row", async () => {
    const mask = await evaluate(strangers, int32([1, 2]), int32([1, 2, 3, -1]));
    expect(rowsOf(mask)).toEqual([
      [0, 1, 1, 0],
      [1, 0, 1, 0],
    ]);
  });

  test("is never longer than a quarter of the dataset unless asked", () => {
    expect([3, 100, 1e6].map(defaultQueueSize)).toEqual([1, 25, 4096]);
  });
});

describe("bank", () => {
  test("starts with unit rows that depend on the seed alone", () => {
    const bank = randomBank(5, 3, 1);
    rowsOf(bank.rows).forEach((row) => expect(Math.hypot(...row)).toBeCloseTo(1, 6));
    expect(randomBank(5, 3, 1)).toEqual(bank);
    expect(randomBank(5, 3, 2).rows).not.toEqual(bank.rows);
  });

  test("moves the rows of the batch towards their embeddings and no other", async () => {
    const before = float32([3, 2], [1, 0, 0, 1, -1, 0]);
    const after = await evaluate(
      (bank: np.Array, ids: np.Array, fresh: np.Array) => updateBank(bank, ids, fresh, 0.5),
      ...[before, int32([2, 0]), float32([2, 2], [0, 1, 1, 0])],
    );
    const half = Math.SQRT1_2; // unit of (−1, 1)
    const want = [1, 0, 0, 1, -half, half];
    numbers(after).forEach((value, i) => expect(value).toBeCloseTo(want[i], 6));
  });

  test("remembers the groups it has seen", async () => {
    const groups = await evaluate(
      (old: np.Array, ids: np.Array, fresh: np.Array) => updateMarks(old, ids, fresh),
      ...[int32([-1, 4, -1]), int32([2, 1]), int32([9, 4])],
    );
    expect(numbers(groups)).toEqual([-1, 4, 9]);
  });
});
