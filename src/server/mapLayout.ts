import { parentPort, workerData } from "node:worker_threads";

import { pauses } from "../core/pause.ts";
import { permutation, randomStream } from "../core/random.ts";
import {
  type Features,
  findOutliers,
  inverseNorms,
  kMeans,
  nearestOthers,
  pickRows,
  residentRows,
  umap,
} from "../metrics/index.ts";

/** Rows that are laid out by UMAP itself; the others go where their neighbours among these are. */
const LAID_OUT = 10_000;
const NEIGHBOURS = 15;
const NEAREST = 5; // of them, whose places a row takes the mean of
const BLOCK = 512;

/** How far a layout is: 0 to 1. */
type Progress = (share: number) => void;

/** `most` of `count` rows by chance, in their order. */
const someRows = (count: number, most: number, seed: number): Int32Array =>
  Int32Array.from(permutation(randomStream("map", seed), count).subarray(0, most)).sort();

/** Lays rows out by UMAP over their nearest by cosine, which are found exactly. */
async function layOut(features: Features, seed: number, progress: Progress) {
  const { count } = features;
  const pause = pauses("the map");
  const near = await nearestOthers(features, Math.min(NEIGHBOURS, count - 1), async (done) => {
    progress((0.5 * done) / count);
    await pause();
  });
  return umap(features, near, {
    seed,
    progress: (done, total) => progress(0.5 + (0.3 * done) / total),
  });
}

/** Places [count, 2]; where not all rows were laid out, also the distance of each to its 15th nearest of those. */
type Places = { readonly places: Float32Array; readonly far?: Float32Array };

/** Puts the other rows where their nearest among those laid out are: the mean of five, the nearer ones with more weight. */
function project(
  features: Features,
  laid: Int32Array,
  places: Float32Array,
  progress: Progress,
): Places {
  const { count } = features;
  const all = new Float32Array(2 * count);
  const far = new Float32Array(count);
  const base = residentRows(pickRows(features, laid));
  const stream = randomStream("project");
  for (let first = 0; first < count; first += BLOCK) {
    const rows = Array.from({ length: Math.min(BLOCK, count - first) }, (_, i) => first + i);
    const near = base.nearest(pickRows(features, rows), NEIGHBOURS);
    for (const [i, row] of rows.entries()) {
      let [x, y, sum] = [0, 0, 0];
      for (let j = i * near.k; j < i * near.k + Math.min(NEAREST, near.k); j++) {
        const weight = 1 / (1e-3 + Math.max(0, 1 - near.similarities[j])) ** 2;
        x += weight * places[2 * near.indices[j]];
        y += weight * places[2 * near.indices[j] + 1];
        sum += weight;
      }
      far[row] = Math.max(0, 1 - near.similarities[(i + 1) * near.k - 1]);
      all[2 * row] = x / sum + 0.04 * (stream.uniform() - 0.5); // equals do not hide each other
      all[2 * row + 1] = y / sum + 0.04 * (stream.uniform() - 0.5);
    }
    progress(0.8 + (0.2 * first) / count);
  }
  laid.forEach((row, i) => all.set(places.subarray(2 * i, 2 * i + 2), 2 * row));
  return { places: all, far };
}

/** Places of rows on a map, [count, 2]; rows of zeros, which have no direction, lie in the middle. */
export async function mapLayout(
  features: Features,
  seed: number,
  progress: Progress = () => undefined,
): Promise<Places> {
  const inverse = inverseNorms(features);
  const known = Int32Array.from([...inverse.keys()].filter((row) => inverse[row] > 0));
  const places = new Float32Array(2 * features.count);
  if (known.length < 5) {
    known.forEach((row, i) => places.set([i, 0], 2 * row));
    return { places };
  }
  const alive = known.length === features.count ? features : pickRows(features, known);
  const laid = someRows(alive.count, LAID_OUT, seed);
  const own = await layOut(pickRows(alive, laid), seed, progress);
  const found: Places =
    laid.length === alive.count ? { places: own } : project(alive, laid, own, progress);
  known.forEach((row, i) => places.set(found.places.subarray(2 * i, 2 * i + 2), 2 * row));
  if (found.far === undefined) return { places };
  const far = new Float32Array(features.count);
  known.forEach((row, i) => (far[row] = found.far![i]));
  return { places, far };
}

/** Places of rows with what colours them: [count, 2] and [count] each. */
export type Laid = {
  readonly places: Float32Array;
  readonly clusters: Int32Array;
  readonly outliers: Float32Array; // scores, 1 is usual
};

/** Distances in medians of all: 1 is usual. */
function inMedians(distances: Float32Array): Float32Array {
  const median = distances.toSorted()[distances.length >> 1];
  return distances.map((distance) => (median > 0 ? distance / median : 1));
}

/** A map of rows with their clusters and outlier scores; of many, distances to those that were laid out tell the scores. */
async function makeMap(
  features: Features,
  { seed, clusters }: { seed: number; clusters: number },
  progress: Progress,
): Promise<Laid> {
  const { places, far } = await mapLayout(features, seed, (share) => progress(0.7 * share));
  const { assigned } = await kMeans(features, clusters, { seed });
  progress(0.9);
  const k = Math.min(NEIGHBOURS, features.count >> 1);
  const outliers =
    far !== undefined
      ? inMedians(far)
      : k < 1
        ? new Float32Array(features.count)
        : (await findOutliers(features, k)).scores;
  return { places, clusters: assigned, outliers };
}

if (parentPort !== null) {
  const port = parentPort;
  const { features, ...options } = workerData as {
    features: Features;
    seed: number;
    clusters: number;
  };
  let said = 0;
  const laid = await makeMap(features, options, (share) => {
    if (share - said < 0.01) return;
    said = share;
    port.postMessage({ share });
  });
  port.postMessage({ laid });
}
