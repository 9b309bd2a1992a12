import { numpy as np } from "@jax-js/jax";

import { checkShapes } from "../core/shape.ts";

/** Sizes and state of noise-contrastive estimation over a bank of `count` rows. */
export type InstanceNceOptions = {
  /** Divides similarities. */
  temperature: number;
  /** Rows of the bank, among which the noise was drawn uniformly. */
  count: number;
  /** Guards the logarithms; 1e-7 as published unless given. */
  epsilon?: number;
};

/**
 * Z = count · mean of exp(s/τ) over positives and noise together: the constant that turns scores into
 * probabilities. Estimated on the first batch, then kept. similarity [B, 1 + K]; result []. No gradient.
 */
export function instanceNormaliser(
  similarity: np.Array,
  { temperature, count }: InstanceNceOptions,
): np.Array {
  return np
    .exp(similarity.mul(1 / temperature))
    .mean()
    .mul(count); // []
}

/**
 * Noise-contrastive estimation of "which image is this" (Wu et al. 2018, arXiv:1805.01978, eq. 7):
 *
 * ℓ = −log( P₀ / (P₀ + c + ε) ) − Σₖ log( c / (Pₖ + c + ε) ),  P = e^{s/τ} / Z,  c = K / count
 *
 * `similarity` [B, 1 + K]: column 0 the image's own row, the others noise drawn with replacement;
 * `normaliser` [] is Z. Result [B] in nats; a sum over the noise, so it grows with K. Consumes both.
 */
export function instanceNce(
  similarity: np.Array,
  normaliser: np.Array,
  options: InstanceNceOptions,
): np.Array {
  const { M } = checkShapes("instanceNce", { similarity: [similarity, "N M"] });
  const { temperature, count, epsilon = 1e-7 } = options;
  const noise = (M - 1) / count;
  const logP = similarity.mul(1 / temperature).sub(np.log(normaliser)); // [B, 1 + K]
  const logMixed = np.log(np.exp(logP.ref).add(noise + epsilon)); // [B, 1 + K]
  const own = logMixed.ref.slice([], 0).sub(logP.slice([], 0)); // [B]
  const others = logMixed
    .slice([], [1])
    .sub(Math.log(Math.max(noise, 1e-30)))
    .sum(-1); // [B]
  return own.add(others); // [B]
}
