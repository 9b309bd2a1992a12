import { z } from "zod";

import { defineLoss } from "./loss.ts";
import { clampedMetric, clampedShare, reweightedLoss, correctionOptions } from "./reweighted.ts";

/** As a reweighting that prefers no negative. */
const even = { beta: 0, detachWeights: false };

/**
 * ℓᵢ = meanₚ −log( Pₚ / (Pₚ + Ng) ),  Ng = max( (Σⱼ w⁻ᵢⱼ Eⱼ − τ⁺·N·P̄) / (1 − τ⁺), N·e^{−1/τ} )
 *
 * Eⱼ = e^{sᵢⱼ/τ}, N = Σⱼ w⁻ᵢⱼ, P̄ the weighted mean of e^{s/τ} over the positives: what negatives of the
 * anchor's own class add on average is taken off. Gradient flows through P̄. The bound is the least that
 * N negatives can add; a clamped anchor gives its negatives no gradient. τ⁺ = 0 is NT-Xent. All
 * similarities equal: log(N + 1) for every τ⁺.
 *
 * τ⁺ and τ are coupled: with aligned positives and orthogonal negatives an anchor is clamped once
 * e^{−1/τ} < τ⁺, so that 0.1 only makes sense near τ = 0.5; watch `clampedShare`.
 */
export const debiased = defineLoss({
  name: "debiased",
  summary: "Corrects for negatives that are of the anchor's own class.",
  source: "Chuang et al. 2020, arXiv:2007.00224",
  options: z.strictObject(correctionOptions),
  perAnchor: (similarity, pairs, options) =>
    reweightedLoss(similarity, pairs, { ...options, ...even }),
  metrics: clampedMetric,
  measure: (similarity, pairs, options) => ({
    clampedShare: clampedShare(similarity, pairs, { ...options, ...even }),
  }),
});
