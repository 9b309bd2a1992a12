import { grad, lax, numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { type HostArray, hostArray } from "../../core/arrays.ts";
import { randomStream } from "../../core/random.ts";
import { descendingRanks, topMask, topMaskOf } from "../../core/topMask.ts";
import { compile } from "../compile.ts";
import {
  descending,
  draw,
  expectSame,
  indices,
  normals,
  operations,
  spec,
  tied,
} from "../testing.ts";

type A = np.Array;
const stream = randomStream(3, "ranking");
const square = (x: A): A => np.square(x).sum();
const scalar = (value: number) => hostArray("int32", [], Int32Array.of(value));

describe("the first and last of sorted rows, as jax-js has them", () => {
  for (const shape of [[7], [4, 9], [2, 3, 8], [5, 1]]) {
    const width = shape.at(-1)!;
    for (const k of new Set([1, Math.min(3, width), width])) {
      test(`top ${k} of [${shape}] with ties, without, of integers`, () =>
        expectSame(
          (x: A, y: A, i: A) => [x, y, i].flatMap((values) => lax.topK(values, k)),
          [tied(stream, shape), ...normals(1, shape), draw(stream, shape, "int32")],
          0,
        ));
    }
  }
  test("top 2 along other axes", () =>
    expectSame(
      (x: A) => [...lax.topK(x.ref, 2, 0), ...lax.topK(x, 2, 1)],
      [tied(stream, [3, 4, 5])],
      0,
    ));
  test("windows of sort and argsort, forwards, backwards, negated", () =>
    expectSame(
      (x: A) =>
        [x.ref, x.ref.neg(), np.flip(x.ref, [1]), np.flip(x, [1]).neg()].flatMap((y) =>
          [[0, 2] as const, [7, 9] as const, [2, 5] as const, [8, 9] as const].flatMap((part) => [
            np.argsort(y.ref).slice([], [...part]),
            np.sort(y.ref).slice([], [...part]),
            np.flip(np.argsort(y.ref), [1]).slice([1, 3], [...part]),
          ]),
        ),
      [tied(stream, [4, 9])],
      0,
    ));
  test("one far entry of long rows", () =>
    expectSame(
      (x: A) =>
        lax.topK(x.ref, 100).flatMap((all) => [all.ref.slice([], [99, 100]), all.slice([], 70)]),
      [tied(stream, [3, 300])],
      0,
    ));
  test("whole orders and parts of them side by side; columns counted otherwise", () =>
    expectSame(
      (x: A) => {
        const order = np.argsort(x);
        const head = order.ref.slice([], [0, 3]);
        return [order.ref.neg().add(8), order.ref.sub(1).mul(2), head, order];
      },
      [tied(stream, [4, 9])],
      0,
    ));
  test("a part of what is sorted anyway costs nothing", async () => {
    const steps = await operations(
      (x: A) => {
        const order = np.argsort(x);
        return [order.ref, order.slice([], [0, 3])];
      },
      spec(4, 9),
    );
    expect(steps.filter((op) => op.startsWith("TopK"))).toEqual(["TopK 9!"]);
  });
  test("booleans", () =>
    expectSame((x: A) => [np.sort(x.ref), np.argsort(x)], [draw(stream, [3, 7], "bool")], 0));
  test("rows without elements", async () => {
    const x = hostArray("float32", [2, 0], new Float32Array(0));
    const program = await compile((y: A) => [np.sort(y.ref), np.argsort(y)], [x]);
    const got = (await program.run(x)) as HostArray[];
    await program.dispose();
    expect(got.map(({ dtype, data }) => [dtype, data.length])).toEqual([
      ["float32", 0],
      ["int32", 0],
    ]);
  });
  test("look for no more than is read", async () => {
    const top = await operations((x: A) => lax.topK(x, 3), spec(4, 100));
    expect(top).toEqual(["TopK 3!", "Cast"]);
    expect(await operations((x: A) => np.sort(x).slice([], [90, 100]), spec(4, 100))).toContain(
      "TopK 10!",
    );
    expect(await operations((x: A) => np.argsort(x.neg()).slice([], [0, 2]), spec(4, 100))).toEqual(
      ["TopK 2!", "Cast"],
    );
    const slope = (x: A) => grad((y: A) => square(lax.topK(y, 3)[0]))(x);
    const steps = await operations(slope, spec(4, 100));
    expect(steps.filter((op) => /TopK|Slice|Pad/.test(op))).toEqual(["TopK 3!"]);
  });
});

describe("gradients", () => {
  /** 2x where an entry's place in descending order is from `start` to `end − 1`, else 0: slopes of Σ x². */
  const slopes = ({ shape, data }: HostArray, order: number[][], start: number, end: number) => {
    const width = shape.at(-1)!;
    const result = new Float32Array(data.length);
    order.forEach((row, i) =>
      row.slice(start, end).forEach((column) => {
        result[i * width + column] = 2 * data[i * width + column];
      }),
    );
    return result;
  };
  const cases: [string, (y: A) => A, number, number][] = [
    ["the largest", (y) => lax.topK(y, 3)[0], 0, 3],
    ["one of the largest", (y) => lax.topK(y, 5)[0].slice([], [4, 5]), 4, 5],
    ["the smallest", (y) => np.sort(y).slice([], [0, 4]), 5, 9],
    ["the last of ascending order", (y) => np.sort(y).slice([], [6, 9]), 0, 3],
    ["some in the middle", (y) => np.sort(y).slice([], [2, 4]), 5, 7],
    ["all, negated", (y) => np.sort(y.neg()), 0, 9],
    ["the largest of columns", (y) => lax.topK(y.transpose(), 2, 0)[0], 0, 2],
  ];
  for (const [name, fn, start, end] of cases) {
    test(`of ${name}`, async () => {
      const [x] = normals(6, [4, 9]);
      const program = await compile((y: A) => grad((z: A) => square(fn(z)))(y), [x]);
      const { data } = (await program.run(x)) as HostArray;
      await program.dispose();
      expect(data).toEqual(slopes(x, descending(x), start, end));
    });
  }
});

describe("ranks known only when the program runs", () => {
  for (const rank of [0, 3, 8]) {
    test(`entry ${rank} of every row, by its end and by its column`, () =>
      expectSame(
        (x: A, at: A) => [
          ...lax.topK(x.ref, 9).map((all) => np.take(all, at.ref, 1)),
          np.take(np.sort(x.ref), at.ref, 1),
          np.take(np.flip(np.argsort(x.ref), [1]), at.ref, 1),
          np.take(np.sort(x.neg()), at, 1),
        ],
        [tied(stream, [4, 9]), scalar(rank)],
        0,
      ));
  }
  test("a rank for each row", async () => {
    const fn = (x: A, at: A) => [
      ...lax.topK(x.ref, 9).map((all) => np.takeAlongAxis(all, at.ref, 1)),
      np.takeAlongAxis(np.sort(x), at, -1),
    ];
    await expectSame(fn, [tied(stream, [4, 9]), indices(stream, 9, [4, 2])], 0);
    const steps = await operations(fn, spec(4, 9), { dtype: "int32", shape: [4, 2] });
    expect(steps.filter((op) => op.startsWith("TopK"))).toEqual(["TopK ?!", "TopK ?!"]);
  });
});

describe("ranks", () => {
  test("of every entry take one sort", async () => {
    await expectSame((x: A) => descendingRanks(x), [tied(stream, [5, 30])], 0);
    await expectSame(
      (x: A) => [np.argsort(np.argsort(np.flip(x.ref, [1]))), np.sort(np.argsort(x))],
      [tied(stream, [5, 30])],
      0,
    );
    const steps = await operations((x: A) => descendingRanks(x), spec(5, 30));
    expect(steps.filter((op) => op.startsWith("TopK"))).toEqual(["TopK 30!"]);
  });
  test("of part of the entries are no permutation", () =>
    expectSame(
      (x: A) => [
        np.argsort(lax.stopGradient(np.argsort(x.ref).slice([], [0, 4]))),
        np.argsort(np.argsort(x.ref).add(1)),
        np.sort(lax.stopGradient(np.argsort(x).slice([], [20, 30]))),
      ],
      [tied(stream, [5, 30])],
      0,
    ));
});

describe("masks of the largest", () => {
  test("by a number", () =>
    expectSame(
      (x: A, y: A) => [0, 1, 4, 9, 12].flatMap((k) => [topMask(x.ref, k), topMask(y.ref, k)]),
      [tied(stream, [4, 9]), ...normals(7, [4, 9])],
      0,
    ));
  test("as weights of a gradient", () =>
    expectSame(
      (x: A) => grad((y: A) => topMask(y.ref, 3).mul(np.square(y)).sum())(x),
      [tied(stream, [4, 9])],
      0,
    ));
  for (const count of [-1, 0, 1, 4, 9, 12]) {
    test(`by the number ${count} at run time, as by a number`, async () => {
      const x = tied(stream, [4, 9]);
      await expectSame((y: A, n: A) => topMaskOf(y, n), [x, scalar(count)], 0);
      const program = await compile(
        (y: A, n: A) => topMask(y.ref, count).sub(topMaskOf(y, n)),
        [x, scalar(count)],
      );
      const { data } = (await program.run(x, scalar(count))) as HostArray;
      await program.dispose();
      expect(data.every((difference) => difference === 0)).toBe(true);
    });
  }
  test("sort nothing", async () => {
    const steps = await operations((x: A) => topMask(x, 3), spec(4, 100));
    expect(steps).toEqual(["TopK 3", "Cast", "ConstantOfShape", "ScatterElements"]);
    const counted = await operations((x: A, n: A) => topMaskOf(x, n), spec(4, 100), {
      dtype: "int32",
      shape: [],
    });
    expect(counted.filter((op) => op.startsWith("TopK"))).toEqual(["TopK ?"]);
  });
});
