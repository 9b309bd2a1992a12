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

const LONGEST = 64; // letters of a word that may be a mistyped one

const plain = (text: string) => text.toLowerCase().replace(/[-_.\s]/g, "");

/** First letters of the parts of a word: "lr" of "--learning-rate" and of "learningRate". */
const initials = (text: string) =>
  text
    .split(/[-_.\s]+|(?=[A-Z])/)
    .map((part) => part.charAt(0).toLowerCase())
    .join("");

/**
 * The known word that a mistyped one may have meant: the nearest in letters, else one of these initials, else the
 * shortest that begins like it; undefined where there is none.
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST) return undefined;
  const asked = plain(word);
  const ranked = known
    .map((candidate) => ({ candidate, cost: distance(asked, plain(candidate)) }))
    .sort((a, b) => a.cost - b.cost);
  const best = ranked.at(0);
  if (best !== undefined && best.cost <= Math.max(1, asked.length / 3)) return best.candidate;
  if (asked.length < 2) return undefined;
  const abbreviated = known.find((candidate) => initials(candidate) === asked);
  if (abbreviated !== undefined) return abbreviated;
  if (asked.length < 4) return undefined;
  return known
    .filter((candidate) => plain(candidate).startsWith(asked))
    .sort((a, b) => a.length - b.length)
    .at(0);
}
