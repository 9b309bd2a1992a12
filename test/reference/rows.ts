/** Rows of numbers. */
export type Matrix = number[][];

/** The row divided by max(its length, 1e-12). */
export function unitRow(row: readonly number[]): number[] {
  const norm = Math.sqrt(row.reduce((total, x) => total + x * x, 0));
  return row.map((x) => x / Math.max(norm, 1e-12));
}

export const unitRows = (rows: Matrix): Matrix => rows.map(unitRow);

/** Σ aᵢ·bᵢ */
export const product = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, x, i) => total + x * b[i], 0);

/** Places of a list from the largest value to the smallest; of equal values the lower place first. */
export const descending = (values: readonly number[]): number[] =>
  values.map((_, i) => i).sort((a, b) => values[b] - values[a] || a - b);

/** Places of a list from the smallest value to the largest; of equal values the lower place first. */
export const ascending = (values: readonly number[]): number[] =>
  values.map((_, i) => i).sort((a, b) => values[a] - values[b] || a - b);

/** unit(m · old + (1 − m) · fresh), of unit rows. */
export const blended = (old: readonly number[], fresh: readonly number[], m: number): number[] =>
  unitRow(old.map((x, i) => m * x + (1 - m) * fresh[i]));

/** 0 … count − 1 */
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
