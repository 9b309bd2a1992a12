import { ConfigError } from "../core/errors.ts";
import { checkFeatures, checkSameDimension, type LabelledFeatures } from "./features.ts";
import { checkLabels, score } from "./knn.ts";
import { fitSoftmax, predict, scaled, scaleOf } from "./softmaxRegression.ts";

/** How a linear probe is fitted. */
export type LinearProbeOptions = {
  /** Weight of ‖W‖²/2 beside the mean cross-entropy; 0.001 by default. */
  l2?: number;
  /** Iterations at most; 300 by default. */
  limit?: number;
  /** Largest element of the gradient at the end; 0.0001 by default. */
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
  readonly iterations: number;
  readonly converged: boolean; // the gradient fell below the tolerance
  readonly l2: number;
};

/**
 * Accuracy of multinomial logistic regression on frozen features: fitted on `train`, measured on `test`.
 *
 * Features are scaled to mean 0 and deviation 1 as found on `train`. The objective, mean cross-entropy +
 * l2·‖W‖²/2 without the bias, is convex: full-batch L-BFGS from zero weights goes to its one minimum, so
 * there is no learning rate, no seed and no schedule to choose. Test rows labelled −1 are classified but
 * not counted.
 */
export function linearProbe(
  train: LabelledFeatures & { readonly classes: number },
  test: LabelledFeatures,
  { l2 = 1e-3, limit = 300, tolerance = 1e-4 }: LinearProbeOptions = {},
): LinearProbeResult {
  if (!(l2 > 0)) throw new ConfigError(`linearProbe: l2 is ${l2}, expected more than 0`);
  const { classes } = train;
  checkFeatures("linearProbe", "train", train.features);
  checkFeatures("linearProbe", "test", test.features, 0);
  checkSameDimension("linearProbe", { train: train.features, test: test.features });
  checkLabels("linearProbe: train", train, classes);
  checkLabels("linearProbe: test", test, classes, true);
  const scale = scaleOf(train.features);
  const fitted = scaled(train.features, scale);
  const { point, value, iterations, converged } = fitSoftmax(fitted, train.labels, {
    classes,
    l2,
    limit,
    tolerance,
  });
  const predictions = predict(scaled(test.features, scale), point, classes);
  const trainAccuracy = score(predict(fitted, point, classes), train.labels).accuracy;
  const found = score(predictions, test.labels);
  return { ...found, predictions, trainAccuracy, loss: value, iterations, converged, l2 };
}
