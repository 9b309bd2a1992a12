import { blockedConvolution, blockedInputGradient } from "./blocked.ts";
import type { Context } from "./context.ts";
import { cropped, flatPads, type Geometry } from "./padding.ts";
import type { Rule, Rules } from "./rule.ts";
import { type Value, wholeView } from "./value.ts";
import { weightGradient } from "./weightGradient.ts";

type Operand = { name: string; shape: readonly number[] };

function forward(
  ctx: Context,
  x: Operand,
  kernel: Operand,
  geometry: Geometry,
  group: number,
): string {
  const { name, padding } = cropped(ctx, x.name, x.shape, geometry.padding);
  return ctx.emit("Conv", [name, kernel.name], {
    pads: flatPads(padding),
    strides: geometry.strides,
    dilations: geometry.rhsDilation,
    kernel_shape: kernel.shape.slice(2),
    group,
  });
}

/** x with zeros between its elements along the spatial axes. */
function stuffed(ctx: Context, x: Operand, dilation: readonly number[]): Operand {
  const [n, c, ...spatial] = x.shape;
  const apart = ctx.reshape(x.name, [n, c, ...spatial.flatMap((size) => [size, 1])]);
  const behind = [0, 0, ...dilation.flatMap((d) => [0, d - 1])];
  const pads = ctx.graph.ints([...behind.map(() => 0), ...behind]);
  const zero = ctx.graph.constant("float32", [], 0);
  const filled = ctx.emit("Pad", [apart, pads, zero]);
  const shape = [n, c, ...spatial.map((size, i) => size * dilation[i])];
  return { name: ctx.reshape(filled, shape), shape };
}

/** A convolution of an input with zeros between its elements, as those zeros written out. */
function dilatedInput(
  ctx: Context,
  x: Operand,
  kernel: Operand,
  geometry: Geometry,
  group: number,
): string {
  const wide = stuffed(ctx, x, geometry.lhsDilation);
  const padding = geometry.padding.map(
    ([low, high], i) => [low, high - (geometry.lhsDilation[i] - 1)] as const,
  );
  return forward(ctx, wide, kernel, { ...geometry, padding }, group);
}

/** The same as a transposed convolution, where the padding allows; the kernel comes as [O, C, …]. */
function transposed(
  ctx: Context,
  x: Operand,
  kernel: Value,
  geometry: Geometry,
  spatial: readonly number[],
): string | undefined {
  const size = kernel.shape.slice(2);
  const full = x.shape.slice(2).map((s, i) => (s - 1) * geometry.lhsDilation[i] + size[i]);
  const low = size.map((k, i) => k - 1 - geometry.padding[i][0]);
  const high = full.map((f, i) => f - low[i] - spatial[i]);
  const plainStrides = [...geometry.strides, ...geometry.rhsDilation].every((s) => s === 1);
  const fits = high.every((h, i) => -h < geometry.lhsDilation[i]);
  if (!plainStrides || low.some((l) => l < 0) || !fits) return undefined;
  const axes = size.map((_, i) => 2 + i);
  const turned =
    kernel.kind === "flipped" && axes.every((axis) => kernel.axes.includes(axis))
      ? ctx.plain(kernel.of)
      : ctx.reverse(ctx.plain(kernel), axes);
  const swapped = ctx.transpose(turned, [1, 0, ...axes]);
  return ctx.emit("ConvTranspose", [x.name, swapped], {
    strides: geometry.lhsDilation,
    pads: [...low, ...high.map((h) => Math.max(h, 0))],
    output_padding: high.map((h) => Math.max(-h, 0)),
    kernel_shape: size,
  });
}

/** [G, N, C/G, …] as [N, C, …]: the groups of channels side by side. */
function grouped(ctx: Context, value: Value, batchFirst: boolean): Operand {
  const [g, n, c, ...rest] = value.shape;
  const axes = value.shape.map((_, i) => i);
  const name = batchFirst
    ? ctx.transpose(ctx.plain(value), [1, 0, ...axes.slice(2)])
    : ctx.plain(value);
  const shape = batchFirst ? [n, g * c, ...rest] : [g * n, c, ...rest];
  return { name: ctx.reshape(name, shape), shape };
}

function groupedConvolution(
  ctx: Context,
  [x, kernel]: Value[],
  geometry: Geometry,
  shape: readonly number[],
): Value {
  const groups = Math.max(x.shape[0], kernel.shape[0]);
  const spread = (value: Value): Value =>
    value.shape[0] === groups
      ? value
      : wholeView(
          ctx.emit("Expand", [ctx.plain(value), ctx.graph.ints([groups, ...value.shape.slice(1)])]),
          [groups, ...value.shape.slice(1)],
          value.dtype,
        );
  const input = grouped(ctx, spread(x), true);
  const weights = grouped(ctx, spread(kernel), false);
  const dilated = geometry.lhsDilation.some((d) => d > 1);
  const name = (dilated ? dilatedInput : forward)(ctx, input, weights, geometry, groups);
  const [, n, o, ...rest] = shape;
  const apart = ctx.reshape(name, [n, groups, o, ...rest]);
  return wholeView(
    ctx.transpose(apart, [1, 0, ...shape.map((_, i) => i).slice(2)]),
    shape,
    x.dtype,
  );
}

function isSwapped(value: Value): boolean {
  const perm = value.kind === "permuted" ? value.perm : value.kind === "view" ? value.axes : [];
  return perm.join() === "1,0,2,3";
}

const conv: Rule = (ctx, [x, kernel], params, [shape]) => {
  const geometry = params as Geometry & { vmapDims: number };
  if (geometry.vmapDims > 1) {
    const flat = (v: Value): Value => {
      const [a, b, ...rest] = v.shape;
      return wholeView(ctx.reshape(ctx.plain(v), [a * b, ...rest]), [a * b, ...rest], v.dtype);
    };
    const [a, b, ...rest] = shape;
    const inner = conv(
      ctx,
      [flat(x), flat(kernel)],
      { ...params, vmapDims: geometry.vmapDims - 1 },
      [[a * b, ...rest]],
    );
    return [wholeView(ctx.reshape(ctx.plain(inner[0]), shape), shape, x.dtype)];
  }
  if (geometry.vmapDims === 1) return [groupedConvolution(ctx, [x, kernel], geometry, shape)];
  const flat = geometry.lhsDilation.every((d) => d === 1);
  const planar = shape.length === 4 && x.dtype === "float32";
  if (flat && planar && ctx.target.fused && isSwapped(x) && isSwapped(kernel)) {
    return [weightGradient(ctx, [x, kernel], geometry, shape)];
  }
  if (planar && ctx.target.block > 0) {
    const blocked = flat
      ? blockedConvolution(ctx, x, kernel, geometry, shape)
      : blockedInputGradient(ctx, x, kernel, geometry, shape);
    if (blocked) return [blocked];
  }
  const input = { name: ctx.plain(x), shape: x.shape };
  const weights = () => ({ name: ctx.plain(kernel), shape: kernel.shape });
  const name = flat
    ? forward(ctx, input, weights(), geometry, 1)
    : (transposed(ctx, input, kernel, geometry, shape.slice(2)) ??
      dilatedInput(ctx, input, weights(), geometry, 1));
  return [wholeView(name, shape, x.dtype)];
};

/** Convolutions and both their gradients, which jax-js writes as convolutions too. */
export const convolutionRules: Rules = { conv };
