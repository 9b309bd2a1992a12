import { lax, nn, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { constantLike } from "../core/constantLike.ts";
import { LOWEST, weightedLogSumExp, weightedMean } from "../core/numerics.ts";
import { Temperature } from "../core/ranges.ts";
import { defineLoss } from "./loss.ts";

/**
 * How strongly each anchor is pulled: wᵢ = 2 − N · softmaxᵢ(cᵢ/σ) over the N anchors that have positives.
 * `cosine` [N] of an anchor to its positive, `counted` [N] bool. Result [N]: 1 on average, less for pairs
 * that are close already, below 0 where one pair is far closer than the others. Consumes both.
 */
export function vonMisesWeights(cosine: np.Array, counted: np.Array, sigma: number): np.Array {
  const logits = np.where(counted.ref, cosine.ref.mul(constantLike(cosine, 1 / sigma)), LOWEST); // [N]
  const count = counted.astype(cosine.dtype).sum(); // []
  cosine.dispose();
  return np.subtract(2, nn.softmax(logits).mul(count)); // [N]
}

/**
 * ℓᵢ = log Σⱼ w⁻ᵢⱼ e^{sᵢⱼ/τ} − wᵢ · c⁺ᵢ/τ
 *
 * The positive is not in the denominator, so that a well-aligned pair does not weaken the push from the
 * negatives. c⁺ᵢ is the similarity to the positive, with several their weighted mean; wᵢ is 1, or with
 * von Mises weighting 2 − N·softmax(c⁺/σ) over all anchors. The paper takes the softmax over the B pairs
 * of a batch, 2 − B·softmax: where both views are anchors every pair occurs twice, N = 2B with half the
 * softmax each, which is the same. With w = 1 and one positive NT-Xent is log(1 + e^ℓ). May be negative;
 * 0 for an anchor without negatives.
 */
export const decoupled = defineLoss({
  name: "decoupled",
  summary: "Pull to the positive and push from the negatives, apart from each other.",
  source: "Yeh et al. 2021, arXiv:2110.06848, DCL and DCLW",
  options: z.strictObject({
    temperature: Temperature.default(0.1).describe(
      "divides similarities; a low one looks mostly at the nearest negatives",
    ),
    weighting: z
      .enum(["none", "vonMises"])
      .default("none")
      .describe("vonMises pulls distant positives more than close ones"),
    sigma: z
      .number()
      .min(1e-4)
      .max(1e4)
      .default(0.5)
      .describe("concentration of the von Mises weights"),
    detachWeights: z
      .boolean()
      .default(true)
      .describe("whether the von Mises weights are constants for the gradient"),
  }),
  perAnchor(similarity, { positive, negative }, { temperature, weighting, sigma, detachWeights }) {
    const cosine = weightedMean(similarity.ref, positive.ref); // [N]
    const push = weightedLogSumExp(
      similarity.mul(constantLike(similarity, 1 / temperature)),
      negative.ref,
    ); // [N]
    const counted = positive.sum(-1).greater(0); // [N]
    const compared = negative.sum(-1).greater(0); // [N]
    const pull = cosine.ref.mul(constantLike(cosine, 1 / temperature)); // [N]
    const weigh = () => {
      const weight = vonMisesWeights(cosine, counted.ref, sigma); // [N]
      return pull.mul(detachWeights ? lax.stopGradient(weight) : weight); // [N]
    };
    const each = push.sub(weighting === "none" ? pull : weigh()); // [N]
    return np.where(counted, np.where(compared, each, 0), 0); // [N]
  },
});
