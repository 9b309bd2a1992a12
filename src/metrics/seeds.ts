import { studentQuantile, studentTail } from "./studentT.ts";

/** A mean over seeds with the interval that holds the true mean; no interval of fewer than two. */
export type MeanInterval = {
  readonly mean: number; // NaN of none
  readonly half: number | null; // half the width of the interval
  readonly n: number;
};

/** A mean difference over seeds that both sides have. */
export type PairedDifference = MeanInterval & {
  /** Chance of a mean at least so far from 0 where there is none, times the comparisons; null of fewer than two. */
  readonly p: number | null;
};

/** What intervals allow to say of a difference. `few` where there are fewer than three pairs. */
export type Verdict = "better" | "worse" | "none" | "few";

/** Pairs of seeds from which on a difference is called one. */
export const LEAST_SEEDS = 3;

const meanOf = (numbers: readonly number[]): number =>
  numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

/**
 * Standard error of the mean; equal numbers have none, whatever their rounding, unless they are known to be no
 * finer than `step`: then their deviation counts as one step at least.
 */
function standardError(numbers: readonly number[], mean: number, step: number): number {
  const squares = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const found = Math.sqrt(squares / (numbers.length - 1));
  const deviation = found <= 1e-12 * Math.max(...numbers.map(Math.abs)) ? 0 : found;
  return Math.max(deviation, step) / Math.sqrt(numbers.length);
}

/**
 * Mean of numbers, one a seed, with its interval by Student's t.
 *
 * @param level of the interval, 0 to 1
 * @param step least deviation of the numbers that the interval goes by
 */
export function meanInterval(numbers: readonly number[], level = 0.95, step = 0): MeanInterval {
  const [n, mean] = [numbers.length, meanOf(numbers)];
  if (n < 2) return { mean, half: null, n };
  const error = standardError(numbers, mean, step);
  return { mean, half: studentQuantile(1 - level, n - 1) * error, n };
}

/** The level that each of `comparisons` intervals needs so that all hold at once at `level` (Bonferroni). */
export const correctedLevel = (level: number, comparisons: number): number =>
  1 - (1 - level) / Math.max(1, comparisons);

/**
 * Mean of `ours - theirs` over the seeds that both have, with its interval.
 *
 * @param comparisons that are made side by side: interval and p are corrected for them (Bonferroni)
 * @param step that one measurement is no finer than, as one image of a test set: three seeds that happen to agree
 *   to the last image do not make an interval of no width
 */
export function pairedDifference(
  ours: ReadonlyMap<number, number>,
  theirs: ReadonlyMap<number, number>,
  comparisons = 1,
  step = 0,
): PairedDifference {
  const common = [...ours].filter(([seed]) => theirs.has(seed));
  const differences = common.map(([seed, value]) => value - theirs.get(seed)!);
  const found = meanInterval(differences, correctedLevel(0.95, comparisons), step);
  if (found.half === null) return { ...found, p: null };
  const error = standardError(differences, found.mean, step);
  const t = error === 0 ? (found.mean === 0 ? 0 : Infinity) : found.mean / error;
  return { ...found, p: Math.min(1, comparisons * studentTail(t, found.n - 1)) };
}

/** Whether an interval leaves 0 out, of a measure of which more is better. */
export function verdictOf({ mean, half, n }: MeanInterval): Verdict {
  if (n < LEAST_SEEDS || half === null) return "few";
  if (Math.abs(mean) <= half) return "none";
  return mean > 0 ? "better" : "worse";
}
