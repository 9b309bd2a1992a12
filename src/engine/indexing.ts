import { sizeOf } from "../core/arrays.ts";
import { broadcastShape } from "./arithmetic.ts";
import { type Context, graphType } from "./context.ts";
import { dataTypeOf } from "./onnx.ts";
import type { Rule, Rules } from "./rule.ts";
import { type Value, wholeView } from "./value.ts";

type Placement = { axis: number[]; outDim: number };

const others = (rank: number, axes: readonly number[]) =>
  Array.from({ length: rank }, (_, i) => i).filter((i) => !axes.includes(i));

/** Indices of several axes side by side: int64 [..., axes]. */
function indexTuples(ctx: Context, indices: Value[]): { name: string; shape: number[] } {
  const shape = broadcastShape(indices.map((index) => index.shape));
  const columns = indices.map((index) => {
    const expanded = ctx.emit("Expand", [ctx.plain(index), ctx.graph.ints(shape)]);
    const wide = ctx.emit("Cast", [expanded], { to: dataTypeOf("int64") });
    return ctx.reshape(wide, [...shape, 1]);
  });
  const name =
    columns.length === 1 ? columns[0] : ctx.emit("Concat", columns, { axis: shape.length });
  return { name, shape: [...shape, indices.length] };
}

/** Where the axes of "indices first, the rest behind" go when the indices stand at `outDim`. */
function indicesInPlace(indexRank: number, restRank: number, outDim: number): number[] {
  const index = Array.from({ length: indexRank }, (_, i) => i);
  const rest = Array.from({ length: restRank }, (_, i) => indexRank + i);
  return [...rest.slice(0, outDim), ...index, ...rest.slice(outDim)];
}

const gather: Rule = (ctx, [x, ...indices], params, [shape]) => {
  const { axis, outDim } = params as Placement;
  const rank = x.shape.length;
  if (axis.length === 1) {
    const name = ctx.emit("Gather", [ctx.plain(x), ctx.plain(indices[0])], { axis: axis[0] });
    const indexRank = indices[0].shape.length;
    const index = Array.from({ length: indexRank }, (_, i) => axis[0] + i);
    const rest = others(rank - 1 + indexRank, index);
    const perm = [...rest.slice(0, outDim), ...index, ...rest.slice(outDim)];
    return [wholeView(ctx.transpose(name, perm), shape, x.dtype)];
  }
  const rest = others(rank, axis);
  const tuples = indexTuples(ctx, indices);
  const moved = ctx.transpose(ctx.plain(x), [...axis, ...rest]);
  const name = ctx.emit("GatherND", [moved, tuples.name]);
  const perm = indicesInPlace(tuples.shape.length - 1, rest.length, outDim);
  return [wholeView(ctx.transpose(name, perm), shape, x.dtype)];
};

const scatter: Rule = (ctx, [updates, ...indices], params, [result]) => {
  const { axis, outDim, shape, op } = params as Placement & { shape: number[]; op: string };
  const rest = others(shape.length, axis);
  const tuples = indexTuples(ctx, indices);
  const indexRank = tuples.shape.length - 1;
  const index = Array.from({ length: indexRank }, (_, i) => outDim + i);
  const toFront = [...index, ...others(updates.shape.length, index)];
  const type = graphType(updates.dtype);
  const inner = [...axis, ...rest].map((i) => shape[i]);
  const zeros = ctx.emit("Expand", [ctx.graph.constant(type, [], 0), ctx.graph.ints(inner)]);
  const name = ctx.emit(
    "ScatterND",
    [zeros, tuples.name, ctx.transpose(ctx.plain(updates), toFront)],
    op === "add" ? { reduction: "add" } : {},
  );
  const back = others(shape.length, []).map((i) => [...axis, ...rest].indexOf(i));
  return [wholeView(ctx.transpose(name, back), result, updates.dtype)];
};

/** Ascending along the last axis; equal elements keep their order. */
function sorted(ctx: Context, x: Value): [string, string] {
  const count = x.shape.at(-1) as number;
  const type = x.dtype === "bool" ? "int32" : graphType(x.dtype);
  const plain = ctx.plain(x);
  const numbers = x.dtype === "bool" ? ctx.emit("Cast", [plain], { to: dataTypeOf(type) }) : plain;
  const [values, order] = ctx.graph.emitMany("TopK", [numbers, ctx.graph.ints([count])], 2, {
    axis: x.shape.length - 1,
    largest: 0,
    sorted: 1,
  });
  const restored =
    x.dtype === "bool" ? ctx.emit("Cast", [values], { to: dataTypeOf("bool") }) : values;
  return [restored, order];
}

const argsort: Rule = (ctx, [x]) => {
  if (sizeOf(x.shape) === 0) return [x, wholeView(ctx.plain(x), x.shape, "int32")];
  const [values, order] = sorted(ctx, x);
  const narrow = ctx.emit("Cast", [order], { to: dataTypeOf("int32") });
  return [wholeView(values, x.shape, x.dtype), wholeView(narrow, x.shape, "int32")];
};

/** Reading and writing at indices, and sorting. */
export const indexingRules: Rules = {
  gather,
  scatter,
  argsort,
  sort: (ctx, [x]) => [wholeView(sorted(ctx, x)[0], x.shape, x.dtype)],
};
