import type { Context } from "./context.ts";
import { dataTypeOf } from "../onnx.ts";
import { type Top, topOf } from "./topOf.ts";
import { type Ranked, type Value, type View, wholeView } from "./value.ts";

/** Up to here a complete order of so many elements costs no more than finding the last of them. */
const FEW = 64;

const lengthOf = ({ of }: Ranked) => of.shape.at(-1) as number;

/** Rows of x in ascending order, equal elements by column: the elements and where they stood. */
export function ranked(x: Value): { values: Value; order: Ranked } {
  const last = x.shape.length - 1;
  let [of, negated, reversed] = [x, false, false];
  for (;;) {
    if (of.kind === "flipped" && of.axes.length === 1 && of.axes[0] === last) reversed = !reversed;
    else if (of.kind === "deferred" && of.op === "neg" && of.dtype.startsWith("float"))
      negated = !negated;
    else break;
    of = of.of;
  }
  const length = x.shape[last];
  const rows = { kind: "ranked", of, from: 0, to: length, shape: x.shape } as const;
  const sequence = { ...rows, largest: negated !== reversed, backwards: reversed };
  const values: Ranked = { ...sequence, dtype: of.dtype, what: "values" };
  const what = { sign: reversed ? -1 : 1, offset: reversed ? length - 1 : 0 } as const;
  return {
    values: negated
      ? { kind: "deferred", op: "neg", of: values, shape: x.shape, dtype: x.dtype }
      : values,
    order: { ...sequence, dtype: "int32", what },
  };
}

/** A function of ranks under a negation that waits; `undefined` for other values. */
function underNegation(x: Value, change: (ranks: Ranked) => Ranked): Value | undefined {
  if (x.kind === "ranked") return change(x);
  if (x.kind !== "deferred" || x.op !== "neg" || x.of.kind !== "ranked") return undefined;
  const of = change(x.of);
  return { ...x, of, shape: of.shape };
}

/** Elements `start` … `end − 1` of every row; `undefined` where x is not ranked. */
export function someRanks(x: Value, start: number, end: number): Value | undefined {
  return underNegation(x, (ranks) => {
    const { from, to, backwards, shape } = ranks;
    const [first, behind] = backwards ? [to - end, to - start] : [from + start, from + end];
    return { ...ranks, from: first, to: behind, shape: [...shape.slice(0, -1), end - start] };
  });
}

/** Rows from their ends; `undefined` where x is not ranked. */
export function turnedRanks(x: Value): Value | undefined {
  return underNegation(x, (ranks) => ({ ...ranks, backwards: !ranks.backwards }));
}

/** sign · columns + by, where x is made of columns. */
export function movedColumns(x: Value, sign: 1 | -1, by: number): Ranked | undefined {
  if (x.kind !== "ranked" || x.what === "values") return undefined;
  const { sign: before, offset } = x.what;
  return { ...x, what: { sign: (sign * before) as 1 | -1, offset: sign * offset + by } };
}

/** The same ranks, counted from the other end of a source that is reversed, so that ties come out right. */
function fromOtherEnd(ctx: Context, ranks: Ranked): Ranked {
  const { of, largest, from, to, backwards, what } = ranks;
  const length = lengthOf(ranks);
  const axes = [of.shape.length - 1];
  const name = ctx.plain(of);
  const reversed = ctx.once(`reversed ${name}`, () => ctx.reverse(name, axes));
  const moved =
    what === "values"
      ? what
      : { sign: -what.sign as 1 | -1, offset: what.offset + what.sign * (length - 1) };
  return {
    ...ranks,
    of: wholeView(reversed, of.shape, of.dtype),
    largest: !largest,
    from: length - to,
    to: length - from,
    backwards: !backwards,
    what: moved,
  };
}

/** Whether ranks are columns as they are. */
export const isPlainColumns = ({ what }: Ranked) =>
  what !== "values" && what.sign === 1 && what.offset === 0;

/** Columns as the ranks give them, from those that ONNX gave in int64. */
function columnsOf(ctx: Context, ranks: Ranked, name: string): string {
  const { what } = ranks;
  const narrow = ctx.emit("Cast", [name], { to: dataTypeOf("int32") });
  if (what === "values" || isPlainColumns(ranks)) return narrow;
  const offset = ctx.graph.constant("int32", [], what.offset);
  return what.sign === 1 ? ctx.emit("Add", [narrow, offset]) : ctx.emit("Sub", [offset, narrow]);
}

/** The first `count` of every row. */
function first(ctx: Context, { of, largest }: Ranked, count: number, sorted: boolean): Top {
  return topOf(ctx, { name: ctx.plain(of), shape: of.shape, largest, count, sorted });
}

/**
 * The last of the first elements of every row [..., count], in whatever order these are: the least
 * where `largest`, of equal ones that of the highest column. Gives [..., 1].
 */
