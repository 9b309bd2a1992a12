import { z } from "zod";

import { constantLike } from "../core/constantLike.ts";
import { Temperature } from "../core/ranges.ts";
import { infoNce } from "./infoNce.ts";
import { defineLoss } from "./loss.ts";

/** Where several positives are averaged, in the words of `infoNce`. */
const forms = { out: "outside", in: "insideMean", logSum: "inside" } as const;

/**
 * With pᵢⱼ the softmax of sᵢⱼ/τ over all candidates of the anchor, positives included, and the positives
 * those that a sampler finds by label:
 *
 *     out      ℓᵢ = −(τ/τ₀) · meanₚ log pᵢₚ
 *     in       ℓᵢ = −(τ/τ₀) · log meanₚ pᵢₚ
 *     logSum   ℓᵢ = −(τ/τ₀) · log Σₚ pᵢₚ
 *
 * `out` pulls at every positive, the others mostly at the nearest; in ≤ out, and logSum = in − log of the
 * number of positives while τ₀ = τ. The published program fixes τ₀ = 0.07, so that at τ = 0.1 its loss
 * and its steps are 1.43 times as large; unless given, τ₀ is τ.
 */
export const supCon = defineLoss({
  name: "supCon",
  summary: "Every image of the same label is a positive.",
  source: "Khosla et al. 2020, arXiv:2004.11362, eq. 2 (out) and 3 (in)",
  options: z.strictObject({
    variant: z
      .enum(["out", "in", "logSum"])
      .default("out")
      .describe("mean over positives outside the logarithm, inside it, or their sum inside it"),
    temperature: Temperature.default(0.1).describe(
      "divides similarities; a low one looks mostly at the nearest negatives",
    ),
    baseTemperature: Temperature.optional().describe(
      "the loss is multiplied by temperature / baseTemperature; the temperature if absent",
    ),
  }),
  perAnchor(similarity, pairs, { variant, temperature, baseTemperature = temperature }) {
    const each = infoNce(similarity, pairs, { temperature, positives: forms[variant] }); // [N]
    return each.mul(constantLike(each, temperature / baseTemperature)); // [N]
  },
});
