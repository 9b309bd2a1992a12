import { sizeOf } from "../../core/arrays.ts";
import { wrap } from "./arithmetic.ts";
import type { Context } from "./context.ts";
import { dataTypeOf } from "../onnx.ts";
import { isPermutation, positions, ranked } from "./ranking.ts";
import type { Rule, Rules } from "./rule.ts";
import { blockOf } from "./topOf.ts";
import { type Ranked, type Value, type View, wholeView } from "./value.ts";

function cast(ctx: Context, x: Value, dtype: "int32" | "bool"): View {
  return wholeView(ctx.emit("Cast", [ctx.plain(x)], { to: dataTypeOf(dtype) }), x.shape, dtype);
}

/** 0, 1, 2, … in every row. */
function ranges(ctx: Context, shape: readonly number[]): View {
  const length = shape.at(-1) as number;
  const range = Int32Array.from({ length }, (_, i) => i);
  const base = ctx.graph.constant("int32", [length], range);
  const axes = shape.map((_, i) => (i === shape.length - 1 ? 0 : -1));
  return { kind: "view", base, baseShape: [length], axes, shape, dtype: "int32" };
}

const argsort: Rule = (ctx, [x]) => {
  if (sizeOf(x.shape) === 0) {
    return [x, { kind: "literal", value: 0, shape: x.shape, dtype: "int32" }];
  }
  if (isPermutation(x)) return [ranges(ctx, x.shape), positions(ctx, x)];
  const { values, order } = ranked(x.dtype === "bool" ? cast(ctx, x, "int32") : x);
  return [x.dtype === "bool" ? cast(ctx, values, "bool") : values, order];
};

/** The column of the first largest (or smallest) element along an axis, counted from the end: n − column. */
const argExtreme: Rule = (ctx, [x], params, [shape]) => {
  const { axis, largest } = params as { axis: number; largest: boolean };
  const length = x.shape[axis];
  if (axis === x.shape.length - 1 && blockOf(length, 1) !== undefined) {
    const one: Ranked = {
      kind: "ranked",
      of: x,
      largest,
      from: 0,
      to: 1,
      backwards: false,
      shape: [...shape, 1],
      dtype: "int32",
      what: { sign: -1, offset: length },
    };
    return [wholeView(ctx.reshape(ctx.plain(one), shape), shape, "int32")];
  }
  const op = largest ? "ArgMax" : "ArgMin";
  const column = ctx.emit(op, [ctx.plain(x)], { axis, keepdims: 0 });
  const narrow = ctx.emit("Cast", [column], { to: dataTypeOf("int32") });
  const left = ctx.emit("Sub", [ctx.graph.constant("int32", [], length), narrow]);
  return [wholeView(left, shape, "int32")];
};

/** Running sums along the last axis. */
const cumulativeSum: Rule = (ctx, [x], params) => {
  const { exclusive, reverse } = params as { exclusive: boolean; reverse: boolean };
  const axis = ctx.graph.constant("int64", [], x.shape.length - 1);
  const attributes = { exclusive: Number(exclusive), reverse: Number(reverse) };
  const name = ctx.emit("CumSum", [ctx.plain(x), axis], attributes);
  return [wrap(ctx, wholeView(name, x.shape, x.dtype))];
};

/** Sorting. */
export const sortingRules: Rules = {
  argsort,
  sort: (ctx, operands, params, shapes) => [argsort(ctx, operands, params, shapes)[0]],
};

/** What `recognised` makes of equations. */
export const recognisedRules: Rules = { arg_extreme: argExtreme, cumulative_sum: cumulativeSum };
