import { z } from "zod";

import { weightedLogSumExp, weightedMean } from "../core/numerics.ts";
import { defineLoss } from "./loss.ts";

/**
 * ℓᵢ = Σₚ w⁺ᵢₚ · ( log Σⱼ (w⁺ᵢⱼ + w⁻ᵢⱼ) e^{sᵢⱼ/τ} − sᵢₚ/τ ) / Σₚ w⁺ᵢₚ
 *
 * Every positive is picked out of all candidates, positives included; several positives are averaged
 * outside the logarithm. On two views of a batch this is NT-Xent, on labels SupCon (L_out), on a key
 * and a queue MoCo's loss. All similarities equal: log of the number of candidates.
 */
export const infoNce = defineLoss({
  name: "infoNce",
  summary: "Cross-entropy of picking each positive out of all candidates.",
  source:
    "van den Oord et al. 2018, arXiv:1807.03748, eq. 4; Chen et al. 2020, arXiv:2002.05709, eq. 1; several positives: Khosla et al. 2020, arXiv:2004.11362, eq. 2",
  options: z.strictObject({
    temperature: z
      .number()
      .positive()
      .default(0.2)
      .describe("divides similarities; a low one looks mostly at the nearest negatives"),
  }),
  perAnchor(similarity, { positive, negative }, { temperature }) {
    const score = similarity.mul(1 / temperature); // [N, M]
    const candidates = positive.ref.add(negative); // [N, M]
    const total = weightedLogSumExp(score.ref, candidates); // [N]
    const surprise = total.reshape([-1, 1]).sub(score); // [N, M]
    return weightedMean(surprise, positive); // [N]
  },
});
