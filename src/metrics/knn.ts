import { ConfigError, DataError, ShapeError } from "../core/errors.ts";
import type { LabelledFeatures } from "./features.ts";
import { type Neighbours, nearestNeighbours } from "./nearest.ts";

/** Options of `knnClassify`. */
export type KnnOptions = {
  /** Neighbours that vote; 20 by default, at most all there are. */
  k?: number;
  /** T of the weights exp(similarity / T); 0.07 by default. */
  temperature?: number;
  /** Train and test are the same rows: no row votes for itself. */
  leaveOneOut?: boolean;
};

/** What `knnClassify` found. */
export type KnnResult = {
  /** Share of the labelled test rows classified correctly; NaN where none is labelled. */
  readonly accuracy: number;
  /** Mean over the classes of the test rows of the share of each that is classified correctly. */
  readonly balanced: number;
  readonly correct: number;
  /** Test rows with a label of 0 or more. */
  readonly count: number;
  /** Class of every test row. */
  readonly predictions: Int32Array;
  /** Share of the vote of every test row that the first class has more than the second, 0 to 1. */
  readonly margins: Float32Array;
  readonly k: number;
  readonly temperature: number;
};

/** Throws where labels do not fit the rows or the classes; −1 (no label) passes where `unlabelled` is allowed. */
export function checkLabels(
  where: string,
  { features, labels }: LabelledFeatures,
  classes: number,
  unlabelled = false,
): void {
  if (labels.length !== features.count) {
    throw new ShapeError(
      `${where} has ${labels.length} labels for ${features.count} rows, expected one a row`,
    );
  }
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (Number.isInteger(label) && label >= (unlabelled ? -1 : 0) && label < classes) continue;
    throw new DataError(
      `${where} has label ${label} in row ${i}, expected a whole number from 0 to ${classes - 1}`,
    );
  }
}

/**
 * Share of predictions equal to their label, over rows with a label; and `balanced`, the mean of that share over the
 * classes that are there, in which a rare one counts as much as a common one.
 */
export function score(predictions: Int32Array, labels: ArrayLike<number>) {
  const classes = new Map<number, { correct: number; count: number }>();
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] < 0) continue;
    const { correct, count } = classes.get(labels[i]) ?? { correct: 0, count: 0 };
    const hit = predictions[i] === labels[i] ? 1 : 0;
    classes.set(labels[i], { correct: correct + hit, count: count + 1 });
  }
  const each = [...classes.values()];
  const correct = each.reduce((sum, one) => sum + one.correct, 0);
  const count = each.reduce((sum, one) => sum + one.count, 0);
  const shares = each.reduce((sum, one) => sum + one.correct / one.count, 0);
  return {
    correct,
    count,
    accuracy: count === 0 ? NaN : correct / count,
    balanced: count === 0 ? NaN : shares / each.length,
  };
}

/** Balanced accuracy of predictions, over rows with a label; NaN of none. */
export const balancedShare = (predictions: Int32Array, labels: ArrayLike<number>): number =>
  score(predictions, labels).balanced;

/** Puts Σ exp((s − s₀) / T) of the neighbours of row i into the votes of their classes. */
function vote(
  { indices, similarities, k }: Neighbours,
  i: number,
  labels: ArrayLike<number>,
  votes: Float64Array,
  temperature: number,
): void {
  votes.fill(0);
  const nearest = similarities[i * k]; // taken off every exponent: the order stays, nothing overflows
  for (let n = i * k; n < (i + 1) * k; n++) {
    votes[labels[indices[n]]] += Math.exp((similarities[n] - nearest) / temperature);
  }
}

/** The class with most votes, the lowest of equals, and by how much of them it leads. */
function outcomeOf(votes: Float64Array): { first: number; margin: number } {
  let [first, most, next, total] = [0, -1, 0, 0];
  votes.forEach((value, label) => {
    total += value;
    if (value > most) [first, next, most] = [label, Math.max(0, most), value];
    else next = Math.max(next, value);
  });
  return { first, margin: (most - next) / total };
}

/**
 * Weighted k-nearest-neighbour classification: the `k` training rows most similar (cosine) to a test row
 * vote for their class with weight exp(similarity / T).
 *
 * See "Unsupervised Feature Learning via Non-Parametric Instance Discrimination" by Wu et al. 2018
 * (arXiv:1805.01978, section 3.4). Rows are normalised inside. Test rows labelled −1 are classified but
 * not counted. Ties go to the lower class.
 */
export function knnClassify(
  train: LabelledFeatures & { readonly classes: number },
  test: LabelledFeatures,
  { k = 20, temperature = 0.07, leaveOneOut = false }: KnnOptions = {},
): KnnResult {
  if (!(temperature > 0)) {
    throw new ConfigError(`knnClassify: temperature is ${temperature}, expected more than 0`);
  }
  checkLabels("knnClassify: train", train, train.classes);
  checkLabels("knnClassify: test", test, train.classes, true);
  const found = nearestNeighbours(test.features, train.features, k, { leaveOneOut });
  const votes = new Float64Array(train.classes);
  const predictions = new Int32Array(test.features.count);
  const margins = new Float32Array(test.features.count);
  for (let i = 0; i < predictions.length; i++) {
    vote(found, i, train.labels, votes, temperature);
    const { first, margin } = outcomeOf(votes);
    [predictions[i], margins[i]] = [first, margin];
  }
  const scores = score(predictions, test.labels);
  return { ...scores, predictions, margins, k: found.k, temperature };
}
