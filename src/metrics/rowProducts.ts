/**
 * A bench for inner products of rows: fill `a` and `b`, call `multiply`, read `out`.
 *
 * Rows are `stride` floats apart; what lies beyond the dimension must stay zero. Every product is summed
 * in the same order wherever its rows lie, so equal rows give equal products.
 */
export type RowProducts = {
  readonly stride: number;
  readonly a: Float32Array; // [rows of a, stride]
  readonly b: Float32Array; // [rows of b, stride]
  readonly out: Float32Array; // [rows of a, rows of b]
  /** out[i, j] = aᵢ · bⱼ for the first `rows` rows of a and all rows of b. */
  readonly multiply: (rows: number) => void;
};

/** Rows of a and of b that one pass takes together. */
export const TILE = { a: 2, b: 4 } as const;

const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;

/** Sizes as the kernels need them: rows in whole tiles, row length in whole vectors of four floats. */
export function paddedSizes(dimension: number, rowsA: number, rowsB: number) {
  return {
    stride: roundUp(dimension, 4),
    rowsA: roundUp(rowsA, TILE.a),
    rowsB: roundUp(rowsB, TILE.b),
  };
}

function tile({ a, b, out, stride }: RowProducts, rowsB: number, i: number, j: number): void {
  const a0 = i * stride;
  const a1 = a0 + stride;
  const b0 = j * stride;
  const b1 = b0 + stride;
  const b2 = b1 + stride;
  const b3 = b2 + stride;
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  for (let e = 0; e < stride; e++) {
    const u = a[a0 + e];
    const v = a[a1 + e];
    const w = b[b0 + e];
    const x = b[b1 + e];
    const y = b[b2 + e];
    const z = b[b3 + e];
    s00 += u * w;
    s01 += u * x;
    s02 += u * y;
    s03 += u * z;
    s10 += v * w;
    s11 += v * x;
    s12 += v * y;
    s13 += v * z;
  }
  out.set([s00, s01, s02, s03], i * rowsB + j);
  out.set([s10, s11, s12, s13], (i + 1) * rowsB + j);
}

/** Row products in plain JavaScript: two rows of a against four of b at a time, summed in float64. */
export function plainRowProducts(dimension: number, countA: number, countB: number): RowProducts {
  const { stride, rowsA, rowsB } = paddedSizes(dimension, countA, countB);
  const products: RowProducts = {
    stride,
    a: new Float32Array(rowsA * stride),
    b: new Float32Array(rowsB * stride),
    out: new Float32Array(rowsA * rowsB),
    multiply: (rows) => {
      for (let i = 0; i < rows; i += TILE.a) {
        for (let j = 0; j < rowsB; j += TILE.b) tile(products, rowsB, i, j);
      }
    },
  };
  return products;
}
