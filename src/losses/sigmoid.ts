import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { constantLike } from "../core/constantLike.ts";
import { Temperature } from "../core/ranges.ts";
import { defineLoss } from "./loss.ts";

/**
 * With xᵢⱼ = sᵢⱼ/τ + b the log odds that j shows the anchor's image:
 *
 *     ℓᵢ = Σⱼ w⁺ᵢⱼ log(1 + e^{−xᵢⱼ}) + Σⱼ w⁻ᵢⱼ log(1 + e^{xᵢⱼ})
 *
 * Every pair is a question of its own: nothing is divided by a sum over candidates, so that the slope at one
 * pair does not depend on the others. A sum, not a mean, as in algorithm 1 of the paper (its equation has
 * the sign of x the other way round; the algorithm is what is computed here).
 *
 * The paper learns 1/τ and b, from 10 and −10. Here both are fixed: a loss is a function of similarities and
 * pairs alone, without parameters that an optimiser moves and a checkpoint keeps, and so each anchor has the
 * same loss whatever the step. The start of the paper is the default. b near −log of the number of negatives
 * of an anchor makes positives and negatives weigh alike at s = 0: −10 is that of some 22,000, −5.5 that of 250.
 *
 * It holds one matrix [N, M] beside its arguments, no more than InfoNCE: log(1 + e^{−x}) is log(1 + e^x) − x.
 */
export const sigmoid = defineLoss({
  name: "sigmoid",
  summary: "Every pair on its own is told to be one of the same image or not.",
  source: "Zhai et al. 2023, arXiv:2303.15343, algorithm 1 (SigLIP), temperature and bias fixed",
  options: z.strictObject({
    temperature: Temperature.default(0.1).describe("divides similarities; 1 / t of the paper"),
    bias: z
      .number()
      .min(-1e4)
      .max(1e4)
      .default(-10)
      .describe(
        "added to every score, b of the paper; about minus the logarithm of the number of negatives",
      ),
  }),
  perAnchor(similarity, { positive, negative }, { temperature, bias }) {
    const odds = similarity
      .mul(constantLike(similarity, 1 / temperature))
      .add(constantLike(similarity, bias)); // [N, M]
    const soft = np.logaddexp(odds.ref, np.zerosLike(odds.ref)); // [N, M], log(1 + e^x)
    const each = soft.mul(positive.ref.add(negative)).sub(odds.mul(positive.ref)).sum(-1); // [N]
    return np.where(positive.sum(-1).greater(0), each, 0); // [N]
  },
});
