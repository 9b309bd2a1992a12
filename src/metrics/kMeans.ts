import { ConfigError } from "../core/errors.ts";
import { pauses } from "../core/pause.ts";
import { randomStream } from "../core/random.ts";
import { checkFeatures, type Features, unitRows } from "./features.ts";
import { nearestInBlocks } from "./nearestInBlocks.ts";
import { residentRows } from "./residentRows.ts";

/** Rows in groups around centres. */
export type Clusters = {
  readonly k: number;
  readonly centres: Features; // [k, dimension], of length 1
  readonly assigned: Int32Array; // [count], the cluster of each row
  readonly similarities: Float32Array; // [count], cosine of each row and its centre
  readonly rounds: number;
};

/** Options of `kMeans`. */
export type KMeansOptions = {
  /** Another seed starts elsewhere; 0 by default. */
  readonly seed?: number;
  /** Told of every round of every start, both from 1. */
  readonly progress?: ((start: number, round: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

const ROUNDS = 100;
const TRIES = 4; // starts, of which the best is kept

type Start = {
  rows: Features;
  k: number;
  stream: ReturnType<typeof randomStream>;
  pause: () => Promise<void>;
};

/** First centres far from each other, each drawn with the chance of its squared distance (k-means++). */
async function firstCentres({ rows, k, stream, pause }: Start): Promise<Float32Array> {
  const { data, count, dimension } = rows;
  const centres = new Float32Array(k * dimension);
  const far = new Float64Array(count).fill(Infinity);
  let next = stream.integer(count);
  for (let c = 0; c < k; c++) {
    const centre = data.subarray(next * dimension, (next + 1) * dimension);
    centres.set(centre, c * dimension);
    let total = 0;
    for (let i = 0; i < count; i++) {
      let product = 0;
      for (let e = 0; e < dimension; e++) product += centre[e] * data[i * dimension + e];
      far[i] = Math.min(far[i], Math.max(0, 2 - 2 * product));
      total += far[i];
    }
    let left = stream.uniform(0, total);
    next = 0;
    while (next < count - 1 && (left -= far[next]) > 0) next++;
    await pause();
  }
  return centres;
}

/** Means of the rows of each cluster, of length 1; a cluster without rows takes the row farthest from its centre. */
function meansOf(rows: Features, k: number, assigned: Int32Array, similarities: Float32Array) {
  const { data, count, dimension } = rows;
  const sums = new Float32Array(k * dimension);
  const sizes = new Int32Array(k);
  for (let i = 0; i < count; i++) {
    sizes[assigned[i]]++;
    const at = assigned[i] * dimension;
    for (let e = 0; e < dimension; e++) sums[at + e] += data[i * dimension + e];
  }
  let farthest: number[] | undefined;
  for (let c = 0; c < k; c++) {
    if (sizes[c] > 0) continue;
    farthest ??= [...similarities.keys()].sort((a, b) => similarities[a] - similarities[b]);
    const row = farthest.shift()!;
    sums.set(data.subarray(row * dimension, (row + 1) * dimension), c * dimension);
  }
  return unitRows({ data: sums, count: k, dimension });
}

async function settle(start: Start, tell: (round: number) => void): Promise<Clusters> {
  const { rows, k, pause } = start;
  const nearest = (to: Features) => nearestInBlocks(residentRows(to), rows, 1, pause);
  let centres: Features = { data: await firstCentres(start), count: k, dimension: rows.dimension };
  let found = await nearest(centres);
  let rounds = 0;
  for (let same = false; !same && rounds < ROUNDS; rounds++) {
    tell(rounds + 1);
    centres = meansOf(rows, k, found.indices, found.similarities);
    const next = await nearest(centres);
    same = next.indices.every((cluster, i) => cluster === found.indices[i]);
    found = next;
  }
  return { k, centres, assigned: found.indices, similarities: found.similarities, rounds };
}

/**
 * Groups rows by direction: spherical k-means from several starts, the tightest result kept. Clusters are
 * numbered by size, the largest first.
 *
 * Dhillon and Modha 2001, "Concept Decompositions for Large Sparse Text Data Using Clustering"; first
 * centres by Arthur and Vassilvitskii 2007, "k-means++".
 */
export async function kMeans(
  features: Features,
  k: number,
  { seed = 0, progress, signal }: KMeansOptions = {},
): Promise<Clusters> {
  checkFeatures("kMeans", "features", features);
  if (!Number.isInteger(k) || k < 1 || k > features.count) {
    throw new ConfigError(
      `kMeans: k is ${k}, expected a whole number from 1 to the ${features.count} rows there are`,
    );
  }
  const rows = unitRows(features);
  const stream = randomStream(seed, "kMeans");
  const pause = pauses("clustering", signal);
  const tries: Clusters[] = [];
  for (let start = 1; start <= TRIES; start++) {
    tries.push(await settle({ rows, k, stream, pause }, (round) => progress?.(start, round)));
  }
  const tightness = ({ similarities }: Clusters) => similarities.reduce((sum, x) => sum + x, 0);
  const best = tries.reduce((a, b) => (tightness(b) > tightness(a) ? b : a));
  return bySize(best);
}

function bySize({ k, centres, assigned, ...rest }: Clusters): Clusters {
  const sizes = new Int32Array(k);
  assigned.forEach((cluster) => sizes[cluster]++);
  const order = [...sizes.keys()].sort((a, b) => sizes[b] - sizes[a] || a - b);
  const place = new Int32Array(k);
  order.forEach((cluster, i) => (place[cluster] = i));
  const { dimension } = centres;
  const data = new Float32Array(k * dimension);
  order.forEach((cluster, i) =>
    data.set(centres.data.subarray(cluster * dimension, (cluster + 1) * dimension), i * dimension),
  );
  return {
    k,
    ...rest,
    centres: { data, count: k, dimension },
    assigned: assigned.map((cluster) => place[cluster]),
  };
}
