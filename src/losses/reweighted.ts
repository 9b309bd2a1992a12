import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { constantLike } from "../core/constantLike.ts";
import { weightedLogSumExp, weightedMean } from "../core/numerics.ts";
import { type Pairs, refPairs } from "../core/pairs.ts";
import { Temperature } from "../core/ranges.ts";

/** How the negatives of `debiased` and `hardNegative` are corrected. */
export type Reweighting = {
  /** Divides similarities. */
  temperature: number;
  /** Probability that a negative is of the anchor's own class, [0, 1). */
  tauPlus: number;
  /** How strongly near candidates count, ≥ 0. */
  beta: number;
  /** Whether the weights that `beta` gives are constants for the gradient. */
  detachWeights: boolean;
};

/** Options of both losses. */
export const correctionOptions = {
  temperature: Temperature.default(0.5).describe(
    "divides similarities; low ones clamp most anchors unless tauPlus is low too",
  ),
  tauPlus: z
    .number()
    .min(0)
    .lt(1)
    .default(0.1)
    .describe("probability that a negative is of the anchor's own class: 1 / number of classes"),
};

/** What stands against an anchor's positives in the denominator. */
export type NegativeMass = {
  logMass: np.Array; // [N], log Ng
  clamped: np.Array; // [N], 1 where Ng is its lower bound, else 0
};

/** log Σⱼ wⱼ over the last axis; 0 where all weights are 0. */
function logSum(weight: np.Array): np.Array {
  const total = weight.sum(-1); // [N]
  return np.log(np.where(total.ref.greater(0), total, 1)); // [N]
}

/** log of the mean of e^s with weights w·e^{βs}: log Σ w e^{(1+β)s} − log Σ w e^{βs}. score [N, M] to [N]. */
function logTiltedMean(
  score: np.Array,
  weight: np.Array,
  { beta, detachWeights }: Reweighting,
): np.Array {
  if (beta === 0) return weightedLogSumExp(score, weight.ref).sub(logSum(weight)); // [N]
  const tilted = detachWeights ? lax.stopGradient(score.ref) : score.ref; // [N, M]
  const tilt = tilted.mul(constantLike(score, beta)); // [N, M]
  return weightedLogSumExp(score.add(tilt.ref), weight.ref).sub(weightedLogSumExp(tilt, weight)); // [N]
}

/** 1 for anchors with positives and negatives, else 0: [N]. */
const hasBoth = ({ positive, negative }: Pairs): np.Array =>
  positive.sum(-1).mul(negative.sum(-1)).greater(0).astype(positive.dtype);

/**
 * Ng = max( (R − τ⁺·N·P) / (1 − τ⁺), N·e^{−1/τ} ), in logarithms so that no exponential overflows:
 *
 * R is N times the mean of e^{s/τ} over negatives, P its mean over positives, both with weights
 * w·e^{βs/τ}, and N = Σⱼ w⁻ᵢⱼ. A clamped Ng is a constant. Anchors without positives or negatives have
 * no meaning and are not clamped. Consumes `similarity` [N, M] and `pairs`.
 */
export function negativeMass(
  similarity: np.Array,
  pairs: Pairs,
  options: Reweighting,
): NegativeMass {
  const { temperature, tauPlus } = options;
  const { positive, negative } = pairs;
  const both = hasBoth(refPairs(pairs)); // [N]
  const score = similarity.mul(constantLike(similarity, 1 / temperature)); // [N, M]
  const logN = logSum(negative.ref); // [N]
  const logR = logTiltedMean(score.ref, negative, options).add(logN.ref); // [N]
  if (tauPlus === 0) return { logMass: logR, clamped: np.zerosLike(both) }; // R is never below its bound
  const logP = logTiltedMean(score, positive, options); // [N]
  const logFalse = logP.add(logN.ref).add(constantLike(logN, Math.log(tauPlus))); // [N], log τ⁺NP
  const left = np.subtract(1, np.exp(np.minimum(logFalse.sub(logR.ref), 0))); // [N], (R − τ⁺NP) / R
  const some = left.ref.greater(0).astype(both.dtype); // [N]
  const logLeft = np.log(np.where(left.ref.greater(0), left, 1)); // [N]
  const estimate = logR.add(logLeft).sub(constantLike(logN, Math.log(1 - tauPlus))); // [N]
  const bound = logN.sub(constantLike(logN, 1 / temperature)); // [N]
  const free = some.mul(estimate.ref.greaterEqual(bound.ref).astype(both.dtype)); // [N]
  const logMass = np.where(free.ref.greater(0), estimate, bound); // [N]
  return { logMass, clamped: both.mul(np.subtract(1, free)) };
}

/**
 * Weighted mean over positives of −log( e^{s/τ} / (e^{s/τ} + Ng) ): [N] in nats. `similarity` [N, M],
 * `positive` [N, M], `logMass` [N]. Consumes all.
 */
export function againstMass(
  similarity: np.Array,
  positive: np.Array,
  logMass: np.Array,
  temperature: number,
): np.Array {
  const lead = logMass
    .reshape([-1, 1])
    .sub(similarity.mul(constantLike(similarity, 1 / temperature))); // [N, M]
  return weightedMean(np.logaddexp(lead, np.zerosLike(lead.ref)), positive); // [N]
}

/** The loss of `debiased` and `hardNegative`: [N] in nats; 0 without positives or negatives. */
export function reweightedLoss(similarity: np.Array, pairs: Pairs, options: Reweighting): np.Array {
  const { logMass } = negativeMass(similarity.ref, refPairs(pairs), options); // [N]
  const both = hasBoth(refPairs(pairs)); // [N]
  const each = againstMass(similarity, pairs.positive, logMass, options.temperature); // [N]
  return np.where(both.greater(0), each, 0); // [N]
}

/** Share of the anchors with positives and negatives that are clamped, [0, 1]; 0 where there are none. */
export function clampedShare(similarity: np.Array, pairs: Pairs, options: Reweighting): np.Array {
  const both = hasBoth(refPairs(pairs)); // [N]
  const { clamped } = negativeMass(similarity, pairs, options); // [N]
  return weightedMean(clamped, both); // []
}

/** What `clampedShare` means, for both losses. */
export const clampedMetric = {
  clampedShare:
    "share of anchors whose negatives were clamped and have no gradient, [0, 1]; a high one calls for a lower tauPlus or a higher temperature",
};
