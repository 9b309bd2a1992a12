import { grad, numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { randomStream } from "../../core/random.ts";
import { draw, expectSame, normals, operations, spec, tied } from "../testing.ts";

type A = np.Array;
const stream = randomStream(3, "recognised");
const square = (x: A): A => np.square(x).sum();

describe("argmax and argmin", () => {
  for (const axis of [0, 1, 2]) {
    test(`along axis ${axis}`, async () => {
      const fn = (x: A) => [np.argmax(x.ref, axis), np.argmin(x, axis, { keepdims: true })];
      await expectSame(fn, [tied(stream, [3, 4, 5])], 0);
      const steps = await operations(fn, spec(3, 4, 5));
      expect(steps.some((op) => /TopK|Arg/.test(op))).toBe(true);
      expect(steps).not.toContain("Equal");
    });
  }
  test("what looks like them is computed as written", () =>
    expectSame(
      (x: A) => {
        const flags = (other: A) => x.ref.equal(other).astype(np.int32);
        const [down, up] = [np.arange(5, 0, -1), np.arange(5)];
        const largest = x.ref.max(1, { keepdims: true });
        const results = [
          flags(largest.ref).mul(up).max(1),
          flags(largest.ref).mul(down.ref).min(1),
          flags(largest.ref.mul(1)).mul(down.ref.add(1)).max(1),
          flags(x.ref.max(0, { keepdims: true }))
            .mul(down.ref)
            .max(1),
          flags(x.ref.sum(1, { keepdims: true }))
            .mul(down.ref)
            .max(1),
          x.ref.lessEqual(largest).astype(np.int32).mul(down).max(1),
        ];
        x.dispose();
        return results;
      },
      [tied(stream, [3, 5])],
      0,
    ));
  test("of all elements, of integers, and beside the largest itself", () =>
    expectSame(
      (x: A, i: A) => [np.argmax(x.ref), np.argmin(i, 1), np.argmax(x.ref, 1), x.max(1)],
      [tied(stream, [3, 1000]), draw(stream, [3, 5], "int32")],
      0,
    ));
});

describe("running sums", () => {
  const slope = (x: A) => grad((y: A) => square(np.cumsum(y, -1)))(x);
  for (const [fn, ...shape] of [
    [(x: A) => np.cumsum(x, -1), 9],
    [(x: A) => np.cumsum(x, -1), 3, 20],
    [(x: A) => np.cumsum(x, -1), 520],
    [slope, 3, 20],
  ] as [(x: A) => A, ...number[]][]) {
    test(`along the last axis of [${shape}]${fn === slope ? ", their gradient" : ""}`, async () => {
      await expectSame(fn, normals(8, shape), 1e-5);
      const steps = await operations(fn, spec(...shape));
      expect(steps).toContain("CumSum");
      expect(steps).not.toContain("Where");
    });
  }
  test("along another axis, of integers", () =>
    expectSame(
      (x: A, i: A) => [np.cumsum(x, 0), np.cumsum(i, 1)],
      [...normals(9, [5, 4]), draw(stream, [3, 7], "int32")],
      1e-6,
    ));
  test("what looks like one is computed as written", async () => {
    const fn = (x: A) => {
      const [column, row] = [np.arange(5), np.arange(5).reshape([5, 1])];
      const copies = np.broadcastTo(x.ref, [5, 5]);
      const over = (condition: A, other: number, axis = -1) =>
        np.where(condition, copies.ref, other).sum(axis);
      return [
        over(column.ref.less(row.ref), 0),
        over(row.ref.lessEqual(column.ref), 0),
        over(column.ref.lessEqual(row.ref), 1),
        over(column.ref.lessEqual(row.ref), 0, 0),
        over(column.ref.mul(2).lessEqual(row.ref), 0),
        over(column.ref.lessEqual(row.ref.add(1)), 0),
        np.where(column.lessEqual(row), np.broadcastTo(x.slice([0, 1]), [5, 5]), 0).sum(1),
      ];
    };
    await expectSame(fn, normals(10, [5]), 1e-6);
    const steps = await operations(fn, spec(5));
    expect(steps.filter((op) => op === "CumSum")).toHaveLength(1);
  });
});
