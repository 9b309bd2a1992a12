import { grad, numpy as np, vjp } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { type HostArray, sizeOf } from "../../core/arrays.ts";
import { randomStream } from "../../core/random.ts";
import { compile } from "../compile.ts";
import type { Spec } from "../spec.ts";
import { expectSame, indices, normals, operations, spec } from "../testing.ts";

type A = np.Array;
const stream = randomStream(3, "indexing");
const square = (x: A): A => np.square(x).sum();

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
      [...normals(11, [2, 4, 5]), indices(stream, 5, [2, 4, 7]), indices(stream, 4, [2, 6, 5])],
      1e-6,
    ));
  test("indices that repeat along other axes; arrays that do", () =>
    expectSame(
      (x: A, i: A) => [
        np.takeAlongAxis(x.ref, i.ref.slice([0, 1]), -1),
        np.takeAlongAxis(x.slice([0, 1]), i, -1),
      ],
      [...normals(12, [3, 5]), indices(stream, 5, [3, 2])],
      0,
    ));
  test("rows in another order, or only the first rows, are not taken for all rows", () =>
    expectSame(
      (x: A, i: A, j: A) => [
        x.ref.slice(np.array([2, 0, 1, 3], { dtype: np.int32 }).reshape([4, 1]), i.ref),
        x.ref.slice(np.arange(2).reshape([2, 1]), i.slice([0, 2])),
        x.slice(np.arange(4), j),
      ],
      [...normals(13, [4, 5]), indices(stream, 5, [4, 3]), indices(stream, 5, [4])],
      0,
    ));
  test("sums at repeated places of lists, of tables, of rows", async () => {
    const [list, table, rows] = [spec(40), spec(3, 20), spec(20, 4)];
    const [updates, wide] = normals(14, [3, 30], [3, 30, 4]);
    const ids = indices(stream, 20, [3, 30]);
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
