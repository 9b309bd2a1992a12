import { largestShare } from "../inference/index.ts";
import {
  balancedShare,
  effectiveRank,
  type Features,
  knnClassify,
  type LabelledFeatures,
  linearProbe,
  scaleOf,
  share,
  standardise,
  uniformity,
} from "../metrics/index.ts";
import type { Split } from "./split.ts";

/** Accuracies on labelled test images; absent without labels. */
export type Accuracies = {
  readonly knn?: Accuracy & { readonly k: number; readonly temperature: number };
  /** The same vote on features that have mean 0 and deviation 1 over the training images; not of pixels. */
  readonly knnStandardised?: Accuracy;
  readonly linear?: Accuracy;
};

/** A share of right answers on test images. */
export type Accuracy = {
  readonly accuracy: number;
  /** Mean over the classes of the test images of the share of each that is right. */
  readonly balanced: number;
  /** The range that fits this share of so many images: Wilson's, 95 %. */
  readonly interval: readonly [low: number, high: number];
  /** Without the test images that are copies of training images; null where all are, absent where none is. */
  readonly withoutCopies?: number | null;
};

/** Of all test images, and of those that are no copies. */
function accuracyOf(
  predictions: Int32Array,
  labels: Int32Array,
  copied: Split["copied"],
): Accuracy {
  const right = labels.map((label, i) => (predictions[i] === label ? 1 : 0));
  const of = (rows: Int32Array) =>
    share(
      rows.reduce((sum, one) => sum + one, 0),
      rows.length,
    );
  const { value, low, high } = of(right);
  const interval = [low, high] as const;
  const found = { accuracy: value, balanced: balancedShare(predictions, labels), interval };
  if (copied === undefined || !copied.includes(1)) return found;
  const own = of(right.filter((_, i) => copied[i] === 0));
  return { ...found, withoutCopies: own.count === 0 ? null : own.value };
}

/** Shape of features in space. */
export type Spread = {
  readonly uniformity: number;
  readonly effectiveRank: number;
  readonly dimension: number;
};

/** Options of the k-NN vote. */
export type VoteOptions = { readonly k: number; readonly temperature: number };

/** Both with features that have mean 0 and deviation 1 over the training images. */
function standardised<L extends LabelledFeatures, R extends LabelledFeatures>(
  left: L,
  right: R,
): [L, R] {
  const scale = scaleOf(left.features);
  const [train, test] = [left, right].map(({ features }) => standardise(features, scale));
  return [
    { ...left, features: train },
    { ...right, features: test },
  ];
}

/** k-NN vote and linear probe of test features among training features. */
export function accuracies(
  split: Split,
  train: Features,
  test: Features,
  { k, temperature }: VoteOptions,
  ways: { standardised: boolean } = { standardised: true },
): Accuracies {
  const { labels } = split.train;
  const asked = split.test.labels;
  if (labels === undefined || asked === undefined || split.classes.length < 2) return {};
  const left = { features: train, labels, classes: split.classes.length };
  const right = { features: test, labels: asked };
  const knn = knnClassify(left, right, { k, temperature });
  const linear = linearProbe(left, right);
  const even = ways.standardised
    ? knnClassify(...standardised(left, right), { k, temperature })
    : undefined;
  return {
    knn: { ...accuracyOf(knn.predictions, asked, split.copied), k: knn.k, temperature },
    ...(even && { knnStandardised: accuracyOf(even.predictions, asked, split.copied) }),
    linear: accuracyOf(linear.predictions, asked, split.copied),
  };
}

/** Uniformity and effective rank of features. */
export function spread(features: Features): Spread {
  return {
    uniformity: uniformity(features),
    effectiveRank: effectiveRank(features),
    dimension: features.dimension,
  };
}

/** What guessing the largest class gets right. */
export const chanceOf = ({ test, classes }: Split): number | null =>
  test.labels === undefined || classes.length < 2 ? null : largestShare(test.labels);
