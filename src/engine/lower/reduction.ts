import { sizeOf } from "../../core/arrays.ts";
import type { Context } from "./context.ts";
import { castTo } from "./elementwise.ts";
import { sumPoly } from "./poly.ts";
import type { Rule, Rules } from "./rule.ts";
import { type Value, wholeView } from "./value.ts";
import { poolWindows } from "./window.ts";

const operators: Record<string, string> = {
  Add: "ReduceSum",
  Mul: "ReduceProd",
  Min: "ReduceMin",
  Max: "ReduceMax",
};

function sumOfPoly(ctx: Context, x: Value, axes: readonly number[]): Value | undefined {
  if (x.kind !== "poly") return undefined;
  const key = [...axes].sort().join();
  if (key !== "0,2,3" && key !== "2,3") return undefined;
  const overImages = key === "0,2,3";
  const shape = overImages ? [x.shape[1]] : [x.shape[0], x.shape[1]];
  return wholeView(sumPoly(ctx, x, overImages), shape, "float32");
}

/** Reduces the axes that are there; those along which the array repeats become a factor or nothing. */
function reduceView(ctx: Context, x: Value, op: string, axes: readonly number[]): Value {
  const { name, shape } = ctx.compact(x);
  const present = axes.filter((axis) => shape[axis] === x.shape[axis]);
  const repeats = sizeOf(
    axes.filter((axis) => !present.includes(axis)).map((axis) => x.shape[axis]),
  );
  const reduced = ctx.emit(operators[op], [name, ctx.graph.ints(axes)], { keepdims: 0 });
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const compact = kept.map((i) => shape[i]);
  const result = ctx.repeated(
    reduced,
    compact,
    kept.map((i) => x.shape[i]),
    x.dtype,
  );
  if (repeats === 1 || op === "Min" || op === "Max") return result;
  const factor = ctx.graph.constant(x.dtype === "uint32" ? "int64" : x.dtype, [], repeats);
  const corrected = ctx.emit(op === "Add" ? "Mul" : "Pow", [reduced, factor]);
  return { ...result, base: corrected };
}

const reduce: Rule = (ctx, [x], { op, axis }) => {
  const axes = axis as number[];
  if (axes.length === 0) return [x];
  if (x.kind === "windows" && op !== "Mul") {
    const pooled = poolWindows(ctx, x, String(op), axes);
    if (pooled) return [pooled];
  }
  if (op === "Add") {
    const total = sumOfPoly(ctx, x, axes);
    if (total) return [total];
  }
  if (x.dtype === "bool") {
    const numbers = reduceView(
      ctx,
      castTo(ctx, x, "int32"),
      op === "Add" ? "Max" : op === "Mul" ? "Min" : String(op),
      axes,
    );
    return [castTo(ctx, numbers, "bool")];
  }
  return [
    reduceView(
      ctx,
      x.kind === "literal" ? wholeView(ctx.plain(x), x.shape, x.dtype) : x,
      String(op),
      axes,
    ),
  ];
};

/** Sums, products and extremes over axes. */
export const reductionRules: Rules = { reduce };
