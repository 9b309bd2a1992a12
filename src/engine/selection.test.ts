import { fromBinary } from "@bufbuild/protobuf";
import { grad, lax, numpy as np, vjp } from "@jax-js/jax";
import { ModelProtoSchema } from "onnx-buf";
import { describe, expect, test } from "vitest";

import { type HostArray, hostArray, sizeOf } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import { descendingRanks, topMask, topMaskOf } from "../core/topMask.ts";
import { compile } from "./compile.ts";
import type { Target } from "./context.ts";
import { lower } from "./lower.ts";
import type { Spec } from "./spec.ts";
import { draw, expectSame, normals } from "./testing.ts";
import { blockOf } from "./topOf.ts";
import { trace, type TracedFunction } from "./trace.ts";

type A = np.Array;
const stream = randomStream(3, "selection");
const target: Target = { block: 0, fused: true, choose: (_, __, ways) => ways[0] };
const square = (x: A): A => np.square(x).sum();
const scalar = (value: number) => hostArray("int32", [], Int32Array.of(value));
const spec = (...shape: number[]): Spec => ({ dtype: "float32", shape });

/** Few different values, so that most are equal to others; zeros of both signs among them. */
function tied(shape: number[], values = [-1, -0, 0, 0, 1, 2]): HostArray {
  const pick = () => values[stream.integer(values.length)];
  return hostArray("float32", shape, Float32Array.from({ length: sizeOf(shape) }, pick));
}

function indices(count: number, shape: number[]): HostArray {
  const data = Int32Array.from({ length: sizeOf(shape) }, () => stream.integer(count));
  return hostArray("int32", shape, data);
}

/** The operations a function becomes; TopK with how many elements it looks for. */
async function operations(fn: TracedFunction, ...specs: Spec[]): Promise<string[]> {
  const { bytes } = lower(await trace(fn, specs), target, "test");
  const { node, initializer } = fromBinary(ModelProtoSchema, bytes).graph!;
  const number = (name: string) => {
    const raw = initializer.find((constant) => constant.name === name)?.rawData;
    return raw ? new DataView(raw.buffer, raw.byteOffset).getInt32(0, true) : "?";
  };
  return node.map(({ opType, input }) => (opType === "TopK" ? `TopK ${number(input[1])}` : opType));
}

/** Columns of each row in descending order, equal ones by column. */
function descending({ shape, data }: HostArray): number[][] {
  const width = shape.at(-1)!;
  return Array.from({ length: data.length / width }, (_, row) => {
    const at = (column: number) => data[row * width + column];
    return Array.from({ length: width }, (__, i) => i).sort((a, b) => at(b) - at(a) || a - b);
  });
}

describe("the first and last of sorted rows, as jax-js has them", () => {
  for (const shape of [[7], [4, 9], [2, 3, 8], [5, 1]]) {
    const width = shape.at(-1)!;
    for (const k of new Set([1, Math.min(3, width), width])) {
      test(`top ${k} of [${shape}] with ties, without, of integers`, () =>
        expectSame(
          (x: A, y: A, i: A) => [x, y, i].flatMap((values) => lax.topK(values, k)),
          [tied(shape), ...normals(1, shape), draw(stream, shape, "int32")],
          0,
        ));
    }
  }
  test("top 2 along other axes", () =>
    expectSame((x: A) => [...lax.topK(x.ref, 2, 0), ...lax.topK(x, 2, 1)], [tied([3, 4, 5])], 0));
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
      [tied([4, 9])],
      0,
    ));
  test("one far entry of long rows", () =>
    expectSame(
      (x: A) =>
        lax.topK(x.ref, 100).flatMap((all) => [all.ref.slice([], [99, 100]), all.slice([], 70)]),
      [tied([3, 300])],
      0,
    ));
  test("whole orders and parts of them side by side; columns counted otherwise", () =>
    expectSame(
      (x: A) => {
        const order = np.argsort(x);
        const head = order.ref.slice([], [0, 3]);
        return [order.ref.neg().add(8), order.ref.sub(1).mul(2), head, order];
      },
      [tied([4, 9])],
      0,
    ));
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
    expect(top).toEqual(["TopK 3", "Cast"]);
    expect(await operations((x: A) => np.sort(x).slice([], [90, 100]), spec(4, 100))).toContain(
      "TopK 10",
    );
    expect(await operations((x: A) => np.argsort(x.neg()).slice([], [0, 2]), spec(4, 100))).toEqual(
      ["TopK 2", "Cast"],
    );
    const slope = (x: A) => grad((y: A) => square(lax.topK(y, 3)[0]))(x);
    const steps = await operations(slope, spec(4, 100));
    expect(steps.filter((op) => /TopK|Slice|Pad/.test(op))).toEqual(["TopK 3"]);
  });
});

