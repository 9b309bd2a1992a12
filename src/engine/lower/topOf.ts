import { sizeOf } from "../../core/arrays.ts";
import type { Context } from "./context.ts";

/** Elements of rows and the columns where they stood (int64), both [..., count]. */
export type Top = { readonly values: string; readonly columns: string };

/** The `count` largest or smallest elements of every row of an array; of equal ones those of lower columns. */
type Wanted = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly largest: boolean;
  readonly count: number;
  /** Whether they are to come in order: the first one first, equal ones by column. */
  readonly sorted: boolean;
};

/** Rows must have so many elements for each one wanted; in shorter ones a search for blocks gains nothing. */
const SPARSE = 2048;

/**
 * Elements in a block when the rows are first searched for the blocks that matter; `undefined` where all
 * elements are to be looked at. A divisor of the length near √(length / count), where both stages look at
 * as many.
 */
export function blockOf(length: number, count: number): number | undefined {
  if (length < SPARSE * count) return undefined;
  const best = Math.sqrt(length / count); // above 45
  const distance = (block: number) => Math.abs(Math.log(block / best));
  let found: number | undefined;
  for (let block = Math.ceil(best / 3); block <= best * 3; block++) {
    if (length % block !== 0) continue;
    if (found === undefined || distance(block) < distance(found)) found = block;
  }
  return found;
}

function plainTop(ctx: Context, { name, shape, largest, count, sorted }: Wanted): Top {
  const attributes = { axis: shape.length - 1, largest: Number(largest), sorted: Number(sorted) };
  const [values, columns] = ctx.graph.emitMany(
    "TopK",
    [name, ctx.graph.ints([count])],
    2,
    attributes,
  );
  return { values, columns };
}

/** The blocks of every row [rows, blocks, block] that hold all `count` elements: [rows, count], ascending. */
function blocksThatMatter(ctx: Context, blocks: string, shape: number[], wanted: Wanted): string {
  const { largest, count } = wanted;
  const axes = ctx.graph.ints([2]);
  const heads = ctx.emit(largest ? "ReduceMax" : "ReduceMin", [blocks, axes], { keepdims: 0 });
  const [rows, number] = shape;
  const best = { name: heads, shape: [rows, number], largest, count, sorted: false };
  const { columns } = plainTop(ctx, best);
  return plainTop(ctx, { name: columns, shape: [rows, count], largest: false, count, sorted: true })
    .values;
}

/**
 * The same in two stages: only the `count` blocks with the greatest heads (of equal ones those that come
 * first) can hold one of the `count` greatest elements, because each has at least one element that stands
 * before any element of a block left out: a greater one, or an equal one in a lower column. The blocks
 * that matter are laid side by side in their old order, so that ties are decided as before.
 */
function topInBlocks(ctx: Context, wanted: Wanted, block: number): Top {
  const { name, shape, largest, count, sorted } = wanted;
  const length = shape.at(-1) as number;
  const [rows, number] = [sizeOf(shape.slice(0, -1)), length / block];
  const { graph } = ctx;
  const blocks = ctx.reshape(name, [rows, number, block]);
  const kept = blocksThatMatter(ctx, blocks, [rows, number], wanted);
  const starts = Array.from({ length: rows }, (_, i) => i * number);
  const flat = ctx.emit("Add", [kept, graph.constant("int64", [rows, 1], starts)]);
  const apart = ctx.reshape(name, [rows * number, block]);
  const few = ctx.reshape(ctx.emit("Gather", [apart, flat], { axis: 0 }), [rows, count * block]);
  const best = { name: few, shape: [rows, count * block], largest, count, sorted };
  const top = plainTop(ctx, best);
  const size = graph.constant("int64", [], block);
  const places = ctx.emit("Div", [top.columns, size]);
  const found = ctx.emit("GatherElements", [kept, places], { axis: 1 });
  const columns = ctx.emit("Add", [
    ctx.emit("Mul", [found, size]),
    ctx.emit("Mod", [top.columns, size]),
  ]);
  const result = [...shape.slice(0, -1), count];
  return { values: ctx.reshape(top.values, result), columns: ctx.reshape(columns, result) };
}

/** What is wanted of the rows of an array; computed once, also for those who want its order or not. */
export function topOf(ctx: Context, wanted: Wanted): Top {
  const { name, shape, largest, count, sorted } = wanted;
  const length = shape.at(-1) as number;
  const key = (of: number, inOrder: boolean) => `top ${name} ${largest} ${of} ${inOrder}`;
  if (count < length && ctx.has(key(length, true))) {
    const all = topOf(ctx, { ...wanted, count: length, sorted: true });
    const [start, end, axis] = [0, count, shape.length - 1].map((i) => ctx.graph.ints([i]));
    const cut = (whole: string) => ctx.emit("Slice", [whole, start, end, axis]);
    return { values: cut(all.values), columns: cut(all.columns) };
  }
  const inOrder = sorted || ctx.has(key(count, true));
  const [values, columns] = ctx.once(key(count, inOrder), () => {
    const block = ctx.target.fused ? blockOf(length, count) : undefined;
    const asked = { ...wanted, sorted: inOrder };
    const top = block === undefined ? plainTop(ctx, asked) : topInBlocks(ctx, asked, block);
    return [top.values, top.columns];
  });
  return { values, columns };
}
