/** A share of successes with the interval that holds the true share in 95 of 100 repetitions. */
export type Share = {
  readonly value: number; // 0 to 1; NaN where count is 0
  readonly correct: number;
  readonly count: number;
  readonly low: number; // 0 to 1
  readonly high: number; // 0 to 1
};

/**
 * A share with its Wilson score interval at 95 %.
 *
 * (p + z²/2n ± z·√(p(1 − p)/n + z²/4n²)) / (1 + z²/n). Wilson (1927), doi:10.1080/01621459.1927.10502953.
 */
export function share(correct: number, count: number): Share {
  if (count === 0) return { value: NaN, correct, count, low: 0, high: 1 };
  const z = 1.959963984540054; // 97.5 % of a normal distribution
  const value = correct / count;
  const middle = value + (z * z) / (2 * count);
  const reach = z * Math.sqrt((value * (1 - value)) / count + (z * z) / (4 * count * count));
  const scale = 1 + (z * z) / count;
  const low = correct === 0 ? 0 : Math.max(0, (middle - reach) / scale);
  const high = correct === count ? 1 : Math.min(1, (middle + reach) / scale);
  return { value, correct, count, low, high };
}

/** Share of predictions that are right in each class [classes]. Rows labelled −1 are left out. */
export function classShares(
  predictions: ArrayLike<number>, // [N]
  labels: ArrayLike<number>, // [N]
  classes: number,
): Share[] {
  const correct = new Int32Array(classes);
  const count = new Int32Array(classes);
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] < 0) continue;
    count[labels[i]]++;
    if (predictions[i] === labels[i]) correct[labels[i]]++;
  }
  return Array.from(correct, (right, i) => share(right, count[i]));
}
