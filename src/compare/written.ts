import { LEAST_SEEDS, type MeanInterval } from "../metrics/index.ts";

const MINUS = "\u2212";

/** A number with so many places, `−1.2`. */
export const fixed = (value: number, digits: number): string =>
  value
    .toFixed(digits)
    .replace(/^-(?=[\d.]*[1-9])/, MINUS)
    .replace(/^-/, "");

/** The same with its sign always. */
export const signed = (value: number, digits: number): string =>
  `${value > 0 ? "+" : ""}${fixed(value, digits)}`;

/** Places after the point with which a number shows about three figures. */
export function digitsFor(value: number): number {
  const size = Math.abs(value);
  if (size >= 100 || size === 0) return 0;
  return size >= 10 ? 1 : size >= 0.1 ? 2 : Math.min(6, 1 - Math.floor(Math.log10(size)));
}

/** A mean with half its interval: `45.3 ± 1.2`; alone of fewer than three seeds. */
export function plusMinus(
  { mean, half, n }: MeanInterval,
  scale: number,
  digits: number,
  write: typeof fixed = fixed,
): string {
  const width = half === null || n < LEAST_SEEDS ? "" : ` ± ${fixed(scale * half, digits)}`;
  return `${write(scale * mean, digits)}${width}`;
}

/** A measure over seeds: of two, which make no interval of use, both values; else the mean with half its interval. */
export function overSeeds(
  measure: MeanInterval & { readonly bySeed: Readonly<Record<string, number>> },
  scale: number,
  digits: number,
): string {
  const values = Object.values(measure.bySeed);
  if (values.length >= LEAST_SEEDS || values.length < 2) return plusMinus(measure, scale, digits);
  return listed(values.map((value) => fixed(scale * value, digits)));
}

/** Percentage points of an interval's two ends, with enough places that 0 is only shown where it is 0. */
export function pointsBetween({ mean, half }: MeanInterval): string {
  const ends = [mean - (half ?? 0), mean + (half ?? 0)].map((end) => 100 * end);
  const near = Math.min(...ends.map(Math.abs));
  const digits = near >= 0.05 || near === 0 ? 1 : Math.min(6, digitsFor(near));
  const [low, high] = ends.map((end) => fixed(end, digits));
  return `${low} to ${high}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
