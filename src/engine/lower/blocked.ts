import type { Context } from "./context.ts";
import { flatPads, type Geometry } from "./padding.ts";
import { densePoly, featureOf, polyOf } from "./poly.ts";
import type { Feature, Poly, Value } from "./value.ts";
import { winogradConvolution, winogradFits } from "./winograd.ts";

/**
 * Convolutions in ONNX Runtime's blocked layout (domain com.microsoft.nchwc). Its graph optimiser
 * uses them for constant weights only; here the weights are brought into their layout on the way,
 * which costs little, because weights are small beside feature maps.
 */
export const NCHWC = "com.microsoft.nchwc";

type Convolving = {
  kernel: readonly number[];
  padding: Geometry["padding"];
  strides: readonly number[];
  dilations: readonly number[];
};

export function convolve(ctx: Context, x: string, weights: string, shape: Convolving): string {
  const { kernel, padding, strides, dilations } = shape;
  return ctx.emit(
    "Conv",
    [x, weights],
    { kernel_shape: kernel, pads: flatPads(padding), strides, dilations, group: 1 },
    NCHWC,
  );
}

/** A plain array [batch, channels, any] with its channels in blocks: [batch, channels/block, any, block]. */
function intoBlocks(
  ctx: Context,
  name: string,
  batch: number,
  channels: number,
  rest: number,
): string {
  const { block } = ctx.target;
  const inner = rest % block === 0 ? block : 1;
  return ctx.emit(
    "ReorderInput",
    [ctx.reshape(name, [batch, channels, rest / inner, inner])],
    {},
    NCHWC,
  );
}

/** Weights [O, I, kh, kw] as [O/b, I/b, kh, kw, b of I, b of O]; with fewer than a block of I as [O/b, I, kh, kw, b]. */
function blockedWeights(ctx: Context, weights: Value): string {
  const { block } = ctx.target;
  const [o, i, kh, kw] = weights.shape;
  const taps = kh * kw;
  const columns = intoBlocks(ctx, ctx.plain(weights), o / block, block, i * taps);
  if (i < block || taps === 1) return ctx.reshape(columns, weights.shape);
  const apart = ctx.reshape(columns, [o / block, i / block, block, taps, block]);
  return ctx.reshape(ctx.transpose(apart, [0, 1, 3, 2, 4]), weights.shape);
}

/** The same for weights whose two channel axes are to be swapped, given as they are: [I, O, kh, kw]. */
function swappedWeights(ctx: Context, name: string, [i, o, kh, kw]: readonly number[]): string {
  const { block } = ctx.target;
  const columns = intoBlocks(ctx, name, i, o, kh * kw);
  const apart = ctx.reshape(columns, [i / block, block, o / block, kh * kw, block]);
  return ctx.transpose(apart, [2, 0, 3, 1, 4]);
}

/** Some of the taps of swapped weights, in the order given. */
function someTaps(ctx: Context, weights: string, taps: number[], all: number): string {
  const same = taps.length === all && taps.every((tap, i) => tap === i);
  return same ? weights : ctx.emit("Gather", [weights, ctx.graph.ints(taps)], { axis: 2 });
}

/** [O, I, kh, kw] made from another array by swapping the channel axes and turning the kernel round. */
function turnedKernel(ctx: Context, kernel: Value): { name: string; shape: number[] } | undefined {
  if (kernel.kind !== "flipped" || [...kernel.axes].sort().join() !== "2,3") return undefined;
  const { of } = kernel;
  if (of.kind !== "view" || of.axes.join() !== "1,0,2,3") return undefined;
  return { name: of.base, shape: of.axes.map((_, i) => of.baseShape[i]) };
}

function inputOf(ctx: Context, x: Value): { name: string; channels: number } | undefined {
  const { block } = ctx.target;
  const channels = x.shape[1];
  if (channels < block) return { name: ctx.plain(x), channels };
  if (channels % block !== 0) return undefined;
  return { name: asFeature(ctx, x).name, channels };
}

function asFeature(ctx: Context, x: Value): Feature {
  return x.kind === "poly" ? densePoly(ctx, x) : featureOf(ctx, ctx.plain(x), x.shape);
}

const isNegative = (padding: Geometry["padding"]) => padding.some((pair) => Math.min(...pair) < 0);

/** Every s-th row and column of a feature map, from the first: all that a 1×1 convolution of stride s reads. */
export function everyNth(ctx: Context, x: Feature, strides: readonly number[]): Feature {
  if (strides.every((s) => s === 1)) return x;
  const { block } = ctx.target;
  const ints = (values: number[]) => ctx.graph.ints(values);
  const [n, c, h, w] = x.shape;
  const lines = ctx.reshape(x.name, [(n * c) / block, h, w, block]);
  const cut = ctx.emit("Slice", [
    lines,
    ints([0, 0]),
    ints([h, w]),
    ints([1, 2]),
    ints([...strides]),
  ]);
  const shape = [n, c, Math.ceil(h / strides[0]), Math.ceil(w / strides[1])];
  return ctx.feature(ctx.reshape(cut, shape), shape);
}

const everywhere = (values: readonly number[], value: number) => values.every((v) => v === value);

/** Whether a convolution is one of 3×3 with stride 1 and padding 1 whose sizes Winograd's tiles fit. */
export function isWinograd(
  ctx: Context,
  { strides, padding, rhsDilation, lhsDilation }: Geometry,
  x: readonly number[],
  kernel: readonly number[],
): boolean {
  const unit = everywhere([...strides, ...rhsDilation, ...lhsDilation], 1);
  const same = everywhere(padding.flat(), 1) && everywhere(kernel.slice(2), 3);
  return unit && same && winogradFits(x, ctx.target.block);
}

