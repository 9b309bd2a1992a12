import { sizeOf } from "../../core/arrays.ts";
import { type Context, graphType } from "./context.ts";
import { densePoly, polyOf } from "./poly.ts";
import type { Rule, Rules } from "./rule.ts";
import { type Value, wholeView, type Windows } from "./value.ts";

/** For each output position and offset in the window, the index into the flattened input. */
function windowIndices(
  input: number[],
  window: readonly number[],
  strides: readonly number[],
): number[] {
  const output = input.map((size, i) => Math.ceil((size - window[i] + 1) / strides[i]));
  let indices = [0];
  const all = [...output.map((count, i) => ({ count, axis: i, step: strides[i] }))];
  const steps = [...all, ...window.map((count, i) => ({ count, axis: i, step: 1 }))];
  const pitch = input.map((_, i) => sizeOf(input.slice(i + 1)));
  for (const { count, axis, step } of steps) {
    indices = indices.flatMap((base) =>
      Array.from({ length: count }, (_, i) => base + i * step * pitch[axis]),
    );
  }
  return indices;
}

/** The windows themselves, as an array [..., output positions, window]. */
export function plainWindows(ctx: Context, { of, window, strides, shape }: Windows): string {
  const rank = window.length;
  const lead = of.shape.slice(0, of.shape.length - rank);
  const input = of.shape.slice(of.shape.length - rank);
  const flat = ctx.reshape(ctx.plain(of), [sizeOf(lead), sizeOf(input)]);
  const indices = windowIndices(input, window, strides);
  const gathered = ctx.emit("Gather", [flat, ctx.graph.ints(indices)], { axis: 1 });
  return ctx.reshape(gathered, shape);
}

/** A reduction over exactly the window axes, as a pooling; `undefined` where it is another one. */
export function poolWindows(
  ctx: Context,
  x: Windows,
  op: string,
  axes: readonly number[],
): Value | undefined {
  const rank = x.window.length;
  const lead = x.of.shape.slice(0, x.of.shape.length - rank);
  const positions = lead.length + rank;
  const wanted = x.window.map((_, i) => positions + i);
  const exact = axes.length === rank && wanted.every((axis) => axes.includes(axis));
  if (!exact || rank > 3 || x.dtype !== "float32" || op === "Min") return undefined;
  const shape = x.shape.slice(0, positions);
  const attributes = {
    kernel_shape: x.window,
    strides: x.strides,
    pads: new Array<number>(2 * rank).fill(0),
  };
  if (x.of.kind === "poly" && rank === 2 && op === "Max") {
    const feature = densePoly(ctx, x.of);
    const name = ctx.emit(
      "MaxPool",
      [feature.name],
      { ...attributes, dilations: [1, 1] },
      "com.microsoft.nchwc",
    );
    return polyOf(ctx.feature(name, shape));
  }
  const input = x.of.shape.slice(lead.length);
  const flat = ctx.reshape(ctx.plain(x.of), [1, sizeOf(lead), ...input]);
  const pooled = ctx.emit(op === "Max" ? "MaxPool" : "AveragePool", [flat], attributes);
  const count = ctx.graph.constant("float32", [], sizeOf(x.window));
  const total = op === "Max" ? pooled : ctx.emit("Mul", [pooled, count]);
  return wholeView(ctx.reshape(total, shape), shape, x.dtype);
}

/** Adds windows back to where they came from: a transposed convolution with a kernel of unit vectors. */
const poolTranspose: Rule = (ctx, [x], params) => {
  const { inShape, window, strides } = params as Record<string, number[]>;
  const rank = window.length;
  const lead = inShape.slice(0, inShape.length - rank);
  const input = inShape.slice(inShape.length - rank);
  const output = x.shape.slice(lead.length, lead.length + rank);
  const count = sizeOf(window);
  const order = [
    ...lead.map((_, i) => i),
    ...window.map((_, i) => lead.length + rank + i),
    ...output.map((_, i) => lead.length + i),
  ];
  const columns = ctx.reshape(ctx.transpose(ctx.plain(x), order), [sizeOf(lead), count, ...output]);
  const kernel = Array.from({ length: count * count }, (_, i) => Number(i % (count + 1) === 0));
  const unit = ctx.graph.constant(graphType(x.dtype), [count, 1, ...window], kernel);
  const spread = ctx.emit("ConvTranspose", [columns, unit], { strides });
  const made = output.map((size, i) => (size - 1) * strides[i] + window[i]);
  const missing = input.map((size, i) => size - made[i]);
  const pads = [0, 0, ...missing.map(() => 0), 0, 0, ...missing];
  const zero = ctx.graph.constant(graphType(x.dtype), [], 0);
  const padded = missing.some((m) => m > 0)
    ? ctx.emit("Pad", [spread, ctx.graph.ints(pads), zero])
    : spread;
  return [wholeView(ctx.reshape(padded, inShape), inShape, x.dtype)];
};

/** Sliding windows and their gradient. */
export const windowRules: Rules = {
  pool: (_, [x], { window, strides }, [shape]) => [
    {
      kind: "windows",
      of: x,
      window: window as number[],
      strides: strides as number[],
      shape,
      dtype: x.dtype,
    },
  ],
  pool_transpose: poolTranspose,
};
