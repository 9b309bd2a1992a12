import { parentPort, workerData } from "node:worker_threads";

import { pauses } from "../core/pause.ts";
import { permutation, randomStream } from "../core/random.ts";
import {
  type Features,
  findOutliers,
  inverseNorms,
  kMeans,
  nearestOthers,
  residentRows,
  umap,
} from "../metrics/index.ts";

/** Rows that are laid out by UMAP itself; the others go where their neighbours among these are. */
const LAID_OUT = 20_000;
const NEIGHBOURS = 15;
const BLOCK = 512;

/** How far a layout is: 0 to 1. */
type Progress = (share: number) => void;

const rowsOf = ({ data, dimension }: Features, rows: ArrayLike<number>): Features => {
  const some = new Float32Array(rows.length * dimension);
  for (let i = 0; i < rows.length; i++) {
    some.set(data.subarray(rows[i] * dimension, (rows[i] + 1) * dimension), i * dimension);
  }
  return { data: some, count: rows.length, dimension };
};

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

/** Puts the other rows where their nearest among those laid out are: the mean of five, the nearer ones with more weight. */
function project(
  features: Features,
  laid: Int32Array,
  places: Float32Array,
  progress: Progress,
): Float32Array {
  const { count } = features;
  const all = new Float32Array(2 * count);
  const base = residentRows(rowsOf(features, laid));
  const stream = randomStream("project");
  for (let first = 0; first < count; first += BLOCK) {
    const rows = Array.from({ length: Math.min(BLOCK, count - first) }, (_, i) => first + i);
    const near = base.nearest(rowsOf(features, rows), 5);
    for (const [i, row] of rows.entries()) {
      let [x, y, sum] = [0, 0, 0];
      for (let j = i * near.k; j < (i + 1) * near.k; j++) {
        const weight = 1 / (1e-3 + Math.max(0, 1 - near.similarities[j])) ** 2;
        x += weight * places[2 * near.indices[j]];
        y += weight * places[2 * near.indices[j] + 1];
        sum += weight;
      }
      all[2 * row] = x / sum + 0.04 * (stream.uniform() - 0.5); // equals do not hide each other
      all[2 * row + 1] = y / sum + 0.04 * (stream.uniform() - 0.5);
    }
    progress(0.8 + (0.2 * first) / count);
  }
  laid.forEach((row, i) => all.set(places.subarray(2 * i, 2 * i + 2), 2 * row));
  return all;
}

/** Places of rows on a map, [count, 2]; rows of zeros, which have no direction, lie in the middle. */
export async function mapLayout(
  features: Features,
  seed: number,
  progress: Progress = () => undefined,
) {
  const inverse = inverseNorms(features);
  const known = Int32Array.from([...inverse.keys()].filter((row) => inverse[row] > 0));
  const places = new Float32Array(2 * features.count);
  if (known.length < 5) {
    known.forEach((row, i) => places.set([i, 0], 2 * row));
    return places;
  }
  const alive = known.length === features.count ? features : rowsOf(features, known);
  const laid = someRows(alive.count, LAID_OUT, seed);
  const own = await layOut(rowsOf(alive, laid), seed, progress);
  const found = laid.length === alive.count ? own : project(alive, laid, own, progress);
  known.forEach((row, i) => places.set(found.subarray(2 * i, 2 * i + 2), 2 * row));
  return places;
}

/** Places of rows with what colours them: [count, 2] and [count] each. */
export type Laid = {
  readonly places: Float32Array;
  readonly clusters: Int32Array;
  readonly outliers: Float32Array; // scores, 1 is usual
};

const MOST_COMPARED = 100_000; // rows, all with all

/** A map of rows. Of very many, outlier scores are left out (0): each needs all others. */
export async function makeMap(
  features: Features,
  { seed, clusters }: { seed: number; clusters: number },
  progress: Progress,
): Promise<Laid> {
  const places = await mapLayout(features, seed, (share) => progress(0.6 * share));
  const { assigned } = await kMeans(features, clusters, { seed });
  progress(0.75);
  const { count } = features;
  const k = Math.min(NEIGHBOURS, count >> 1);
  const told = k > 0 && count <= MOST_COMPARED;
  const scores = told
    ? (
        await findOutliers(features, k, {
          progress: (done, total) => progress(0.75 + (0.25 * done) / total),
        })
      ).scores
    : new Float32Array(count);
  return { places, clusters: assigned, outliers: scores };
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
