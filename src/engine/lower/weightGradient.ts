import { convolve, everyNth, isWinograd, NCHWC } from "./blocked.ts";
import type { Context } from "./context.ts";
import { cropped, flatPads, type Geometry } from "./padding.ts";
import { densePoly, featurePixels, plainFeature } from "./poly.ts";
import { type Poly, type Value, wholeView } from "./value.ts";
import { winogradWeightGradient } from "./winograd.ts";

/** x [N, C, H, W] as features of the channels' images: [C, N, H + padding, W + padding]. */
function imagesAsChannels(ctx: Context, x: Value, padding: Geometry["padding"]): string {
  const source = x.kind === "permuted" ? plainFeature(ctx, densePoly(ctx, x.of)) : undefined;
  const swapped = source === undefined ? ctx.plain(x) : ctx.transpose(source, [1, 0, 2, 3]);
  const blocked = ctx.emit("ReorderInput", [swapped], {}, NCHWC);
  if (padding.flat().every((p) => p === 0)) return blocked;
  const images = x.shape[1];
  const ones = ctx.graph.constant("float32", [images, 1, 1, 1], 1);
  return ctx.emit(
    "Conv",
    [blocked, ones],
    {
      group: images,
      kernel_shape: [1, 1],
      pads: flatPads(padding),
      strides: [1, 1],
      dilations: [1, 1],
    },
    NCHWC,
  );
}

/** The weight gradient of a 1×1 convolution: one product of matrices. [C, O, 1, 1]. */
function pointwiseWeightGradient(
  ctx: Context,
  x: Poly,
  gradient: Poly,
  strides: readonly number[],
): Value | undefined {
  const { block } = ctx.target;
  const [c, o] = [x.shape[1], gradient.shape[1]];
  if (c % block !== 0 || o % block !== 0) return undefined;
  const input = featurePixels(ctx, everyNth(ctx, densePoly(ctx, x), strides));
  const output = featurePixels(ctx, densePoly(ctx, gradient));
  const product = ctx.emit("FusedMatMul", [input, output], { transA: 1 }, "com.microsoft");
  return wholeView(ctx.reshape(product, [c, o, 1, 1]), [c, o, 1, 1], "float32");
}

/** Whether a weight gradient is that of a convolution as `isWinograd` has it. */
function isWinogradGradient(ctx: Context, [x, kernel]: Value[], geometry: Geometry): boolean {
  const { block } = ctx.target;
  if (x.kind !== "permuted" || kernel.kind !== "permuted") return false;
  const channels = [x.shape[0], kernel.shape[0]].every((c) => block > 0 && c % block === 0);
  const same = x.of.shape.slice(2).every((size, i) => size === kernel.of.shape[2 + i]);
  return channels && same && isWinograd(ctx, geometry, x.of.shape, [0, 0, 3, 3]);
}

/**
 * A weight gradient as a blocked convolution in which images play the part of channels: the input
 * [C, N, H, W] with the output's gradient [O, N, h, w] as its kernel gives [C, O, k, k].
 */
