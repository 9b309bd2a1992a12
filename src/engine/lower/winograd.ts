import type { Context } from "./context.ts";
import { featureFromPixels, featurePixels } from "./poly.ts";
import type { Feature } from "./value.ts";

/**
 * Winograd's minimal filtering F(4×4, 3×3) for convolutions of stride 1 and padding 1 (Lavin & Gray
 * 2016, arXiv:1509.09308): 36 products of matrices instead of 9 · 16, with interpolation points
 * 0, ±1, ±2, ∞. The transforms are products with constant matrices. Relative errors are some 1e-6,
 * about ten times those of a direct convolution.
 */
const TILE = 4;
const INPUT = 6;
const KERNEL = 3;

const B = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
const G = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];
const A = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

/** The Kronecker product of a matrix with itself, flat: the transform of rows and columns at once. */
function kronecker(m: number[][]): number[] {
  return m.flatMap((row) => m.flatMap((other) => row.flatMap((x) => other.map((y) => x * y))));
}

function transposed(m: number[][]): number[][] {
  return m[0].map((_, j) => m.map((row) => row[j]));
}

/** Whether a convolution of these sizes can be computed so. */
export function winogradFits(shape: readonly number[], block: number): boolean {
  const [, c, h, w] = shape;
  return block > 0 && c % block === 0 && h % TILE === 0 && w % TILE === 0;
}

function sizes([n, c, h, w]: readonly number[]) {
  return { n, c, h, w, down: h / TILE, across: w / TILE, tiles: (n * h * w) / TILE ** 2 };
}

/** For every position in a 6×6 input tile and every tile, the row of padded pixels it reads. */
function tileIndices(shape: readonly number[]): Int32Array {
  const { n, h, w, down, across, tiles } = sizes(shape);
  const [rows, columns] = [h + 2, w + 2];
  const indices = new Int32Array(INPUT * INPUT * tiles);
  let next = 0;
  for (let a = 0; a < INPUT; a++) {
    for (let b = 0; b < INPUT; b++) {
      for (let image = 0; image < n; image++) {
        for (let y = 0; y < down; y++) {
          const line = (image * rows + TILE * y + a) * columns + b;
          for (let x = 0; x < across; x++) indices[next++] = line + TILE * x;
        }
      }
    }
  }
  return indices;
}

/** The transformed input tiles of a feature map: [36, tiles, C], computed once. */
function inputTiles(ctx: Context, x: Feature): string {
  return ctx.once(`tiles${x.id}`, () => {
    const { n, c, h, w, tiles } = sizes(x.shape);
    const ones = ctx.graph.constant("float32", [c, 1, 1, 1], 1);
    const padded = ctx.emit(
      "Conv",
      [x.name, ones],
      { group: c, kernel_shape: [1, 1], pads: [1, 1, 1, 1], strides: [1, 1], dilations: [1, 1] },
      "com.microsoft.nchwc",
    );
    const pixels = featurePixels(ctx, ctx.feature(padded, [n, c, h + 2, w + 2]));
    const indices = tileIndices(x.shape);
    const index = ctx.graph.constant("int32", [indices.length], indices);
    const gathered = ctx.emit("Gather", [pixels, index], { axis: 0 }); // [36 · tiles, C]
    const matrix = ctx.graph.constant("float32", [INPUT, INPUT], B.flat());
    const rows = ctx.emit("MatMul", [matrix, ctx.reshape(gathered, [INPUT, INPUT * tiles * c])]);
    const both = ctx.emit("MatMul", [matrix, ctx.reshape(rows, [INPUT, INPUT, tiles * c])]);
    return ctx.reshape(both, [INPUT * INPUT, tiles, c]);
  });
}

/** Kernels [O, C, 3, 3] transformed to [36, O, C]; `turned` takes them rotated by half a turn. */
function kernelTiles(
  ctx: Context,
  name: string,
  [o, c]: readonly number[],
  turned: boolean,
): string {
  const transform = kronecker(G);
  const taps = KERNEL * KERNEL;
  const values = turned
    ? transform.map((_, i) => transform[i - (i % taps) + taps - 1 - (i % taps)])
    : transform;
  const matrix = ctx.graph.constant("float32", [INPUT * INPUT, taps], values);
  const flat = ctx.reshape(name, [o * c, taps]);
  const product = ctx.emit("FusedMatMul", [matrix, flat], { transB: 1 }, "com.microsoft");
  return ctx.reshape(product, [INPUT * INPUT, o, c]);
}

/** Products [36, tiles, O] back to a feature map. */
function outputOf(ctx: Context, products: string, shape: readonly number[]): Feature {
  const { n, c, h, w, down, across, tiles } = sizes(shape);
  const matrix = ctx.graph.constant("float32", [TILE * TILE, INPUT * INPUT], kronecker(A));
  const values = ctx.emit("MatMul", [matrix, ctx.reshape(products, [INPUT * INPUT, tiles * c])]);
  const apart = ctx.reshape(values, [TILE, TILE, n * down, across, c]);
  const together = ctx.reshape(ctx.transpose(apart, [2, 0, 3, 1, 4]), [n, h, w, c]);
  return featureFromPixels(ctx, together, shape);
}

/**
 * The convolution of x with kernels given as [O, C, 3, 3]; or, where `turned`, the input gradient:
 * x is the output's gradient [N, O, H, W] and the result has the C channels of the input.
 */
export function winogradConvolution(
  ctx: Context,
  x: Feature,
  kernel: { name: string; shape: readonly number[] },
  turned: boolean,
  shape: readonly number[],
): Feature {
  const tiles = inputTiles(ctx, x);
  const kernels = kernelTiles(ctx, kernel.name, kernel.shape, turned);
  const products = turned
    ? ctx.emit("MatMul", [tiles, kernels])
    : ctx.emit("FusedMatMul", [tiles, kernels], { transB: 1 }, "com.microsoft");
  return outputOf(ctx, products, shape);
}

/** The weight gradient [O, C, 3, 3], from the input [N, C, H, W] and the output's gradient [N, O, H, W]. */
export function winogradWeightGradient(ctx: Context, x: Feature, gradient: Feature): string {
  const { c: o, down, across, n, tiles } = sizes(gradient.shape);
  const apart = ctx.reshape(featurePixels(ctx, gradient), [n * down, TILE, across, TILE, o]);
  const values = ctx.reshape(ctx.transpose(apart, [1, 3, 0, 2, 4]), [TILE * TILE, tiles * o]);
  const spread = ctx.graph.constant(
    "float32",
    [INPUT * INPUT, TILE * TILE],
    kronecker(transposed(A)),
  );
  const outputs = ctx.reshape(ctx.emit("MatMul", [spread, values]), [INPUT * INPUT, tiles, o]);
  const inputs = inputTiles(ctx, x);
  const fused = "com.microsoft";
  const products = ctx.emit("FusedMatMul", [outputs, inputs], { transA: 1 }, fused); // [36, O, C]
  const channels = x.shape[1];
  const matrix = ctx.graph.constant("float32", [INPUT * INPUT, KERNEL * KERNEL], kronecker(G));
  const flat = ctx.reshape(products, [INPUT * INPUT, o * channels]);
  const taps = ctx.emit("FusedMatMul", [flat, matrix], { transA: 1 }, fused); // [O · C, 9]
  return ctx.reshape(taps, [o, channels, KERNEL, KERNEL]);
}
