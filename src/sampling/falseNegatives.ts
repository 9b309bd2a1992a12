import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { constantLike } from "../core/constantLike.ts";
import { LOWEST } from "../core/numerics.ts";
import { CountOrNone } from "../core/ranges.ts";
import { rowQuantile } from "../core/rowQuantile.ts";
import { topMask } from "../core/topMask.ts";
import { actionOption, cancel } from "./cancel.ts";
import { defineSampler } from "./sampler.ts";

/** How support views become one score, and which scores are taken for false negatives. */
export type FalseNegativeRules = {
  aggregation: "max" | "mean";
  /** Candidates an anchor at most; null leaves the rule out. */
  topK: number | null;
  /** Cosine that a score must exceed; null leaves the rule out. */
  threshold: number | null;
  /** Quantile of the anchor's own candidates that a score must exceed; null leaves the rule out. */
  quantile: number | null;
};

/**
 * How close candidates are to an image by its support views, for `anchors` anchors of the images:
 * support [S, B, M] cosines to [N, M], the same row for all anchors of an image. Consumes `support`.
 */
export function supportScores(
  support: np.Array,
  aggregation: FalseNegativeRules["aggregation"],
  anchors: number,
): np.Array {
  const [, b, m] = support.shape;
  const scores = aggregation === "max" ? support.max(0) : support.mean(0); // [B, M]
  const views = anchors / b;
  return np.broadcastTo(scores.reshape([1, b, m]), [views, b, m]).reshape([anchors, m]); // [N, M]
}

/**
 * 1 at the negatives that pass every rule there is, else 0: scores, negative [N, M] to [N, M]. Without
 * any rule nothing passes. Ties of `topK` go to the lower column. Consumes both arrays.
 */
export function falseNegativeMask(
  scores: np.Array,
  negative: np.Array,
  { topK, threshold, quantile }: Omit<FalseNegativeRules, "aggregation">,
): np.Array {
  const present = negative.greater(0).astype(scores.dtype); // [N, M]
  if (topK === null && threshold === null && quantile === null) return present.mul(0);
  const above = (bar: np.Array) => scores.ref.greater(bar).astype(scores.dtype); // [N, M]
  let mask = present.ref;
  if (topK !== null) {
    mask = mask.mul(topMask(np.where(present.ref.greater(0), scores.ref, LOWEST), topK));
  }
  if (threshold !== null) mask = mask.mul(above(constantLike(scores, threshold)));
  if (quantile !== null) mask = mask.mul(above(rowQuantile(scores.ref, present.ref, quantile)));
  return mask;
}

/**
 * Finds candidates that show the same thing as the anchor's image: those nearest to any of its support
 * views, or to all of them in the mean. The anchor's own view is not enough: a false negative may resemble
 * another part of the image.
 *
 * - "eliminate" drops them, so the denominator of a softmax can only shrink.
 * - "attract" makes them positives. The published loss, `infoNce` with positives "outside" and denominator
 *   "all", averages over the anchor's own views and them, and keeps them in the denominator.
 *
 * Candidates are views, not images: ten of them may be ten views of one image. Only negatives of the
 * anchor's own row are looked at, and all rules must hold. The published run has no warm-up: its head
 * ends in batch norm, which spreads the first cosines around 0. Heads that do not start near 1, where
 * attraction picks at random: give them a warm-up of 0.1 to 0.2 and watch `selectedShare`.
 */
export const falseNegatives = defineSampler({
  name: "falseNegatives",
  summary: "Drops negatives that resemble the anchor's image too much, or makes them positives.",
  source:
    "Huynh et al. 2022, arXiv:2011.11765, defaults as released; the quantile: baseline of arXiv:2502.20612 (2025)",
  options: z.strictObject({
    aggregation: z
      .enum(["max", "mean"])
      .default("max")
      .describe("score of a candidate: its largest or its mean cosine to the support views"),
    topK: CountOrNone.nullable()
      .default(10)
      .describe(
        "candidates an image at most, those with the largest scores; null for no such rule",
      ),
    share: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .default(null)
      .describe(
        "in place of topK: share of the candidates that are no view of the image, rounded down",
      ),
    threshold: z
      .number()
      .min(-2)
      .max(2)
      .nullable()
      .default(0.7)
      .describe("cosine that the score must exceed; above 1 none does; null for no such rule"),
    quantile: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .default(null)
      .describe(
        "quantile of the image's own scores that the score must exceed; null for no such rule",
      ),
    action: actionOption("attract"),
  }),
  detects: true,
  findsPositives: true,
  reasons: { dropped: "cancelled", promoted: "attracted" },
  metrics: {
    selectedShare: "share of the negatives that pass the rules, also during the warm-up",
    selectedCount: "mean number of them an anchor",
  },
  apply(scene, { positive, negative }, { share, action, ...rules }) {
    const topK = share === null ? rules.topK : Math.floor(share * scene.pool);
    const n = scene.similarity.shape[0];
    const scores = supportScores(scene.support.ref, rules.aggregation, n); // [N, M]
    const mask = falseNegativeMask(scores, negative.ref, { ...rules, topK }); // [N, M]
    const present = negative.ref.greater(0).astype(mask.dtype).sum(); // []
    const pairs = cancel({ positive, negative }, mask.ref, action);
    const selected = mask.sum(); // []
    return {
      terms: [{ pairs }],
      metrics: {
        selectedShare: selected.ref.div(np.maximum(present, 1)),
        selectedCount: selected.div(n),
      },
    };
  },
});
