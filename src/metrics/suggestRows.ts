import { ConfigError, ShapeError } from "../core/errors.ts";
import { pauses, type WorkCalls } from "../core/pause.ts";
import { checkFeatures, type Features, pickRows, unitRows } from "./features.ts";
import { kMeans } from "./kMeans.ts";
import { knnClassify } from "./knn.ts";
import { nearestOthers } from "./nearestOthers.ts";

/** A row whose label would tell most. */
export type SuggestedRow = {
  readonly row: number;
  readonly why: "typical" | "uncertain";
  /** Typicality, more is more typical; or the margin of the vote, 0 (two classes level) to 1. */
  readonly score: number;
  /** Of a typical row: how many rows its cluster has. */
  readonly clusterSize?: number;
  /** Of an uncertain row: the class that the vote is for. */
  readonly guess?: number;
};

/** What is asked for. */
export type SuggestOptions = WorkCalls & {
  readonly count: number; // rows
  readonly uncertain?: number | undefined; // of these, by the vote of the labelled; 0 by default
  readonly seed?: number | undefined;
};

const NEIGHBOURS = 20; // that typicality goes by, and that vote
const LEAST = 5; // rows of a cluster; smaller ones are left out while others are there
const MOST = 500; // clusters

/** 1 / the mean distance to the nearest others of a cluster, for each of its rows. */
async function typicality(
  features: Features,
  rows: readonly number[],
  pause: () => Promise<void>,
): Promise<number[]> {
  if (rows.length < 2) return rows.map(() => 0);
  const k = Math.min(NEIGHBOURS, Math.max(1, rows.length >> 1));
  const near = await nearestOthers(pickRows(features, rows), k, pause);
  return rows.map((_, i) => {
    let sum = 0;
    for (let n = i * near.k; n < (i + 1) * near.k; n++) {
      sum += Math.sqrt(Math.max(0, 2 - 2 * near.similarities[n]));
    }
    return near.k / Math.max(1e-9, sum);
  });
}

/**
 * The most typical unlabelled row of each cluster, clusters with the fewest labelled rows first, then the largest: as
 * many clusters as there will be labels. TypiClust, Hacohen, Dekel and Weinshall 2022, arXiv:2202.02794, section 3.
 */
async function typicalRows(
  features: Features,
  labels: Int32Array,
  { count, seed = 0, signal }: SuggestOptions,
): Promise<SuggestedRow[]> {
  const labelled = labels.reduce((sum, label) => sum + (label < 0 ? 0 : 1), 0);
  const k = Math.min(MOST, features.count, labelled + count);
  const { assigned } = await kMeans(features, k, { seed, signal });
  const pause = pauses("suggesting", signal);
  const clusters = Array.from({ length: k }, (): number[] => []);
  assigned.forEach((cluster, row) => clusters[cluster].push(row));
  const known = (rows: readonly number[]) => rows.filter((row) => labels[row] >= 0).length;
  const ranked = clusters
    .filter((rows) => known(rows) < rows.length)
    .map((rows) => ({ rows, known: known(rows), small: rows.length < LEAST ? 1 : 0 }))
    .sort((a, b) => a.small - b.small || a.known - b.known || b.rows.length - a.rows.length);
  const found: SuggestedRow[][] = [];
  for (const { rows } of ranked.slice(0, count)) {
    const scores = await typicality(features, rows, pause);
    const order = [...rows.keys()].sort((a, b) => scores[b] - scores[a] || a - b);
    found.push(
      order
        .filter((i) => labels[rows[i]] < 0)
        .map((i) => ({ row: rows[i], why: "typical", score: scores[i], clusterSize: rows.length })),
    );
  }
  // round after round where there are fewer clusters than rows asked for
  const rounds = Math.max(0, ...found.map((rows) => rows.length));
  const all = Array.from({ length: rounds }, (_, i) => found.flatMap((rows) => rows[i] ?? []));
  return all.flat().slice(0, count);
}

/** Unlabelled rows by the margin between the two classes with most of the k-NN vote, the smallest first. */
function uncertainRows(features: Features, labels: Int32Array): SuggestedRow[] {
  const all = [...labels.keys()];
  const [known, open] = [all.filter((i) => labels[i] >= 0), all.filter((i) => labels[i] < 0)];
  const classes = Math.max(-1, ...labels) + 1;
  if (known.length === 0 || open.length === 0 || classes < 2) return [];
  const train = {
    features: pickRows(features, known),
    labels: known.map((i) => labels[i]),
    classes,
  };
  const test = { features: pickRows(features, open), labels: open.map(() => -1) };
  const { margins, predictions } = knnClassify(train, test, { k: NEIGHBOURS });
  return open
    .map((row, i): SuggestedRow => ({
      row,
      why: "uncertain",
      score: margins[i],
      guess: predictions[i],
    }))
    .sort((a, b) => a.score - b.score || a.row - b.row);
}

/**
 * Rows to label next: typical ones, and where some are labelled uncertain ones too (Scheffer et al. 2001: the margin).
 *
 * @param labels −1 for rows without one
 */
export async function suggestRows(
  given: Features,
  labels: Int32Array,
  options: SuggestOptions,
): Promise<SuggestedRow[]> {
  const { count, uncertain = 0 } = options;
  checkFeatures("suggestRows", "features", given);
  if (labels.length !== given.count) {
    throw new ShapeError(
      `suggestRows: ${labels.length} labels for ${given.count} rows, expected one a row`,
    );
  }
  const open = labels.reduce((sum, label) => sum + (label < 0 ? 1 : 0), 0);
  if (!Number.isInteger(count) || count < 1 || count > open) {
    throw new ConfigError(
      `suggestRows: count is ${count}, expected 1 to the ${open} rows without a label`,
    );
  }
  const features = unitRows(given);
  const unsure = uncertain === 0 ? [] : uncertainRows(features, labels).slice(0, uncertain);
  const taken = labels.slice();
  for (const { row } of unsure) taken[row] = 0; // once is enough; its cluster counts as covered
  const rest = count - unsure.length;
  const typical = rest === 0 ? [] : await typicalRows(features, taken, { ...options, count: rest });
  return [...typical, ...unsure];
}
