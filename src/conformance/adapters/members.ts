/** Columns of a row where a weight is above 0, ascending. */
export const columnsOf = (weights: readonly number[]): number[] =>
  weights.flatMap((weight, column) => (weight > 0 ? [column] : []));

/** Columns of each row where a weight is above 0, in descending order of cosine, ties by column. */
export function membersOf(weights: unknown, cosines: unknown): number[][] {
  const cosine = cosines as number[][];
  return (weights as number[][]).map((row, i) =>
    columnsOf(row).sort((a, b) => cosine[i][b] - cosine[i][a] || a - b),
  );
}
