/** Letters to insert, remove, replace or swap with their neighbour to turn one word into another. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const cost = Math.min(
        rows[i - 1][j] + 1,
        row[j - 1] + 1,
        rows[i - 1][j - 1] + (same ? 0 : 1),
      );
      row.push(swapped ? Math.min(cost, rows[i - 2][j - 2] + 1) : cost);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/** The known word nearest to a mistyped one, or undefined where none is near. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_.\s]/g, "");
  const ranked = known
    .map((candidate) => ({ candidate, cost: distance(plain(word), plain(candidate)) }))
    .sort((a, b) => a.cost - b.cost);
  const best = ranked.at(0);
  return best !== undefined && best.cost <= Math.max(1, word.length / 3)
    ? best.candidate
    : undefined;
}
