import { sizeOf } from "../../core/arrays.ts";
import { broadcastShape } from "./arithmetic.ts";
import { type Context, graphType } from "./context.ts";
import { flipValue } from "./movement.ts";
import { type Attributes, dataTypeOf } from "../onnx.ts";
import {
  isPlainColumns,
  movedColumns,
  rankAt,
  ranksAt,
  someRanks,
  unorderedColumns,
} from "./ranking.ts";
import type { Rule, Rules } from "./rule.ts";
import { type Ranked, sameShape, type Value, wholeView } from "./value.ts";

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

/**
 * The one axis along which indices choose, where those of all other axes are the positions themselves;
 * −1 where it is not so, or not seen.
 */
function alongAxis(
  ctx: Context,
  sizes: readonly number[],
  indices: Value[],
  axes: number[],
): number {
  const shape = broadcastShape(indices.map((index) => index.shape));
  const whole = axes.length === sizes.length && axes.every((axis, i) => axis === i);
  if (!whole || shape.length !== sizes.length || sizeOf(shape) === 0) return -1;
  const isPosition = (index: Value, i: number) =>
    shape[i] <= sizes[i] &&
    index.shape.length === sizes.length &&
    (sizes[i] === 1 || ctx.isRange(index, i));
  const chosen = axes.filter((i) => !isPosition(indices[i], i));
  // where all are positions, any axis will do: it is read like the others
  return chosen.length > 1 ? -1 : (chosen[0] ?? sizes.length - 1);
}

/** An index array, repeated to a shape. */
function wholeIndex(ctx: Context, index: Value, shape: readonly number[]): string {
  const name = ctx.plain(index);
  return sameShape(index.shape, shape) ? name : ctx.emit("Expand", [name, ctx.graph.ints(shape)]);
}

/** Reading at ranks that are known only when the program runs. */
function gatherRanked(ctx: Context, x: Value, indices: Value[], axis: number[]): Value | undefined {
  if (x.kind === "deferred" && x.op === "neg") {
    const of = gatherRanked(ctx, x.of, indices, axis);
    return of && { ...x, of, shape: of.shape };
  }
  if (x.kind !== "ranked") return undefined;
  const last = x.shape.length - 1;
  const alone = axis.length === 1 && axis[0] === last && indices[0].shape.length === 0;
  if (alone) return rankAt(ctx, x, indices[0]);
  if (alongAxis(ctx, x.shape, indices, axis) !== last) return undefined;
  const shape = broadcastShape(indices.map((index) => index.shape));
  return ranksAt(ctx, x, wholeIndex(ctx, indices[last], shape), shape);
}

/** Elements of a list. GatherElements takes a quarter of the time of Gather for single numbers. */
function gatherFlat(ctx: Context, x: Value, index: Value): Value {
  const { shape } = index;
  const places = ctx.reshape(ctx.plain(index), [sizeOf(shape)]);
  const name = ctx.emit("GatherElements", [ctx.plain(x), places], { axis: 0 });
  return wholeView(ctx.reshape(name, shape), shape, x.dtype);
}

const gather: Rule = (ctx, [x, ...indices], params, [shape]) => {
  const { axis, outDim } = params as Placement;
  const rank = x.shape.length;
  const ranks = gatherRanked(ctx, x, indices, axis);
  if (ranks) return [ranks];
  if (rank === 1) return [gatherFlat(ctx, x, indices[0])];
  if (axis.length === 1) {
    const name = ctx.emit("Gather", [ctx.plain(x), ctx.plain(indices[0])], { axis: axis[0] });
    const indexRank = indices[0].shape.length;
    const index = Array.from({ length: indexRank }, (_, i) => axis[0] + i);
    const rest = others(rank - 1 + indexRank, index);
    const perm = [...rest.slice(0, outDim), ...index, ...rest.slice(outDim)];
    return [wholeView(ctx.transpose(name, perm), shape, x.dtype)];
  }
  const along = alongAxis(ctx, x.shape, indices, axis);
  if (along !== -1) {
    const index = wholeIndex(ctx, indices[along], shape);
    const name = ctx.emit("GatherElements", [ctx.plain(x), index], { axis: along });
    return [wholeView(name, shape, x.dtype)];
  }
  const rest = others(rank, axis);
  const tuples = indexTuples(ctx, indices);
  const moved = ctx.transpose(ctx.plain(x), [...axis, ...rest]);
  const name = ctx.emit("GatherND", [moved, tuples.name]);
  const perm = indicesInPlace(tuples.shape.length - 1, rest.length, outDim);
  return [wholeView(ctx.transpose(name, perm), shape, x.dtype)];
};

