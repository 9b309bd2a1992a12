import { ConfigError } from "../core/errors.ts";
import { permutation, randomStream } from "../core/random.ts";
import {
  checkFeatures,
  checkSameDimension,
  type Features,
  type LabelledFeatures,
  pickRows,
} from "./features.ts";
import { checkLabels, score } from "./knn.ts";
import { minimise } from "./lbfgs.ts";
import { crossEntropy, meanCrossEntropy, predict, scaled, scaleOf } from "./softmaxRegression.ts";

/** How a linear probe is fitted. */
export type LinearProbeOptions = {
  /** Weight of ‖W‖²/2 beside the mean cross-entropy; chosen on a fifth of the training rows by default. */
  l2?: number;
  /** Iterations of a fit at most; 300 by default. */
  limit?: number;
  /** Largest element of the gradient at the end; 0.0003 by default. */
  tolerance?: number;
};

/** What `linearProbe` found. */
export type LinearProbeResult = {
  /** Share of the labelled test rows classified correctly; NaN where none is labelled. */
  readonly accuracy: number;
  readonly correct: number;
  /** Test rows with a label of 0 or more. */
  readonly count: number;
  /** Class of every test row. */
  readonly predictions: Int32Array;
  readonly trainAccuracy: number; // 0 to 1
  readonly loss: number; // nats: mean cross-entropy on the training rows and the penalty
  readonly iterations: number; // of the last fit
  readonly converged: boolean; // the gradient fell below the tolerance
  readonly l2: number;
};

type Set = { readonly features: Features; readonly labels: ArrayLike<number> };
type Effort = { readonly limit: number; readonly tolerance: number };

const STRENGTHS = [1, 0.1, 0.01, 1e-3, 1e-4, 1e-5]; // of l2, strongest first
const FEWEST = 10; // rows: with fewer there is nothing to choose by
const ROUGH = 25; // iterations: close enough to tell penalties apart
const MIDDLE = 0.01; // l2 of so few rows

function pick({ features, labels }: Set, rows: ArrayLike<number>): Set {
  return {
    features: pickRows(features, rows),
    labels: Int32Array.from(rows, (row) => labels[row]),
  };
}

/**
 * The l2 whose fit to four fifths of the rows has the least cross-entropy on the rest, and its weights.
 *
 * From strong to weak, each fit starting at the last; the first that is worse ends the search.
 */
function chooseL2(set: Set, classes: number, { limit, tolerance }: Effort) {
  const { count, dimension } = set.features;
  let best = { l2: MIDDLE, weights: new Float64Array(classes * dimension), loss: Infinity };
  if (count < FEWEST) return best;
  const order = permutation(randomStream("linearProbe"), count);
  const held = Math.floor(count / 5);
  const validation = pick(set, order.slice(0, held));
  const rest = pick(set, order.slice(held));
  const objective = crossEntropy(rest.features, rest.labels, classes);
  for (const l2 of STRENGTHS) {
    const { point } = minimise(objective(l2), best.weights, tolerance, Math.min(limit, ROUGH));
    const loss = meanCrossEntropy(validation.features, validation.labels, point, classes);
    if (!(loss < best.loss)) break;
    best = { l2, weights: point as Float64Array<ArrayBuffer>, loss };
  }
  return best;
}

/**
 * Accuracy of multinomial logistic regression on frozen features: fitted on `train`, measured on `test`.
 *
 * Features are scaled to mean 0 and deviation 1 as found on `train`. The objective, mean cross-entropy +
 * l2·‖W‖²/2 without the bias, is convex: full-batch L-BFGS goes to its one minimum, so there is no
 * learning rate and no schedule to choose. Test rows labelled −1 are classified but not counted.
 */
export function linearProbe(
  train: LabelledFeatures & { readonly classes: number },
  test: LabelledFeatures,
  { l2, limit = 300, tolerance = 3e-4 }: LinearProbeOptions = {},
): LinearProbeResult {
  if (l2 !== undefined && !(l2 > 0)) {
    throw new ConfigError(`linearProbe: l2 is ${l2}, expected more than 0`);
  }
  const { classes, labels } = train;
  checkFeatures("linearProbe", "train", train.features);
  checkFeatures("linearProbe", "test", test.features, 0);
  checkSameDimension("linearProbe", { train: train.features, test: test.features });
  checkLabels("linearProbe: train", train, classes);
  checkLabels("linearProbe: test", test, classes, true);
  const scale = scaleOf(train.features);
  const features = scaled(train.features, scale);
  const start = new Float64Array(classes * features.dimension);
  const chosen =
    l2 === undefined
      ? chooseL2({ features, labels }, classes, { limit, tolerance })
      : { l2, weights: start };
  const objective = crossEntropy(features, labels, classes)(chosen.l2);
  const { point, ...fit } = minimise(objective, chosen.weights, tolerance, limit);
  const predictions = predict(scaled(test.features, scale), point, classes);
  return {
    ...score(predictions, test.labels),
    predictions,
    trainAccuracy: score(predict(features, point, classes), labels).accuracy,
    loss: fit.value,
    iterations: fit.iterations,
    converged: fit.converged,
    l2: chosen.l2,
  };
}
