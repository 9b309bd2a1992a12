import { DataError } from "../core/errors.ts";
import type { ParquetLeaf } from "./parquetFooter.ts";
import type { ParquetPage } from "./parquetPages.ts";
import type { ParquetValue, ParquetValues } from "./parquetValues.ts";

/**
 * What a column holds in a row: a value, a list of values, or nothing. Lists of float32 without gaps are
 * `Float32Array`.
 */
export type ParquetCell = ParquetValue | ParquetValues | readonly (ParquetValue | null)[] | null;

/** One list for each row, from values that lie one behind the other. */
function listsOf(page: ParquetPage, { listed, deepest }: ParquetLeaf): ParquetCell[] {
  const { count, values, repetition = [], definition = [] } = page;
  const cells: ParquetCell[] = [];
  let at = 0; // of values
  for (let start = 0, end = 0; start < count; start = end) {
    for (end = start + 1; end < count && repetition[end] === 1;) end++;
    const first = definition[start];
    if (repetition[start] === 1) throw new DataError("its first list starts before its first row");
    if (first < listed) {
      if (end > start + 1) throw new DataError("a list without elements goes on");
      cells.push(first < listed - 1 ? null : []);
      continue;
    }
    const marks = definition.slice(start, end);
    if (marks.every((mark) => mark === deepest)) {
      cells.push(values.slice(at, (at += end - start)));
    } else {
      if (!marks.every((mark) => mark >= listed)) throw new DataError("a list ends and goes on");
      cells.push(Array.from(marks, (mark) => (mark === deepest ? values[at++] : null)));
    }
  }
  return cells;
}

/** What a leaf holds in each of `rows` rows. Throws `DataError` where its levels do not fit together. */
export function cellsOf(
  page: ParquetPage,
  leaf: ParquetLeaf,
  rows: number,
): readonly ParquetCell[] {
  const { values, definition } = page;
  if (leaf.listed === 0 && definition === undefined) return Array.from(values);
  let at = 0;
  const cells =
    leaf.listed > 0
      ? listsOf(page, leaf)
      : Array.from(definition!, (mark) => (mark === leaf.deepest ? values[at++] : null));
  if (cells.length === rows) return cells;
  throw new DataError(`it has ${cells.length} rows, expected ${rows}`);
}
