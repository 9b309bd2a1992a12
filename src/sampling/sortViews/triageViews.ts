import type { numpy as np } from "@jax-js/jax";

import { constantLike } from "../../core/constantLike.ts";
import type { Pairs } from "../../core/pairs.ts";
import { lowestViews } from "./chooseViews.ts";
import { readViews } from "./readViews.ts";
import type { Scene } from "../sampler.ts";
import { softWeights } from "./softWeights.ts";
import type { SortViewsOptions } from "./sortViewsOptions.ts";

/** What a step without gate and exploration finds in the own views of N anchors, W each. */
export type Triage = {
  scores: np.Array; // [N, W] cosine
  percentiles: np.Array; // [N, W] in [0, 1]
  thresholds: np.Array; // [N] cosine
  demoted: np.Array; // [N, W] 0 or 1
  weights: np.Array; // [N, W] of the mode "soft"
};

/** Reads and sorts the own views as `sortViews` does, with the whole budget. Lent: `scene`, `pairs`. */
export function triageViews(scene: Scene, pairs: Pairs, options: SortViewsOptions): Triage {
  const reading = readViews(scene, pairs, options);
  const { scores, percentiles, thresholds } = reading;
  const [n, w] = scores.shape;
  const quota = constantLike(scores, Math.floor(options.budget * n * w)); // []
  return {
    scores,
    percentiles,
    thresholds: thresholds.ref.reshape([n]),
    demoted: lowestViews(reading, thresholds, quota, options),
    weights: softWeights(reading, options),
  };
}
