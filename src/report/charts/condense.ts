/** Neighbouring points taken together: places `first` to `last` of the list, mean and extremes. */
export type Bucket = { first: number; last: number };

/** Cuts `length` points in order into at most `limit` buckets of nearly equal size. */
export function bucketsOf(length: number, limit: number): Bucket[] {
  const count = Math.min(length, limit);
  const start = (i: number) => Math.floor((i * length) / count);
  return Array.from({ length: count }, (_, i) => ({ first: start(i), last: start(i + 1) - 1 }));
}

/** Mean, lowest and highest of the finite values of a bucket; NaN where it holds none. */
export function spreadOf(values: readonly number[], { first, last }: Bucket) {
  const inside = values.slice(first, last + 1).filter((value) => Number.isFinite(value));
  if (inside.length === 0) return { mean: NaN, low: NaN, high: NaN };
  const mean = inside.reduce((sum, value) => sum + value, 0) / inside.length;
  return { mean, low: Math.min(...inside), high: Math.max(...inside) };
}
