import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { constantLike } from "../core/constantLike.ts";
import { weightedLogSumExp } from "../core/numerics.ts";
import { type Pairs, refPairs } from "../core/pairs.ts";
import { Temperature } from "../core/ranges.ts";
import { defineLoss } from "./loss.ts";
import { againstMass } from "./reweighted.ts";

type Bell = { temperature: number; mu: number; sigma: number; detachWeights: boolean };

/** −(s − μ)² / 2σ²: log weights [N, M] up to a constant. Consumes. */
function logBell(similarity: np.Array, { mu, sigma, detachWeights }: Bell): np.Array {
  const seen = detachWeights ? lax.stopGradient(similarity) : similarity; // [N, M]
  const away = seen.sub(constantLike(seen, mu)); // [N, M]
  return np.square(away.mul(constantLike(away, Math.SQRT1_2 / sigma))).neg(); // [N, M]
}

/** log Σⱼ w⁻ᵢⱼ vᵢⱼ e^{sᵢⱼ/τ} with v scaled to a mean of 1 over the negatives: [N]. Consumes all. */
function logMass(similarity: np.Array, negative: np.Array, options: Bell): np.Array {
  const score = similarity.ref.mul(constantLike(similarity, 1 / options.temperature)); // [N, M]
  const bell = logBell(similarity, options); // [N, M]
  const count = negative.ref.sum(-1); // [N]
  const logCount = np.log(np.where(count.ref.greater(0), count, 1)); // [N]
  const logTotal = weightedLogSumExp(bell.ref, negative.ref); // [N]
  return weightedLogSumExp(score.add(bell), negative).sub(logTotal).add(logCount); // [N]
}

/** 1 where an anchor has positives and negatives: [N] bool. Consumes. */
const hasBoth = ({ positive, negative }: Pairs): np.Array =>
  positive.sum(-1).mul(negative.sum(-1)).greater(0);

/**
 * ℓᵢ = meanₚ −log( e^{sᵢₚ/τ} / (e^{sᵢₚ/τ} + Σⱼ w⁻ᵢⱼ vᵢⱼ e^{sᵢⱼ/τ}) ),  vᵢⱼ ∝ e^{−(sᵢⱼ − μ)² / 2σ²}
 *
 * The weights v have a mean of 1 over the anchor's negatives and, as published, carry no gradient. InfoNCE's own share of a
 * negative grows with its similarity without end; here those near μ stand for more, so that negatives far
 * above it, which may be of the anchor's own class, count less. σ → ∞ is InfoNCE against the negatives and
 * the positive itself (denominator "own"). The weights go by the cosine, as in the paper and its training
 * program; the short code of its read-me takes exponentials in its place. 0 without positives or negatives.
 */
export const adnce = defineLoss({
  name: "adnce",
  summary: "InfoNCE with negatives near a chosen similarity standing for more.",
  source: "Wu et al. 2023, arXiv:2310.11048 (ADNCE), defaults as released for CIFAR-10",
  options: z.strictObject({
    temperature: Temperature.default(0.4).describe(
      "divides similarities; a low one looks mostly at the nearest negatives",
    ),
    mu: z
      .number()
      .min(-2)
      .max(2)
      .default(0.7)
      .describe("cosine of the negatives that count most, μ of the paper"),
    sigma: z
      .number()
      .min(1e-2)
      .max(1e4)
      .default(0.5)
      .describe("how far from mu they still count, σ of the paper; a large one is InfoNCE"),
    detachWeights: z
      .boolean()
      .default(true)
      .describe("whether the weights are constants for the gradient; as published they are"),
  }),
  perAnchor(similarity, pairs, options) {
    const mass = logMass(similarity.ref, pairs.negative.ref, options); // [N]
    const both = hasBoth(refPairs(pairs)); // [N]
    pairs.negative.dispose();
    const each = againstMass(similarity, pairs.positive, mass, options.temperature); // [N]
    return np.where(both, each, 0); // [N]
  },
});
