import { type Context, graphType } from "./context.ts";
import { densePoly, polyOf } from "./poly.ts";
import { someRanks, turnedRanks } from "./ranking.ts";
import type { Rule, Rules } from "./rule.ts";
import { type Padded, sameShape, type Value, type View, wholeView } from "./value.ts";

function transposeValue(ctx: Context, x: Value, perm: readonly number[]): Value {
  const shape = perm.map((axis) => x.shape[axis]);
  if (x.kind === "literal") return { ...x, shape };
  if (x.kind === "poly") return { kind: "permuted", of: x, perm, shape, dtype: x.dtype };
  if (x.kind === "permuted") {
    return { ...x, perm: perm.map((axis) => x.perm[axis]), shape };
  }
  if (x.kind === "deferred") return { ...x, of: transposeValue(ctx, x.of, perm), shape };
  const view = ctx.asView(x);
  return { ...view, axes: perm.map((axis) => view.axes[axis]), shape };
}

function broadcastValue(ctx: Context, x: Value, shape: number[], added: number[]): Value {
  if (x.kind === "literal") return { ...x, shape };
  if (x.kind === "deferred") return { ...x, of: broadcastValue(ctx, x.of, shape, added), shape };
  const view = ctx.asView(x);
  let next = 0;
  const axes = shape.map((size, i) => {
    if (added.includes(i)) return -1;
    const axis = next++;
    return view.shape[axis] === size ? view.axes[axis] : -1;
  });
  return { ...view, axes, shape };
}

/** Reshapes that only add or drop axes of size 1 keep the view; `undefined` where more changes. */
function reshapeView(view: View, shape: readonly number[]): View | undefined {
  const kept = view.shape
    .map((size, i) => ({ size, axis: view.axes[i] }))
    .filter(({ size }) => size !== 1);
  const wanted = shape.filter((size) => size !== 1);
  if (
    !sameShape(
      kept.map(({ size }) => size),
      wanted,
    )
  )
    return undefined;
  let next = 0;
  const axes = shape.map((size) => (size === 1 ? -1 : kept[next++].axis));
  return { ...view, axes, shape };
}

/** Whether images and channels are only counted otherwise, [N, C, H, W] as [N/s, s·C, H, W], block by block. */
function regroups(ctx: Context, from: readonly number[], to: readonly number[]): boolean {
  const { block } = ctx.target;
  const planes = to.length === 4 && sameShape(from.slice(2), to.slice(2));
  return planes && from[1] % block === 0 && to[1] % block === 0;
}

function reshapeValue(ctx: Context, x: Value, shape: readonly number[]): Value {
  if (x.kind === "literal") return { ...x, shape };
  if (sameShape(x.shape, shape)) return x;
  if (x.kind === "poly" && regroups(ctx, x.shape, shape)) {
    return polyOf(ctx.feature(ctx.reshape(densePoly(ctx, x).name, shape), shape));
  }
  if (x.kind === "deferred") return { ...x, of: reshapeValue(ctx, x.of, shape), shape };
  if (x.kind === "view") {
    const view = reshapeView(x, shape);
    if (view) return view;
  }
  return wholeView(ctx.reshape(ctx.plain(x), shape), shape, x.dtype);
}

/** Ranks cut to those wanted before anything else is cut. */
function cutRanks(x: Value, ranges: [number, number][]): [Value, [number, number][]] {
  const [start, end] = ranges.at(-1) ?? [0, 0];
  const ranks = someRanks(x, start, end);
  return ranks ? [ranks, [...ranges.slice(0, -1), [0, end - start]]] : [x, ranges];
}

const shrink: Rule = (ctx, [whole], { slice }) => {
  const [x, ranges] = cutRanks(whole, slice as [number, number][]);
  const shape = ranges.map(([from, to]) => to - from);
  if (x.kind === "literal") return [{ ...x, shape }];
  const axes = ranges.map((_, i) => i).filter((i) => shape[i] !== x.shape[i]);
  if (axes.length === 0) return [x];
  const { name, shape: compact } = ctx.compact(x);
  const cut = axes.filter((i) => compact[i] === x.shape[i] && compact[i] !== 1);
  const done =
    cut.length === 0
      ? name
      : ctx.emit("Slice", [
          name,
          ctx.graph.ints(cut.map((i) => ranges[i][0])),
          ctx.graph.ints(cut.map((i) => ranges[i][1])),
          ctx.graph.ints(cut),
        ]);
  const left = compact.map((size, i) => (cut.includes(i) ? shape[i] : size));
  const axesOf = shape.map((size, i) => (left[i] === size ? i : -1));
  return [{ kind: "view", base: done, baseShape: left, axes: axesOf, shape, dtype: x.dtype }];
};

const pad: Rule = (_, [x], { width }) => {
  const pairs = width as [number, number][];
  if (pairs.every(([low, high]) => low === 0 && high === 0)) return [x];
  const shape = x.shape.map((size, i) => size + pairs[i][0] + pairs[i][1]);
  return [{ kind: "padded", of: x, width: pairs, shape, dtype: x.dtype }];
};

/** An array with zeros around it. */
export function plainPadded(ctx: Context, { of, width }: Padded): string {
  const pads = ctx.graph.ints([...width.map(([low]) => low), ...width.map(([, high]) => high)]);
  const zero = ctx.graph.constant(graphType(of.dtype), [], 0);
  return ctx.emit("Pad", [ctx.plain(of), pads, zero]);
}

/** An array with some axes reversed, where possible by reading it otherwise. */
export function flipValue(x: Value, axes: readonly number[]): Value {
  if (x.kind === "literal") return x;
  if (x.kind === "flipped" && [...x.axes].sort().join() === [...axes].sort().join()) return x.of;
  const last = x.shape.length - 1;
  const turned = axes.includes(last) ? turnedRanks(x) : undefined;
  const rest = turned ? axes.filter((axis) => axis !== last) : axes;
  const of = turned ?? x;
  return rest.length === 0
    ? of
    : { kind: "flipped", of, axes: rest, shape: x.shape, dtype: x.dtype };
}

const concatenate: Rule = (ctx, operands, { axis }, [shape]) => {
  const dtype = operands[0].dtype;
  const names = operands.map((operand) => ctx.plain({ ...operand, dtype }));
  return [wholeView(ctx.emit("Concat", names, { axis: axis as number }), shape, dtype)];
};

const split: Rule = (ctx, [x], { axis, sizes }, shapes) => {
  const names = ctx.graph.emitMany(
    "Split",
    [ctx.plain(x), ctx.graph.ints(sizes as number[])],
    shapes.length,
    { axis: axis as number },
  );
  return names.map((name, i) => wholeView(name, shapes[i], x.dtype));
};

/** Operations that move elements and compute nothing. */
export const movementRules: Rules = {
  transpose: (ctx, [x], { perm }) => [transposeValue(ctx, x, perm as number[])],
  broadcast: (ctx, [x], { shape, axis }) => [
    broadcastValue(ctx, x, shape as number[], axis as number[]),
  ],
  reshape: (ctx, [x], { shape }) => [reshapeValue(ctx, x, shape as number[])],
  flip: (_, [x], { axis }) => [flipValue(x, axis as number[])],
  shrink,
  pad,
  concatenate,
  split,
};
