/** Two ends of a range, smaller first on an axis. */
export type Range = readonly [number, number];

/** Maps `domain` linearly onto `range`. */
export function linearScale(domain: Range, range: Range): (value: number) => number {
  const slope = (range[1] - range[0]) / (domain[1] - domain[0]);
  return (value) => range[0] + (value - domain[0]) * slope;
}

/** The step of 1, 2 or 5 times a power of ten that cuts `span` into about `count` pieces. */
export function niceStep(span: number, count: number): number {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  return power * (lead < Math.SQRT2 ? 1 : lead < Math.sqrt(10) ? 2 : lead < Math.sqrt(50) ? 5 : 10);
}

/** A range of some width around `values`: a single value gets room on both sides. */
export function rangeOf(values: readonly number[]): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  if (high - low > 1e-12 * Math.max(Math.abs(low), Math.abs(high))) return [low, high];
  const room = low === 0 ? 1 : Math.abs(low) / 2;
  return [low - room, high + room];
}

// a quotient that is a whole number but for rounding counts as that number
const slackOf = (quotient: number): number => 1e-9 + 3 * Number.EPSILON * Math.abs(quotient);
const floorOf = (quotient: number): number => Math.floor(quotient + slackOf(quotient));
const ceilOf = (quotient: number): number => Math.ceil(quotient - slackOf(quotient));

/** Multiples of `step` inside `range`, exact to the last digit of the step. */
export function multiplesWithin(range: Range, step: number): number[] {
  const first = ceilOf(range[0] / step);
  const last = floorOf(range[1] / step);
  const digits = decimals(step);
  return Array.from({ length: last - first + 1 }, (_, i) => rounded((first + i) * step, digits));
}

/** An axis of about `count` round steps that holds `range` and ends on ticks. */
export function niceAxis(range: Range, count: number) {
  const step = niceStep(range[1] - range[0], count);
  const low = floorOf(range[0] / step) * step;
  const high = ceilOf(range[1] / step) * step;
  const ticks = multiplesWithin([low, high], step);
  const domain: Range = [ticks[0], ticks[ticks.length - 1]];
  return { domain, ticks, digits: decimals(step) };
}

/** Places after the point that tell multiples of `step` apart. */
export const decimals = (step: number): number =>
  Math.min(15, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits)) + 0;
