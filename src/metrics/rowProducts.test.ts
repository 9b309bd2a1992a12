import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { randomStream } from "../core/random.ts";
import { simdRowProducts } from "./createRowProducts.ts";
import { plainRowProducts } from "./rowProducts.ts";

const size = (max: number) => fc.integer({ min: 1, max });

describe.each([
  { name: "plain", make: plainRowProducts },
  { name: "SIMD", make: simdRowProducts },
])("$name row products", ({ make }) => {
  it("are the inner products of all rows, at any size", () => {
    fc.assert(
      fc.property(size(40), size(9), size(11), (dimension, countA, countB) => {
        const stream = randomStream(dimension, countA, countB);
        const { a, b, out, stride, multiply } = make(dimension, countA, countB);
        const fill = (rows: Float32Array, count: number) => {
          for (let i = 0; i < count; i++)
            for (let e = 0; e < dimension; e++) rows[i * stride + e] = stream.normal();
        };
        fill(a, countA);
        fill(b, countB);
        multiply(countA);
        const width = b.length / stride;
        for (let i = 0; i < countA; i++) {
          for (let j = 0; j < countB; j++) {
            let expected = 0;
            for (let e = 0; e < dimension; e++) expected += a[i * stride + e] * b[j * stride + e];
            expect(out[i * width + j]).toBeCloseTo(expected, 4);
          }
        }
      }),
    );
  });

  it("leave the rows after the ones asked for alone", () => {
    const { a, b, out, multiply } = make(4, 6, 4);
    a.fill(1);
    b.fill(2);
    multiply(3); // in whole tiles: 4 rows
    expect([...out]).toEqual([...new Array<number>(16).fill(8), ...new Array<number>(8).fill(0)]);
  });
});