function zeros(ctx: Context, dtype: Value["dtype"], shape: readonly number[]): string {
  const sizes = ctx.graph.ints(shape);
  // for float32 it takes half the time of repeating a number
  if (dtype === "float32") return ctx.emit("ConstantOfShape", [sizes]);
  return ctx.emit("Expand", [ctx.graph.constant(graphType(dtype), [], 0), sizes]);
}

type Scattered = Placement & { shape: number[]; op: string; uniqueIndices?: boolean };

const reduction = ({ op }: Scattered): Attributes => (op === "add" ? { reduction: "add" } : {});

/** Updates into zeros along one axis, where the indices are columns of rows in order: each occurs once. */
function scatterRanked(ctx: Context, updates: Value, index: Ranked, shape: number[]): Value {
  const axis = shape.length - 1;
  let [values, columns] = [updates, index];
  if (
    values.kind === "padded" &&
    values.width.every((pair, i) => i === axis || pair.join() === "0,0")
  ) {
    const [low, high] = values.width[axis];
    columns = someRanks(index, low, index.shape[axis] - high) as Ranked;
    values = values.of;
  }
  if (columns.backwards) {
    columns = { ...columns, backwards: false };
    values = flipValue(values, [axis]);
  }
  const mirrored = movedColumns(columns, -1, shape[axis] - 1) as Ranked;
  const turned = isPlainColumns(mirrored);
  if (turned) columns = mirrored;
  const order = values.kind === "literal" ? unorderedColumns(ctx, columns) : ctx.plain(columns);
  const inputs = [zeros(ctx, updates.dtype, shape), order, ctx.plain(values)];
  const sum = wholeView(ctx.emit("ScatterElements", inputs, { axis }), shape, updates.dtype);
  return turned ? { ...sum, kind: "flipped", of: sum, axes: [axis] } : sum;
}

function scatterAlong(
  ctx: Context,
  updates: Value,
  index: Value,
  axis: number,
  params: Scattered,
): Value {
  const { shape } = params;
  const dense = sameShape(index.shape, updates.shape);
  if (index.kind === "ranked" && axis === shape.length - 1 && dense)
    return scatterRanked(ctx, updates, index, shape);
  const inputs = [
    zeros(ctx, updates.dtype, shape),
    wholeIndex(ctx, index, updates.shape),
    ctx.plain(updates),
  ];
  const name = ctx.emit("ScatterElements", inputs, { axis, ...reduction(params) });
  return wholeView(name, shape, updates.dtype);
}

/** Updates into zeros at positions of a list. */
function scatterFlat(ctx: Context, updates: Value, index: Value, params: Scattered): Value {
  const size = [sizeOf(updates.shape)];
  const inputs = [
    zeros(ctx, updates.dtype, params.shape),
    ctx.reshape(ctx.plain(index), size),
    ctx.reshape(ctx.plain(updates), size),
  ];
  const name = ctx.emit("ScatterElements", inputs, { axis: 0, ...reduction(params) });
  return wholeView(name, params.shape, updates.dtype);
}

const scatter: Rule = (ctx, [updates, ...indices], params, [result]) => {
  const { axis, outDim, shape } = params as Scattered;
  const along = alongAxis(ctx, shape, indices, axis);
  if (along !== -1) return [scatterAlong(ctx, updates, indices[along], along, params as Scattered)];
  if (shape.length === 1) return [scatterFlat(ctx, updates, indices[0], params as Scattered)];
  const rest = others(shape.length, axis);
  const tuples = indexTuples(ctx, indices);
  const indexRank = tuples.shape.length - 1;
  const index = Array.from({ length: indexRank }, (_, i) => outDim + i);
  const toFront = [...index, ...others(updates.shape.length, index)];
  const inner = [...axis, ...rest].map((i) => shape[i]);
  const moved = ctx.transpose(ctx.plain(updates), toFront);
  const inputs = [zeros(ctx, updates.dtype, inner), tuples.name, moved];
  const name = ctx.emit("ScatterND", inputs, reduction(params as Scattered));
  const back = others(shape.length, []).map((i) => [...axis, ...rest].indexOf(i));
  return [wholeView(ctx.transpose(name, back), result, updates.dtype)];
};

/** Reading and writing at indices. */
export const indexingRules: Rules = { gather, scatter };