function lastOf(ctx: Context, ranks: Ranked, { values, columns }: Top): string {
  const axes = ctx.graph.ints([ranks.of.shape.length - 1]);
  const edge = ctx.once(`edge ${values}`, () =>
    ctx.emit(ranks.largest ? "ReduceMin" : "ReduceMax", [values, axes], { keepdims: 1 }),
  );
  if (ranks.what === "values") return edge;
  const tied = ctx.emit("Equal", [values, edge]);
  const candidates = ctx.emit("Where", [tied, columns, ctx.graph.constant("int64", [], -1)]);
  return columnsOf(ctx, ranks, ctx.emit("ReduceMax", [candidates, axes], { keepdims: 1 }));
}

/** Ranks as an array of the graph. */
export function plainRanked(ctx: Context, ranks: Ranked): string {
  const { from, to, backwards, what } = ranks;
  const last = ranks.shape.length - 1;
  if (2 * (lengthOf(ranks) - from) <= to) return plainRanked(ctx, fromOtherEnd(ctx, ranks));
  if (to - from === 1 && to > FEW) return lastOf(ctx, ranks, first(ctx, ranks, to, false));
  const { values, columns } = first(ctx, ranks, to, true);
  const { graph } = ctx;
  let name = what === "values" ? values : columns;
  if (from > 0)
    name = ctx.emit("Slice", [name, graph.ints([from]), graph.ints([to]), graph.ints([last])]);
  if (backwards && to - from > 1) name = ctx.reverse(name, [last]);
  return what === "values" ? name : columnsOf(ctx, ranks, name);
}

/** The columns of ranks in any order, which costs less than the order itself. */
export function unorderedColumns(ctx: Context, ranks: Ranked): string {
  if (ranks.from > 0 || ranks.what === "values") return ctx.plain(ranks);
  return columnsOf(ctx, ranks, first(ctx, ranks, ranks.to, false).columns);
}

/** How many of the first elements of rows reach to places of `ranks`, which are given in int32: int64. */
function reach(ctx: Context, { from, to, backwards }: Ranked, places: string): string {
  const wide = ctx.emit("Cast", [places], { to: dataTypeOf("int64") });
  const number = (value: number) => ctx.graph.constant("int64", [], value);
  return backwards
    ? ctx.emit("Sub", [number(to), wide])
    : ctx.emit("Add", [wide, number(from + 1)]);
}

/** The first elements of rows, as many as `count` [1] says when the program runs. */
function firstOf(ctx: Context, { of, largest }: Ranked, count: string, sorted: boolean): Top {
  const attributes = {
    axis: of.shape.length - 1,
    largest: Number(largest),
    sorted: Number(sorted),
  };
  const [values, columns] = ctx.graph.emitMany("TopK", [ctx.plain(of), count], 2, attributes);
  return { values, columns };
}

const sequence = (ctx: Context, { of, largest, from, to, backwards }: Ranked) =>
  `${ctx.plain(of)} ${largest} ${from} ${to} ${backwards}`;

/** The element of every row at one rank [] that is known only when the program runs: [...]. */
export function rankAt(ctx: Context, ranks: Ranked, rank: Value): View {
  const at = ctx.plain(rank);
  const [values, columns] = ctx.once(`rank ${sequence(ctx, ranks)} ${at}`, () => {
    const top = firstOf(ctx, ranks, ctx.reshape(reach(ctx, ranks, at), [1]), false);
    return [top.values, top.columns];
  });
  const shape = ranks.shape.slice(0, -1);
  const found = ctx.reshape(lastOf(ctx, ranks, { values, columns }), shape);
  return wholeView(found, shape, ranks.dtype);
}

/** Elements of every row at ranks of its own, `places` of a shape, that are known only when the program runs. */
export function ranksAt(ctx: Context, ranks: Ranked, places: string, shape: number[]): View {
  const [values, columns, last] = ctx.once(`ranks ${sequence(ctx, ranks)} ${places}`, () => {
    const counts = reach(ctx, ranks, places);
    const most = ctx.reshape(ctx.emit("ReduceMax", [counts], { keepdims: 0 }), [1]);
    const top = firstOf(ctx, ranks, most, true);
    const one = ctx.graph.constant("int64", [], 1);
    return [top.values, top.columns, ctx.emit("Sub", [counts, one])];
  });
  const { what, dtype } = ranks;
  const from = what === "values" ? values : columns;
  const found = ctx.emit("GatherElements", [from, last], { axis: shape.length - 1 });
  return wholeView(what === "values" ? found : columnsOf(ctx, ranks, found), shape, dtype);
}

/** Where every column stands in an order of whole rows: the inverse of a permutation. */
export function positions(ctx: Context, order: Ranked): View {
  const { shape } = order;
  const length = lengthOf(order);
  const range = ctx.graph.constant(
    "int32",
    [length],
    Array.from({ length }, (_, i) => i),
  );
  const all = ctx.emit("Expand", [range, ctx.graph.ints(shape)]);
  const name = ctx.emit("ScatterElements", [all, ctx.plain(order), all], {
    axis: shape.length - 1,
  });
  return wholeView(name, shape, "int32");
}

/** Whether ranks are the columns of whole rows, each once, counted from 0. */
export function isPermutation(x: Value): x is Ranked {
  if (x.kind !== "ranked" || x.what === "values" || x.to - x.from !== lengthOf(x)) return false;
  return x.what.offset === (x.what.sign === 1 ? 0 : lengthOf(x) - 1);
}
