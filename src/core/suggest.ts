function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, replaced));
    }
    row = next;
  }
  return row[b.length];
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
