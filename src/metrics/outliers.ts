import { ConfigError } from "../core/errors.ts";
import { pauses, type WorkCalls } from "../core/pause.ts";
import { checkFeatures, type Features } from "./features.ts";
import { nearestOthers } from "./nearestOthers.ts";

/** How far each row lies from the others. */
export type Outliers = {
  readonly k: number;
  /** Cosine distance of each row to its k-th nearest other, 0 (the same direction) to 2. */
  readonly distances: Float32Array;
  /** The same in medians of all rows: 1 is usual. */
  readonly scores: Float32Array;
  /** The nearest other of each row, −1 for a row of zeros, and its cosine similarity. */
  readonly nearest: Int32Array;
  readonly similarities: Float32Array;
  readonly median: number; // of the distances
  /** Score from which a row is odd: two and a half robust deviations above the median (Leys et al. 2013). */
  readonly limit: number;
};

const NORMAL = 1.4826; // deviation of a normal distribution in medians of its absolute deviations
const DEVIATIONS = 2.5;

function medianOf(values: Float32Array): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Distances to the k-th nearest other (Ramaswamy et al. 2000, "Efficient Algorithms for Mining Outliers from Large Data
 * Sets"). Odd rows that are like each other stand out as long as there are no more than `k` of them, which means of the
 * `k` distances do not give. Where most rows have `k` equals, the median is that of the rows that have not.
 */
export async function findOutliers(
  features: Features,
  k: number,
  { progress, signal }: WorkCalls = {},
): Promise<Outliers> {
  const { count } = features;
  checkFeatures("findOutliers", "features", features, 2);
  if (!Number.isInteger(k) || k < 1 || k >= count) {
    throw new ConfigError(
      `findOutliers: k is ${k}, expected a whole number from 1 to ${count - 1}, the other rows there are`,
    );
  }
  const pause = pauses("the search for outliers", signal);
  const found = await nearestOthers(features, k, async (done) => {
    progress?.(done, count);
    await pause();
  });
  const pick = (values: Float32Array | Int32Array, place: number) =>
    Array.from({ length: count }, (_, i) => values[i * k + place]);
  const distances = Float32Array.from(pick(found.similarities, k - 1), (s) => Math.max(0, 1 - s));
  const apart = distances.filter((distance) => distance > 1e-6); // rounding
  const median = apart.length === 0 ? 1 : medianOf(medianOf(distances) > 1e-6 ? distances : apart);
  const scores = distances.map((distance) => distance / median);
  const deviation = NORMAL * medianOf(scores.map((score) => Math.abs(score - 1)));
  return {
    k,
    distances,
    scores,
    median,
    limit: 1 + DEVIATIONS * deviation,
    nearest: Int32Array.from(pick(found.indices, 0)),
    similarities: Float32Array.from(pick(found.similarities, 0)),
  };
}
