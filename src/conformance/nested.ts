import { type HostArray, hostArray, sizeOf } from "../core/arrays.ts";
import { ShapeError } from "../core/errors.ts";
import type { Nested } from "./caseFile.ts";

/** Shape of equally long nested lists, read off the first of each. */
function shapeOf(nested: Nested): number[] {
  if (!Array.isArray(nested)) return [];
  return nested.length === 0 ? [0] : [nested.length, ...shapeOf(nested[0])];
}

function flatten(nested: Nested, into: number[]): number[] {
  if (Array.isArray(nested)) for (const inner of nested) flatten(inner, into);
  else into.push(nested);
  return into;
}

function checkEven(nested: Nested, shape: readonly number[], name: string): void {
  const fits = Array.isArray(nested) ? nested.length === shape[0] : shape.length === 0;
  if (!fits) throw new ShapeError(`${name} has lists of different lengths, expected equal ones`);
  if (Array.isArray(nested)) for (const inner of nested) checkEven(inner, shape.slice(1), name);
}

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
};

/** Nested lists as one array; `name` stands for them in messages. */
export function arrayOf(
  nested: Nested,
  dtype: keyof typeof constructors,
  name = "an array",
): HostArray {
  const shape = shapeOf(nested);
  checkEven(nested, shape, name);
  return hostArray(dtype, shape, constructors[dtype].from(flatten(nested, [])) as never);
}

/** One array as nested lists; a number where it has no axes. */
export function nestedOf({ shape, data }: HostArray): Nested {
  const at = (axes: readonly number[], from: number): Nested => {
    if (axes.length === 0) return data[from];
    const [count, ...inner] = axes;
    const size = sizeOf(inner);
    return Array.from({ length: count }, (_, i) => at(inner, from + i * size));
  };
  return at(shape, 0);
}

/** A matrix by its entries. */
export const matrixOf = (
  rows: number,
  columns: number,
  entry: (row: number, column: number) => number | boolean,
): number[][] =>
  Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => Number(entry(i, j))),
  );