function blockedWeightGradient(
  ctx: Context,
  [x, kernel]: Value[],
  geometry: Geometry,
  shape: readonly number[],
  way: string,
): Value | undefined {
  const { block } = ctx.target;
  const [o, n, kh, kw] = kernel.shape;
  if (block === 0 || o % block !== 0 || kernel.kind !== "permuted") return undefined;
  if (
    shape[2] * shape[3] === 1 &&
    x.kind === "permuted" &&
    geometry.padding.flat().every((p) => p <= 0)
  ) {
    const product = pointwiseWeightGradient(ctx, x.of, kernel.of, geometry.rhsDilation);
    if (product) return product;
  }
  if (way === "winograd" && x.kind === "permuted") {
    const [from, to] = [densePoly(ctx, x.of), densePoly(ctx, kernel.of)];
    const name = winogradWeightGradient(ctx, from, to);
    const whole = wholeView(name, [o, x.shape[0], 3, 3], x.dtype);
    return { ...whole, axes: [1, 0, 2, 3], shape };
  }
  if (n % block !== 0 || way !== "blocked") return undefined;
  const gradient = densePoly(ctx, kernel.of).name; // [N, O, h, w]
  const apart = ctx.reshape(gradient, [n / block, block, o / block, kh * kw, block]);
  const weights = ctx.reshape(ctx.transpose(apart, [2, 0, 3, 1, 4]), kernel.shape);
  const padding = geometry.padding.map(
    ([low, high]) => [Math.max(low, 0), Math.max(high, 0)] as const,
  );
  const input = imagesAsChannels(ctx, x, padding);
  const made = [2, 3].map((axis, i) => {
    const reach = (kernel.shape[axis] - 1) * geometry.rhsDilation[i] + 1;
    return x.shape[axis] + padding[i][0] + padding[i][1] - reach + 1;
  });
  if (geometry.strides.some((s) => s !== 1)) return undefined;
  const name = convolve(ctx, input, weights, {
    kernel: [kh, kw],
    padding: [
      [0, 0],
      [0, 0],
    ],
    strides: [1, 1],
    dilations: geometry.rhsDilation,
  });
  const feature = ctx.feature(name, [shape[0], o, ...made]);
  const plain = plainFeature(ctx, feature);
  const starts = geometry.padding.map(([low]) => Math.max(-low, 0));
  const exact = made.every((size, i) => size === shape[2 + i]);
  const ends = starts.map((start, i) => start + shape[2 + i]);
  const { graph } = ctx;
  const cut = exact
    ? plain
    : ctx.emit("Slice", [plain, graph.ints(starts), graph.ints(ends), graph.ints([2, 3])]);
  return wholeView(cut, shape, x.dtype);
}

/**
 * A weight gradient as a convolution over three axes, so that ONNX Runtime unfolds what it needs in
 * its caches: channels of the input are its innermost axis, images and positions are what it sums.
 * x [C, N, H, W] and its kernel, the output's gradient [O, N, h, w], give [C, O, k, k].
 */
function volumeWeightGradient(
  ctx: Context,
  [x, kernel]: Value[],
  geometry: Geometry,
  shape: readonly number[],
): Value {
  const [c, n, h, w] = x.shape;
  const [o, , kh, kw] = kernel.shape;
  const { name, padding } = cropped(ctx, ctx.plain(x), x.shape, geometry.padding);
  const size = [h, w].map(
    (s, i) => s + Math.min(0, geometry.padding[i][0]) + Math.min(0, geometry.padding[i][1]),
  );
  const innermost = ctx.reshape(ctx.transpose(name, [1, 2, 3, 0]), [1, n, ...size, c]);
  const [[top, bottom], [left, right]] = padding;
  const gradient = ctx.emit(
    "Conv",
    [innermost, ctx.reshape(ctx.plain(kernel), [o, n, kh, kw, 1])],
    {
      kernel_shape: [kh, kw, 1],
      pads: [top, left, 0, bottom, right, 0],
      strides: [...geometry.strides, 1],
      dilations: [...geometry.rhsDilation, 1],
    },
  ); // [1, O, k, k, C]
  const moved = ctx.transpose(gradient, [0, 4, 1, 2, 3]);
  return wholeView(ctx.reshape(moved, shape), shape, x.dtype);
}

/** A weight gradient, in the way that is fastest for its sizes. */
export function weightGradient(
  ctx: Context,
  operands: Value[],
  geometry: Geometry,
  shape: readonly number[],
): Value {
  const [x, kernel] = operands;
  const block = ctx.target.block > 0 && kernel.kind === "permuted" ? ["blocked"] : [];
  const winograd = isWinogradGradient(ctx, operands, geometry) ? ["winograd"] : [];
  const key = [...x.shape, ...kernel.shape, ...geometry.rhsDilation, ...geometry.padding.flat()];
  const way = ctx.target.choose("weightGradient", key, [...block, ...winograd, "volume"]);
  const blocked =
    way === "volume" ? undefined : blockedWeightGradient(ctx, operands, geometry, shape, way);
  return blocked ?? volumeWeightGradient(ctx, operands, geometry, shape);
}
