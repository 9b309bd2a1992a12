import { largestShare } from "../inference/index.ts";
import {
  effectiveRank,
  type Features,
  knnClassify,
  linearProbe,
  uniformity,
} from "../metrics/index.ts";
import type { Split } from "./split.ts";

/** Accuracies on labelled test images; absent without labels. */
export type Accuracies = {
  readonly knn?: { readonly accuracy: number; readonly k: number; readonly temperature: number };
  readonly linear?: { readonly accuracy: number };
};

/** Shape of features in space. */
export type Spread = {
  readonly uniformity: number;
  readonly effectiveRank: number;
  readonly dimension: number;
};

/** Options of the k-NN vote. */
export type VoteOptions = { readonly k: number; readonly temperature: number };

/** k-NN vote and linear probe of test features among training features. */
export function accuracies(
  split: Split,
  train: Features,
  test: Features,
  { k, temperature }: VoteOptions,
): Accuracies {
  const { labels } = split.train;
  const asked = split.test.labels;
  if (labels === undefined || asked === undefined || split.classes.length < 2) return {};
  const left = { features: train, labels, classes: split.classes.length };
  const right = { features: test, labels: asked };
  const knn = knnClassify(left, right, { k, temperature });
  const linear = linearProbe(left, right);
  return {
    knn: { accuracy: knn.accuracy, k: knn.k, temperature },
    linear: { accuracy: linear.accuracy },
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
