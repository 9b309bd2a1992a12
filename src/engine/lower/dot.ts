import { sizeOf } from "../../core/arrays.ts";
import { resultShape } from "./arithmetic.ts";
import type { Context } from "./context.ts";
import type { Rules } from "./rule.ts";
import { type Value, type View, wholeView } from "./value.ts";

type Operand = { view: View; present(axis: number): boolean };

function operand(ctx: Context, value: Value, shape: readonly number[]): Operand {
  const view = ctx.asView(value);
  const missing = shape.length - view.shape.length;
  const axes = shape.map((_, i) => (i < missing ? -1 : view.axes[i - missing]));
  const aligned = { ...view, axes, shape };
  return { view: aligned, present: (axis) => axes[axis] !== -1 && shape[axis] !== 1 };
}

/**
 * The operand as [batch, rows, last], its axes in the order given, and whether it is cheaper to hand
 * the product the array with the last two the other way round.
 */
function arrange(
  ctx: Context,
  { view }: Operand,
  groups: number[][],
): { name: string; swapped: boolean } {
  const sizes = groups.map((axes) => sizeOf(axes.map((axis) => view.shape[axis])));
  const order = groups.flat().map((axis) => view.axes[axis]);
  const rest = view.baseShape.map((_, i) => i).filter((i) => !order.includes(i));
  const swap = [...groups[0], ...groups[2], ...groups[1]].map((axis) => view.axes[axis]);
  const ascending = (axes: number[]) => axes.every((axis, i) => i === 0 || axes[i - 1] < axis);
  if (!ascending(order) && ascending(swap)) {
    return { name: ctx.reshape(view.base, [sizes[0], sizes[2], sizes[1]]), swapped: true };
  }
  const moved = ascending(order) ? view.base : ctx.transpose(view.base, [...order, ...rest]);
  return { name: ctx.reshape(moved, sizes), swapped: false };
}

function matmul(
  ctx: Context,
  a: { name: string; swapped: boolean },
  b: { name: string; swapped: boolean },
): string {
  // both as [batch, rows, contracted], so the second is used transposed unless it lies the other way
  if (ctx.target.fused) {
    const attributes = { transA: Number(a.swapped), transB: Number(!b.swapped) };
    return attributes.transA || attributes.transB
      ? ctx.emit("FusedMatMul", [a.name, b.name], attributes, "com.microsoft")
      : ctx.emit("MatMul", [a.name, b.name]);
  }
  const left = a.swapped ? ctx.transpose(a.name, [0, 2, 1]) : a.name;
  const right = b.swapped ? b.name : ctx.transpose(b.name, [0, 2, 1]);
  return ctx.emit("MatMul", [left, right]);
}

/** Σ over the last axis of a product: axes of both operands are batch, of one only rows or columns. */
function dot(ctx: Context, x: Value, y: Value): Value {
  const shape = resultShape([x, y]);
  const last = shape.length - 1;
  let [a, b] = [operand(ctx, x, shape), operand(ctx, y, shape)];
  const expand = (side: Operand): Operand =>
    side.present(last) || shape[last] === 1
      ? side
      : operand(
          ctx,
          wholeView(expandAlong(ctx, side.view, last), compactWith(ctx, side.view, last), x.dtype),
          shape,
        );
  [a, b] = [repaired(expand(a), shape), repaired(expand(b), shape)];
  const axes = shape.slice(0, last).map((_, i) => i);
  const batch = axes.filter((i) => a.present(i) && b.present(i));
  const rows = axes.filter((i) => a.present(i) && !b.present(i));
  const columns = axes.filter((i) => !a.present(i) && b.present(i));
  const contracted = shape[last] === 1 ? [] : [last];
  const product = matmul(
    ctx,
    arrange(ctx, a, [batch, rows, contracted]),
    arrange(ctx, b, [batch, columns, contracted]),
  );
  const found = [...batch, ...rows, ...columns];
  const compact = found.map((i) => shape[i]);
  const out = shape.slice(0, last);
  const resultAxes = out.map((_, i) => found.indexOf(i));
  const base = ctx.reshape(product, compact);
  return { kind: "view", base, baseShape: compact, axes: resultAxes, shape: out, dtype: x.dtype };
}

function compactWith(ctx: Context, view: View, axis: number): number[] {
  return ctx.compactShape(view).map((size, i) => (i === axis ? view.shape[i] : size));
}

function expandAlong(ctx: Context, view: View, axis: number): string {
  const { name } = ctx.compact(view);
  return ctx.emit("Expand", [name, ctx.graph.ints(compactWith(ctx, view, axis))]);
}

/** Axes of size 1 in the array but not in the result repeat. */
function repaired(side: Operand, shape: readonly number[]): Operand {
  const { view } = side;
  const axes = view.axes.map((axis, i) =>
    axis === -1 || view.baseShape[axis] !== shape[i] ? -1 : axis,
  );
  const fixed = { ...view, axes };
  return { view: fixed, present: (axis) => axes[axis] !== -1 && shape[axis] !== 1 };
}

/** Matrix products. */
export const dotRules: Rules = { dot: (ctx, [x, y]) => [dot(ctx, x, y)] };
