import { range } from "./rows.ts";
import { leaf, mean, type Scalar, slopes, unit } from "./tape.ts";

/** Numbers in nested lists. */
export type Nested = number | Nested[];

/** What a case expects, by name. */
export type Expected = Record<string, unknown>;

/** A row of variables and the unit row made of it. */
export type Row = { readonly raw: readonly Scalar[]; readonly unit: readonly Scalar[] };

/** Variables for a row of numbers. */
export function rowOf(numbers: readonly number[]): Row {
  const raw = numbers.map(leaf);
  return { raw, unit: unit(raw) };
}

export const rowsOf = (matrix: readonly (readonly number[])[]): Row[] => matrix.map(rowOf);

/** Rows in nested lists. */
export type NestedRows = Row | NestedRows[];

const isList = (rows: NestedRows): rows is NestedRows[] => Array.isArray(rows);

function slopesOf(rows: NestedRows, slope: Map<number, number>): Nested {
  if (isList(rows)) return rows.map((inner) => slopesOf(inner, slope));
  return rows.raw.map(({ id }) => slope.get(id) ?? 0);
}

/** Loss, loss of each anchor, and the gradients with respect to the raw rows named. */
export function standard(
  perAnchor: readonly Scalar[],
  differentiate: Record<string, NestedRows>,
): Expected {
  const loss = mean(perAnchor);
  const slope = slopes(loss);
  const gradients = Object.entries(differentiate).map(([name, rows]) => [
    name,
    slopesOf(rows, slope),
  ]);
  return {
    loss: loss.value,
    perAnchor: perAnchor.map(({ value }) => value),
    gradients: Object.fromEntries(gradients) as Record<string, Nested>,
  };
}

/** 1 where a place is in the list, else 0. */
export const maskOf = (places: Iterable<number>, count: number): number[] => {
  const chosen = new Set(places);
  return range(count).map((i) => (chosen.has(i) ? 1 : 0));
};
