import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { constantLike } from "../core/constantLike.ts";
import { weightedLogSumExp, weightedMean } from "../core/numerics.ts";
import { Temperature } from "../core/ranges.ts";
import { defineLoss } from "./loss.ts";

/**
 * Implicit feature modification: InfoNCE, and InfoNCE again with every positive moved away and every negative
 * moved closer by ε, as an adversary within a ball of radius ε would move the embeddings:
 *
 *     ℓᵢ = (L(s⁺, s⁻) + α·L(s⁺ − ε, s⁻ + ε)) / (1 + α),  L = −meanₚ sᵢₚ/τ + log Σⱼ (w⁺ᵢⱼ + w⁻ᵢⱼ) e^{sᵢⱼ/τ}
 *
 * A feature that tells images apart at once no longer does, so that others are learned too. As a
 * softmax does not feel a shift of all its scores, the second part is the first with the sum over negatives
 * times e^{2ε/τ}: one pass over the similarities serves both, with any number of positives. The embeddings
 * are not brought back to length 1, as in the paper. ε = 0 and α = 0 are `infoNce` with its defaults.
 */
export const ifm = defineLoss({
  name: "ifm",
  summary: "InfoNCE beside InfoNCE with its pairs made harder, against shortcuts.",
  source: "Robinson et al. 2021, arXiv:2106.11230, section 3 (IFM)",
  options: z.strictObject({
    temperature: Temperature.default(0.2).describe(
      "divides similarities; a low one looks mostly at the nearest negatives",
    ),
    epsilon: z
      .number()
      .min(0)
      .max(2)
      .default(0.1)
      .describe("by how much cosines are made harder, ε of the paper"),
    alpha: z
      .number()
      .min(0)
      .max(1e4)
      .default(1)
      .describe("weight of the harder part beside the plain one, α of the paper"),
  }),
  perAnchor(similarity, { positive, negative }, { temperature, epsilon, alpha }) {
    const score = similarity.mul(constantLike(similarity, 1 / temperature)); // [N, M]
    const own = weightedMean(score.ref, positive.ref); // [N]
    const counted = positive.ref.sum(-1).greater(0); // [N]
    const near = weightedLogSumExp(score.ref, positive); // [N], log Σ over positives
    const far = weightedLogSumExp(score, negative); // [N], log Σ over negatives
    const plain = np.logaddexp(near.ref, far.ref); // [N]
    const harder = np.logaddexp(near, far.ref.add(constantLike(far, (2 * epsilon) / temperature))); // [N]
    far.dispose();
    const share = constantLike(plain, alpha / (1 + alpha)); // []
    const each = plain.ref.add(harder.sub(plain).mul(share)).sub(own); // [N]
    return np.where(counted, each, 0); // [N]
  },
});