/** A convolution forward, or the input gradient of one with stride 1. */
export function blockedConvolution(
  ctx: Context,
  x: Value,
  kernel: Value,
  geometry: Geometry,
  shape: readonly number[],
): Poly | undefined {
  const { block } = ctx.target;
  const [o, i, kh, kw] = kernel.shape;
  const fits = o % block === 0 && (i % block === 0 || i < block);
  if (!fits || isNegative(geometry.padding)) return undefined;
  const pointwise =
    kh * kw === 1 && i % block === 0 && geometry.padding.flat().every((p) => p === 0);
  const input = pointwise
    ? { name: everyNth(ctx, asFeature(ctx, x), geometry.strides).name }
    : inputOf(ctx, x);
  if (input === undefined) return undefined;
  const turned = i % block === 0 ? turnedKernel(ctx, kernel) : undefined;
  if (isWinograd(ctx, geometry, x.shape, kernel.shape) && i % block === 0) {
    const way = ctx.target.choose(
      "convolution",
      [...x.shape, o, Number(!!turned)],
      ["direct", "winograd"],
    );
    if (way === "winograd") {
      const weights = turned ?? { name: ctx.plain(kernel), shape: kernel.shape };
      return polyOf(
        winogradConvolution(ctx, asFeature(ctx, x), weights, turned !== undefined, shape),
      );
    }
  }
  const taps = Array.from({ length: kh * kw }, (_, tap) => kh * kw - 1 - tap);
  const weights = turned
    ? ctx.reshape(
        someTaps(ctx, swappedWeights(ctx, turned.name, turned.shape), taps, taps.length),
        kernel.shape,
      )
    : blockedWeights(ctx, kernel);
  const name = convolve(ctx, input.name, weights, {
    kernel: [kh, kw],
    padding: geometry.padding,
    strides: pointwise ? [1, 1] : geometry.strides,
    dilations: geometry.rhsDilation,
  });
  return polyOf(ctx.feature(name, shape));
}

type Phase = { taps: number[]; padding: readonly [number, number]; count: number };

/** Along one axis: which taps of the kernel meet the input at output positions a, a + s, a + 2s, … */
function phases(
  size: number,
  kernel: number,
  low: number,
  stride: number,
  output: number,
): Phase[] {
  return Array.from({ length: stride }, (_, a) => {
    const first = (((low - a) % stride) + stride) % stride;
    const taps = Array.from({ length: kernel }, (_, t) => t).filter(
      (t) => t >= first && (t - first) % stride === 0,
    );
    const count = Math.ceil((output - a) / stride);
    const before = (low - a - first) / stride;
    return { taps, padding: [before, count - size - before + taps.length - 1] as const, count };
  });
}

/** Arrays [outer, inner] of each phase, interleaved to [outer, phases · inner]. */
function interleave(ctx: Context, names: string[], outer: number, inner: number): string {
  const apart = names.map((name) => ctx.reshape(name, [outer, 1, inner]));
  return ctx.emit("Concat", apart, { axis: 1 });
}

/**
 * The input gradient of a strided convolution. Instead of multiplying with the zeros between the
 * elements of x, one small convolution for each residue of the output position, then interleaved.
 */
export function blockedInputGradient(
  ctx: Context,
  x: Value,
  kernel: Value,
  geometry: Geometry,
  shape: readonly number[],
): Poly | undefined {
  const { block } = ctx.target;
  const [n, o, h, w] = shape;
  const [sh, sw] = geometry.lhsDilation;
  const [kh, kw] = kernel.shape.slice(2);
  const plainStrides = [...geometry.strides, ...geometry.rhsDilation].every((s) => s === 1);
  const turned = turnedKernel(ctx, kernel);
  const even = h % sh === 0 && w % sw === 0;
  if (!turned || !plainStrides || !even || o % block !== 0 || x.shape[1] % block !== 0)
    return undefined;
  const rows = phases(x.shape[2], kh, geometry.padding[0][0], sh, h);
  const columns = phases(x.shape[3], kw, geometry.padding[1][0], sw, w);
  if (
    isNegative(
      [...rows, ...columns].filter(({ taps }) => taps.length > 0).map(({ padding }) => padding),
    )
  )
    return undefined;
  const input = asFeature(ctx, x).name;
  const weights = swappedWeights(ctx, turned.name, turned.shape);
  const part = (row: Phase, column: Phase): string => {
    const size = [n, o, row.count, column.count];
    if (row.taps.length === 0 || column.taps.length === 0) {
      return ctx.emit("Expand", [ctx.graph.constant("float32", [], 0), ctx.graph.ints(size)]);
    }
    const taps = row.taps.flatMap((r) => column.taps.map((c) => kh * kw - 1 - (r * kw + c)));
    const some = someTaps(ctx, weights, taps, kh * kw);
    const kernelShape = [row.taps.length, column.taps.length];
    return convolve(ctx, input, ctx.reshape(some, [o, x.shape[1], ...kernelShape]), {
      kernel: kernelShape,
      padding: [row.padding, column.padding],
      strides: [1, 1],
      dilations: [1, 1],
    });
  };
  const lines = rows.map((row) => {
    const parts = columns.map((column) => part(row, column));
    return interleave(ctx, parts, (n * o * (h / sh) * (w / sw)) / block, block);
  });
  const whole = interleave(ctx, lines, (n * o * (h / sh)) / block, w * block);
  return polyOf(ctx.feature(ctx.reshape(whole, shape), shape));
}
