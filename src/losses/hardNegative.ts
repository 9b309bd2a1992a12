import { z } from "zod";

import { defineLoss } from "./loss.ts";
import { clampedMetric, clampedShare, reweightedLoss, correctionOptions } from "./reweighted.ts";

/**
 * As `debiased`, with Σⱼ w⁻ᵢⱼ Eⱼ replaced by N times the mean of Eⱼ under weights w⁻ᵢⱼ e^{β·sᵢⱼ/τ}:
 *
 *     R = N · Σⱼ w⁻ᵢⱼ e^{(1+β)·sᵢⱼ/τ} / Σⱼ w⁻ᵢⱼ e^{β·sᵢⱼ/τ},  Ng = max( (R − τ⁺·N·P̄) / (1 − τ⁺), N·e^{−1/τ} )
 *
 * Near negatives stand for more. Several positives are weighted alike in P̄; a single one is not changed.
 * β multiplies s/τ, so its effect grows as τ falls. β = 0 is `debiased`; the loss never falls as β grows;
 * for β → ∞ and τ⁺ = 0 it is log(1 + N·e^{(max s − s⁺)/τ}). As published the weights carry gradient, and
 * easy negatives are then pulled in; detached, every negative is pushed away. Same loss, other gradient.
 */
export const hardNegative = defineLoss({
  name: "hardNegative",
  summary: "Debiased, with near negatives standing for more.",
  source: "Robinson et al. 2020, arXiv:2010.04592",
  options: z.strictObject({
    ...correctionOptions,
    beta: z
      .number()
      .min(0)
      .max(1e4)
      .default(1)
      .describe("how strongly near negatives count; 0 alike, above 2 mostly false negatives"),
    detachWeights: z
      .boolean()
      .default(false)
      .describe("whether the weights are constants for the gradient; as published they are not"),
  }),
  perAnchor: reweightedLoss,
  negativeTemperature: ({ temperature, beta }) => temperature / (1 + beta),
  metrics: clampedMetric,
  measure: (similarity, pairs, options) => ({
    clampedShare: clampedShare(similarity, pairs, options),
  }),
});
