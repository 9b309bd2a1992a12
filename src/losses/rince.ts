import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { constantLike } from "../core/constantLike.ts";
import { ConfigError } from "../core/errors.ts";
import { weightedLogSumExp, weightedMean } from "../core/numerics.ts";
import { Temperature } from "../core/ranges.ts";
import { defineLoss } from "./loss.ts";

/** The largest q / τ: beyond it e^{q/τ} times what many candidates add leaves float32. */
const STEEPEST = 60;

/**
 * ℓᵢ = −(1/q) · meanₚ e^{q·sᵢₚ/τ} + (1/q) · (λ · Σⱼ (w⁺ᵢⱼ + w⁻ᵢⱼ) e^{sᵢⱼ/τ})^q
 *
 * Between InfoNCE and a loss that noisy positives cannot move far. As q → 0 it becomes InfoNCE plus log λ
 * (its slopes those of InfoNCE); q = 1 is the symmetric form, in which a positive pulls the more the nearer it
 * already is, so that a false one, which is far, hardly pulls. λ weighs the negatives' side, as of (0, 1].
 * For one positive it is the paper's; several are averaged and all stand in the sum, as for `infoNce`.
 * Not in nats; below 0 where positives are near, for small λ almost always. Its steps grow with
 * e^{q/τ}: 150-fold at q 0.5 and τ 0.1. q / τ is at most 60, or else float32 overflows.
 */
export const rince = defineLoss({
  name: "rince",
  summary: "InfoNCE that false positives cannot move far.",
  source: "Chuang et al. 2022, arXiv:2201.04309 (RINCE)",
  options: z.strictObject({
    temperature: Temperature.default(0.5).describe(
      "divides similarities; steps grow with e^(q / temperature)",
    ),
    q: z
      .number()
      .min(1e-3)
      .max(1)
      .default(0.5)
      .describe("robustness against false positives: towards 0 InfoNCE, 1 the symmetric form"),
    lambda: z
      .number()
      .min(1e-6)
      .max(1)
      .default(0.025)
      .describe("weight of all candidates against the positive, λ of the paper"),
  }),
  perAnchor(similarity, { positive, negative }, { temperature, q, lambda }) {
    if (q / temperature > STEEPEST) {
      throw new ConfigError(
        `rince: q is ${q} and temperature is ${temperature}, expected q / temperature of at most ${STEEPEST}`,
        "raise the temperature or lower q: e^(q / temperature) leaves float32",
      );
    }
    const score = similarity.mul(constantLike(similarity, 1 / temperature)); // [N, M]
    const counted = positive.ref.sum(-1).greater(0); // [N]
    const total = weightedLogSumExp(score.ref, positive.ref.add(negative)); // [N]
    const logAll = np.where(counted.ref, total, 0).add(constantLike(score, Math.log(lambda))); // [N]
    const power = (x: np.Array) => np.exp(x.mul(constantLike(x, q))); // e^{q·x}
    const each = power(logAll).sub(weightedMean(power(score), positive)); // [N]
    const scaled = each.mul(constantLike(each, 1 / q)); // [N]
    return np.where(counted, scaled, 0); // [N]
  },
});
