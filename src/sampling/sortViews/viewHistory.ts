import { numpy as np } from "@jax-js/jax";

import { type HostRecord, scalar } from "../../core/arrays.ts";
import { constantLike } from "../../core/constantLike.ts";
import { LOWEST } from "../../core/numerics.ts";
import type { ArrayRecord } from "../../core/trees.ts";
import type { ViewReading } from "./readViews.ts";

/** Share of a running mean that stays at each step. */
export const KEPT = 0.9;

const TINY = 1e-12; // stands for a mean square of 0

/** Running means over the steps, with the weight of what they have seen; scalars []. */
export const emptyHistory = (): HostRecord => ({
  percentile: scalar(0),
  threshold: scalar(0),
  meanSquare: scalar(0),
  weight: scalar(0),
});

/** The running means of all steps so far. */
export type ViewHistory = {
  /** [] mean percentile of own views: how often one is nearer than a negative; 0 before there are any. */
  auroc: np.Array;
  /** [] mean threshold; −10³⁰ before there is any. */
  threshold: np.Array;
  /**
   * [] effective rank of the embeddings: 1 over the mean squared cosine of negatives; 0 before there are any.
   * For unit rows of second moment C that mean is tr(C²) / tr(C)², so this is the participation ratio of the
   * eigenvalues of C: D where they are equal, 1 where one is all. C is not centred: what all images have in
   * common counts as an axis.
   */
  spreadRank: np.Array;
  next: ArrayRecord;
};

/** Takes a step's reading into the running means. Consumes `state`; lent: `reading`. */
export function followViews(state: ArrayRecord, reading: ViewReading): ViewHistory {
  const { present, percentiles, thresholds, strangers } = reading;
  const { dtype } = present;
  const flag = (condition: np.Array) => condition.astype(dtype);
  const meanOf = (x: np.Array, weight: np.Array) =>
    x.mul(weight.ref).sum().div(np.maximum(weight.sum(), 1)); // []
  const rows = flag(present.ref.sum(-1, { keepdims: true }).greater(0)); // [N, 1]
  const any = flag(rows.ref.sum().greater(0)); // []
  const kept = constantLike(present, KEPT); // []
  const share = np.subtract(1, kept).mul(any.ref); // [], 0 where the step shows nothing
  const mix = (old: np.Array, fresh: np.Array) =>
    old.astype(dtype).mul(np.subtract(1, share.ref)).add(fresh.mul(share.ref)); // []
  const percentile = mix(state.percentile, meanOf(percentiles.ref, present.ref));
  const threshold = mix(state.threshold, meanOf(thresholds.ref, rows));
  const meanSquare = mix(state.meanSquare, strangers.meanSquare.ref);
  const weight = mix(state.weight, any);
  const known = weight.ref.greater(0); // []
  const scale = np.where(known.ref, weight.ref, 1); // []
  const store = (x: np.Array) => x.astype(np.float32);
  return {
    auroc: percentile.ref.div(scale.ref),
    threshold: np.where(known.ref, threshold.ref.div(scale.ref), LOWEST),
    spreadRank: np.where(known, scale.div(np.maximum(meanSquare.ref, TINY)), 0),
    next: {
      percentile: store(percentile),
      threshold: store(threshold),
      meanSquare: store(meanSquare),
      weight: store(weight),
    },
  };
}
