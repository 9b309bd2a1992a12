import { numpy as np } from "@jax-js/jax";

import { type HostRecord, scalar } from "../core/arrays.ts";
import { constantLike } from "../core/constantLike.ts";
import { LOWEST } from "../core/numerics.ts";
import type { ArrayRecord } from "../core/trees.ts";
import type { ViewReading } from "./readViews.ts";

const KEPT = 0.9; // share of a running mean that stays at each step

/** Running means over the steps, with the weight of what they have seen; scalars []. */
export const emptyHistory = (): HostRecord => ({
  percentile: scalar(0),
  threshold: scalar(0),
  weight: scalar(0),
});

/** The running means of all steps so far. */
export type ViewHistory = {
  /** [] mean percentile of own views: how often one is nearer than a negative; 0 before there are any. */
  auroc: np.Array;
  /** [] mean threshold; −10³⁰ before there is any. */
  threshold: np.Array;
  next: ArrayRecord;
};

/** Takes a step's reading into the running means. Consumes `state`; lent: `reading`. */
export function followViews(state: ArrayRecord, reading: ViewReading): ViewHistory {
  const { present, percentiles, thresholds } = reading;
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
  const weight = mix(state.weight, any);
  const known = weight.ref.greater(0); // []
  const scale = np.where(known.ref, weight.ref, 1); // []
  const store = (x: np.Array) => x.astype(np.float32);
  return {
    auroc: percentile.ref.div(scale.ref),
    threshold: np.where(known, threshold.ref.div(scale), LOWEST),
    next: {
      percentile: store(percentile),
      threshold: store(threshold),
      weight: store(weight),
    },
  };
}
