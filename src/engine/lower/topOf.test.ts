import { lax, numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { type HostArray, hostArray } from "../../core/arrays.ts";
import { randomStream } from "../../core/random.ts";
import { compile } from "../compile.ts";
import { descending, expectSame, normals, operations, spec, tied } from "../testing.ts";
import { blockOf } from "./topOf.ts";

type A = np.Array;
const stream = randomStream(3, "topOf");

describe("two stages", () => {
  const cases: [string, number, number, HostArray][] = [
    ["normal numbers", 41_000, 20, normals(5, [3, 41_000])[0]],
    ["few values", 8192, 4, tied(stream, [6, 8192])],
    [
      "nearly all equal",
      5000,
      2,
      tied(stream, [9, 5000], [...new Array<number>(2000).fill(0), 1, -1]),
    ],
    ["all equal", 6400, 3, tied(stream, [3, 6400], [0.5])],
    ["without an end", 8192, 4, tied(stream, [4, 8192], [-Infinity, -Infinity, -Infinity, 3])],
    [
      "hardly any end",
      8192,
      4,
      hostArray("float32", [1, 8192], new Float32Array(8192).fill(-Infinity)),
    ],
    ["the first", 2048, 1, tied(stream, [20, 2048])],
    [
      "a row",
      65_536,
      32,
      tied(
        stream,
        [1, 65_536],
        Array.from({ length: 9000 }, (_, i) => i / 7),
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
    const x = tied(stream, [2, 2, 6400], [-3, -2, 0, 5]);
    const fn = (y: A) => np.argsort(y).slice([], [], [0, 3]);
    await expectSame(fn, [x], 0);
    expect(await operations(fn, spec(...x.shape))).toContain("ReduceMin");
  });
  test("not where rows are short, or cannot be cut into blocks", () => {
    expect(blockOf(4096, 10)).toBeUndefined();
    expect(blockOf(50_021, 20)).toBeUndefined(); // a prime
    expect(blockOf(50_000, 20)).toBe(50);
  });
});
