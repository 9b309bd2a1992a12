import { nn, numpy as np } from "@jax-js/jax";

import { constantLike } from "../core/constantLike.ts";
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
 * log Z with Z = count · mean of exp(s/τ) over positives and noise together: the constant that turns scores
 * into probabilities. Estimated on the first batch, then kept. In logarithms, for at τ = 0.01 a cosine of
 * 0.89 has an exponential beyond float32. similarity [B, 1 + K]; result []. No gradient. Consumes.
 */
export function instanceLogNormaliser(
  similarity: np.Array,
  { temperature, count }: InstanceNceOptions,
): np.Array {
  const score = similarity.mul(constantLike(similarity, 1 / temperature)).reshape([-1]); // [B · (1 + K)]
  const share = constantLike(score, Math.log(count / score.shape[0])); // []
  return nn.logsumexp(score, -1).add(share); // []
}

/**
 * Noise-contrastive estimation of "which image is this" (Wu et al. 2018, arXiv:1805.01978, eq. 7):
 *
 * ℓ = −log( P₀ / (P₀ + c + ε) ) − Σₖ wₖ · log( c / (Pₖ + c + ε) ),  P = e^{s/τ} / Z,  c = K / count
 *
 * `similarity` [B, 1 + K]: column 0 the image's own row, the others noise drawn with replacement;
 * `logNormaliser` [] is log Z; `kept` [B, K] are the w, 0 for noise that is left out, 1 unless given.
 * Result [B] in nats; a sum over the noise, so it grows with K. Consumes all.
 */
export function instanceNce(
  similarity: np.Array,
  logNormaliser: np.Array,
  options: InstanceNceOptions,
  kept?: np.Array,
): np.Array {
  const { M } = checkShapes("instanceNce", { similarity: [similarity, "N M"] });
  const { temperature, count, epsilon = 1e-7 } = options;
  const noise = Math.max((M - 1) / count, 1e-30); // c
  const score = similarity.mul(constantLike(similarity, 1 / temperature)); // [B, 1 + K]
  const logP = score.sub(logNormaliser); // [B, 1 + K]
  const [logNoise, guarded] = [Math.log(noise), Math.log(noise + epsilon)];
  const against = constantLike(logP, guarded).sub(logP.ref.slice([], 0)); // [B]
  const own = np.logaddexp(against, np.zerosLike(against.ref)); // [B]
  const floor = constantLike(logP, guarded - logNoise); // []
  const lead = logP.sub(constantLike(logP, logNoise)).slice([], [1]); // [B, K]
  const others = np.logaddexp(floor, lead); // [B, K]
  return own.add((kept === undefined ? others : others.mul(kept)).sum(-1)); // [B]
}
