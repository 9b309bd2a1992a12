import { numpy as np } from "@jax-js/jax";

import { constantLike } from "../../core/constantLike.ts";
import { LOWEST } from "../../core/numerics.ts";
import type { Pairs } from "../../core/pairs.ts";
import { rowQuantile } from "../../core/rowQuantile.ts";
import { ownViewValues } from "./ownViewValues.ts";
import type { Scene } from "../sampler.ts";

/** Which views speak for an image beside its anchor: none, or the one that is nearest, or all in the mean. */
export type Support = "max" | "mean" | null;

/** How near the own views of the anchors are, W = V − 1 each, beside the anchor's negatives. */
export type ViewReading = {
  /** [N, W] 1 where the view is a positive of an anchor that has negatives, else 0. */
  present: np.Array;
  /** [N, W] cosine. */
  scores: np.Array;
  /** [N, W] share of the anchor's negatives that are less similar, equal ones counted half. */
  percentiles: np.Array;
  /** [N, 1] quantile of the cosines of the anchor's negatives. */
  thresholds: np.Array;
  /** [N, 1] number of the anchor's negatives. */
  references: np.Array;
  /** Of the cosines of all negatives of the batch: scalars []. */
  strangers: { mean: np.Array; meanSquare: np.Array };
};

/** A support view whose cosine to a view lies above this is taken for the view itself. */
const ITSELF = 1 - 1e-5;

/** Cosines of the support views of each anchor's image to its own view under a mask [N, M]: [S, N]. */
function supportCosines({ support }: Scene, mask: np.Array): np.Array {
  const [s, b, m] = support.shape;
  const n = mask.shape[0];
  const grid = mask.ref.astype(support.dtype).reshape([1, n / b, b, m]); // [1, A, B, M]
  return support.ref
    .reshape([s, 1, b, m])
    .mul(grid)
    .sum(-1) // [S, A, B]
    .reshape([s, n]);
}

/** Max or mean over the image's other views; the cosine to the anchor, `direct` [N, 1], where there are none. */
function bySupport(scene: Scene, mask: np.Array, direct: np.Array, how: "max" | "mean"): np.Array {
  const cosine = supportCosines(scene, mask); // [S, N]
  const other = cosine.ref.lessEqual(constantLike(cosine, ITSELF)); // [S, N]
  const weight = other.ref.astype(cosine.dtype); // [S, N]
  const count = weight.ref.sum(0); // [N]
  const score =
    how === "max"
      ? np.where(other, cosine, LOWEST).max(0)
      : cosine.mul(weight).sum(0).div(np.maximum(count.ref, 1)); // [N]
  return np.where(count.greater(0).reshape([-1, 1]), score.reshape([-1, 1]), direct); // [N, 1]
}

function viewScores(scene: Scene, support: Support): np.Array {
  const direct = ownViewValues(scene.ownViews, scene.ranking.ref); // [N, W]
  if (support === null) return direct;
  const columns = scene.ownViews.map((mask, w) =>
    bySupport(scene, mask, direct.ref.slice([], [w, w + 1]), support),
  );
  return np.concatenate(columns, 1); // [N, W]
}

/** Share of a row's negatives below each score, equal ones counted half: [N, W]. All lent. */
function percentilesOf(ranking: np.Array, scores: np.Array, negative: np.Array, count: np.Array) {
  const flag = (condition: np.Array) => condition.astype(ranking.dtype);
  const columns = Array.from({ length: scores.shape[1] }, (_, w) => {
    const score = scores.ref.slice([], [w, w + 1]); // [N, 1]
    const half = flag(ranking.ref.lessEqual(score.ref)).add(flag(ranking.ref.less(score))); // [N, M]
    return half.mul(negative.ref).sum(-1, { keepdims: true }).mul(0.5); // [N, 1]
  });
  return np.concatenate(columns, 1).div(np.maximum(count.ref, 1)); // [N, W]
}

/** Mean and mean square of the cosines under a mask, both [N, M]; 0 where it is empty. All lent. */
function momentsOf(ranking: np.Array, mask: np.Array) {
  const count = np.maximum(mask.ref.sum(), 1); // []
  const mean = (x: np.Array) => x.mul(mask.ref).sum().div(count.ref); // []
  return { mean: mean(ranking.ref), meanSquare: mean(np.square(ranking.ref)) };
}

/** Scores, percentiles and thresholds of the own views by `scene.ranking`. Lent: both arguments. */
export function readViews(
  scene: Scene,
  { positive, negative }: Pairs,
  { quantile, support }: { quantile: number; support: Support },
): ViewReading {
  const { ranking, ownViews } = scene;
  const flag = (condition: np.Array) => condition.astype(ranking.dtype);
  const opposed = flag(negative.ref.greater(0)); // [N, M]
  const references = opposed.ref.sum(-1, { keepdims: true }); // [N, 1]
  const scores = viewScores(scene, support); // [N, W]
  const own = ownViewValues(ownViews, flag(positive.ref.greater(0))); // [N, W]
  return {
    present: own.mul(flag(references.ref.greater(0))),
    percentiles: percentilesOf(ranking, scores, opposed, references),
    strangers: momentsOf(ranking, opposed),
    thresholds: rowQuantile(ranking.ref, opposed, quantile),
    scores,
    references,
  };
}