describe("two stages", () => {
  const cases: [string, number, number, HostArray][] = [
    ["normal numbers", 1280, 20, normals(5, [6, 1280])[0]],
    ["few values", 1280, 20, tied([6, 1280])],
    ["nearly all equal", 5000, 10, tied([5, 5000], [...new Array<number>(400).fill(0), 1, -1])],
    ["all equal", 4096, 64, tied([3, 4096], [0.5])],
    ["without an end", 4096, 7, tied([4, 4096], [-Infinity, -Infinity, -Infinity, 3])],
    ["one", 65536, 1, tied([2, 65536])],
    [
      "a row",
      50000,
      100,
      tied(
        [1, 50000],
        Array.from({ length: 900 }, (_, i) => i / 7),
      ),
    ],
  ];
  for (const [name, width, k, x] of cases) {
    test(`${k} of ${width}, ${name}`, async () => {
      expect(blockOf(width, k)).toBeGreaterThan(1);
      const fn = (y: A) => lax.topK(y, k);
      expect(await operations(fn, spec(...x.shape))).toContain("ReduceMax");
      const program = await compile(fn, [x]);
      const [values, columns] = (await program.run(x)) as [HostArray, HostArray];
      await program.dispose();
      const want = descending(x).map((row) => row.slice(0, k));
      expect(Array.from(columns.data)).toEqual(want.flat());
      const entries = want.flatMap((row, i) => row.map((column) => x.data[i * width + column]));
      expect(Array.from(values.data)).toEqual(entries);
    });
  }
  test("the smallest, of three axes", async () => {
    const x = tied([2, 2, 2560]);
    await expectSame((y: A) => np.argsort(y).slice([], [], [0, 9]), [x], 0);
    const steps = await operations((y: A) => np.argsort(y).slice([], [], [0, 9]), spec(...x.shape));
    expect(steps).toContain("ReduceMin");
  });
  test("not where rows are short, or cannot be cut into blocks", () => {
    expect(blockOf(640, 20)).toBeUndefined();
    expect(blockOf(50021, 20)).toBeUndefined(); // a prime
    expect(blockOf(65536, 6553)).toBeUndefined();
    expect(blockOf(50000, 20)).toBe(50);
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
        [tied([4, 9]), scalar(rank)],
        0,
      ));
  }
  test("a rank for each row", async () => {
    const fn = (x: A, at: A) => [
      ...lax.topK(x.ref, 9).map((all) => np.takeAlongAxis(all, at.ref, 1)),
      np.takeAlongAxis(np.sort(x), at, -1),
    ];
    await expectSame(fn, [tied([4, 9]), indices(9, [4, 2])], 0);
    const steps = await operations(fn, spec(4, 9), { dtype: "int32", shape: [4, 2] });
    expect(steps.filter((op) => op.startsWith("TopK"))).toEqual(["TopK ?", "TopK ?"]);
  });
});

