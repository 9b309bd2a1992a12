import type { Context } from "./context.ts";

/** Strides, padding [low, high] and dilations per spatial axis, as jax-js has them. */
export type Geometry = {
  readonly strides: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly lhsDilation: readonly number[];
  readonly rhsDilation: readonly number[];
};

/** Padding in the order of ONNX: all low sides, then all high sides. */
export const flatPads = (padding: Geometry["padding"]) => [
  ...padding.map(([low]) => low),
  ...padding.map(([, high]) => high),
];

/** An array cut by the negative part of a padding of its last axes, and the padding that is left. */
export function cropped(
  ctx: Context,
  name: string,
  shape: readonly number[],
  padding: Geometry["padding"],
) {
  const lead = shape.length - padding.length;
  const cut = padding
    .map((pair, i) => ({ pair, axis: lead + i }))
    .filter(({ pair }) => Math.min(...pair) < 0);
  const left = padding.map(([low, high]) => [Math.max(low, 0), Math.max(high, 0)] as const);
  if (cut.length === 0) return { name, padding: left };
  const starts = cut.map(({ pair }) => Math.max(-pair[0], 0));
  const ends = cut.map(({ pair, axis }) => shape[axis] - Math.max(-pair[1], 0));
  const ints = (values: number[]) => ctx.graph.ints(values);
  const inner = ctx.emit("Slice", [
    name,
    ints(starts),
    ints(ends),
    ints(cut.map(({ axis }) => axis)),
  ]);
  return { name: inner, padding: left };
}