describe("masks of the largest", () => {
  test("by a number", () =>
    expectSame(
      (x: A, y: A) => [0, 1, 4, 9, 12].flatMap((k) => [topMask(x.ref, k), topMask(y.ref, k)]),
      [tied([4, 9]), ...normals(7, [4, 9])],
      0,
    ));
  test("as weights of a gradient", () =>
    expectSame(
      (x: A) => grad((y: A) => topMask(y.ref, 3).mul(np.square(y)).sum())(x),
      [tied([4, 9])],
      0,
    ));
  for (const count of [-1, 0, 1, 4, 9, 12]) {
    test(`by the number ${count} at run time, as by a number`, async () => {
      const x = tied([4, 9]);
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
  });
});

describe("ranks", () => {
  test("of every entry take one sort", async () => {
    await expectSame((x: A) => descendingRanks(x), [tied([5, 30])], 0);
    await expectSame(
      (x: A) => [np.argsort(np.argsort(np.flip(x.ref, [1]))), np.sort(np.argsort(x))],
      [tied([5, 30])],
      0,
    );
    const steps = await operations((x: A) => descendingRanks(x), spec(5, 30));
    expect(steps.filter((op) => op.startsWith("TopK"))).toEqual(["TopK 30"]);
  });
  test("of part of the entries are no permutation", () =>
    expectSame((x: A) => np.argsort(np.argsort(x).slice([], [0, 4]).add(1)), [tied([5, 30])], 0));
});

describe("argmax and argmin", () => {
  for (const axis of [0, 1, 2]) {
    test(`along axis ${axis}`, async () => {
      const fn = (x: A) => [np.argmax(x.ref, axis), np.argmin(x, axis, { keepdims: true })];
      await expectSame(fn, [tied([3, 4, 5])], 0);
      const steps = await operations(fn, spec(3, 4, 5));
      expect(steps.some((op) => /TopK|Arg/.test(op))).toBe(true);
      expect(steps).not.toContain("Equal");
    });
  }
  test("of all elements, of integers, and beside the largest itself", () =>
    expectSame(
      (x: A, i: A) => [np.argmax(x.ref), np.argmin(i, 1), np.argmax(x.ref, 1), x.max(1)],
      [tied([3, 70]), draw(stream, [3, 5], "int32")],
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
  test("what only looks like one is computed as written", () =>
    expectSame(
      (x: A) => {
        const [column, row] = [np.arange(5), np.arange(5).reshape([5, 1])];
        const first = x.ref.slice(0, [0, 1]);
        const copies = np.broadcastTo(x.reshape([3, 1, 5]), [3, 5, 5]);
        const over = (condition: A, other: number) =>
          np.where(condition, copies.ref, other).sum(-1);
        return [
          over(row.ref.lessEqual(column.ref), 0),
          over(column.ref.lessEqual(row.ref), 1),
          over(column.ref.less(row.ref), 0),
          over(column.ref.mul(2).lessEqual(row.ref), 0),
          over(column.ref.lessEqual(row.ref.add(1)), 0),
          np.where(column.lessEqual(row), np.broadcastTo(first, [5, 5]), 0).sum(1),
        ];
      },
      normals(10, [3, 5]),
      1e-6,
    ));
});

describe("reading and writing along an axis", () => {
  test("the last, one in the middle, with repeated indices; gradients", () =>
    expectSame(
      (x: A, i: A, j: A) => [
        np.takeAlongAxis(x.ref, i.ref, -1),
        np.takeAlongAxis(x.ref, j.ref, 1),
        grad((y: A) =>
          square(np.takeAlongAxis(y.ref, i, -1)).add(square(np.takeAlongAxis(y, j, 1))),
        )(x),
      ],
      [...normals(11, [2, 4, 5]), indices(5, [2, 4, 7]), indices(4, [2, 6, 5])],
      1e-6,
    ));
  test("indices that repeat along other axes; arrays that do", () =>
    expectSame(
      (x: A, i: A) => [
        np.takeAlongAxis(x.ref, i.ref.slice([0, 1]), -1),
        np.takeAlongAxis(x.slice([0, 1]), i, -1),
      ],
      [...normals(12, [3, 5]), indices(5, [3, 2])],
      0,
    ));
  test("rows in another order, or only the first rows, are not taken for all rows", () =>
    expectSame(
      (x: A, i: A, j: A) => [
        x.ref.slice(np.array([2, 0, 1, 3], { dtype: np.int32 }).reshape([4, 1]), i.ref),
        x.ref.slice(np.arange(2).reshape([2, 1]), i.slice([0, 2])),
        x.slice(np.arange(4), j),
      ],
      [...normals(13, [4, 5]), indices(5, [4, 3]), indices(5, [4])],
      0,
    ));
  test("sums at repeated places of lists, of tables, of rows", async () => {
    const [list, table, rows] = [spec(40), spec(3, 20), spec(20, 4)];
    const [updates, wide] = normals(14, [3, 30], [3, 30, 4]);
    const ids = indices(20, [3, 30]);
    const sum = ({ shape }: Spec, read: (z: A) => A, values: A) => {
      const [looked, transpose] = vjp(read, [np.zeros([...shape])]);
      looked.dispose();
      return transpose(values)[0];
    };
    const program = await compile(
      (i: A, u: A, w: A) => [
        sum(list, (z) => z.slice(i.ref), u.ref),
        sum(table, (z) => np.takeAlongAxis(z, i.ref, 1), u),
        sum(rows, (z) => z.slice(i), w),
      ],
      [ids, updates, wide],
    );
    const got = (await program.run(ids, updates, wide)) as HostArray[];
    await program.dispose();
    const want = [list, table, rows].map(({ shape }) => new Float64Array(sizeOf(shape)));
    ids.data.forEach((id, i) => {
      want[0][id] += updates.data[i];
      want[1][Math.floor(i / 30) * 20 + id] += updates.data[i];
      for (let j = 0; j < 4; j++) want[2][id * 4 + j] += wide.data[i * 4 + j];
    });
    got.forEach(({ data }, i) =>
      data.forEach((value, j) => expect(value).toBeCloseTo(want[i][j], 5)),
    );
  });
  test("neither by tuples of indices", async () => {
    const read = await operations((x: A, i: A) => np.takeAlongAxis(x, i, -1), spec(4, 100), {
      dtype: "int32",
      shape: [4, 3],
    });
    expect(read).toEqual(["GatherElements"]);
    const write = await operations(
      (x: A, i: A) => grad((y: A) => square(np.takeAlongAxis(y, i, -1)))(x),
      spec(4, 100),
      { dtype: "int32", shape: [4, 3] },
    );
    expect(write).toContain("ScatterElements");
    expect(write.some((op) => /ND/.test(op))).toBe(false);
  });
});
