import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { constantLike } from "../core/constantLike.ts";
import { ConfigError } from "../core/errors.ts";
import { softplus, weightedLogSumExp, weightedMean } from "../core/numerics.ts";
import { type Denominator, type Pairs, refPairs } from "../core/pairs.ts";
import { Temperature } from "../core/ranges.ts";
import { defineLoss } from "./loss.ts";

type Form = {
  positives: "outside" | "inside" | "insideMean";
  denominator: Denominator;
  epsilon: number;
};

function checkForm({ positives, denominator, epsilon }: Form): void {
  if (positives === "inside" && denominator === "own") {
    throw new ConfigError(
      'infoNce: positives is "inside" and denominator is "own", expected denominator "all" or "none"',
      'shares of different denominators do not add up to a probability; positives "insideMean" averages them',
    );
  }
  if (positives === "outside" && epsilon > 0) {
    throw new ConfigError(
      `infoNce: epsilon is ${epsilon} and positives is "outside", expected epsilon 0 or positives "inside" or "insideMean"`,
    );
  }
}

/**
 * Down from this temperature scores are told from those of the positives before they are divided by it, and what the
 * negatives add to the positives is kept apart: of numbers as large as 1/τ float32 would lose what the loss is made of.
 */
const COLD = 0.05;

/** log of the denominator: [N, 1], or [N, M] where every positive has its own. score [N, M]. */
function logDenominator(
  score: np.Array,
  { positive, negative }: Pairs,
  { denominator, temperature }: { denominator: Denominator; temperature: number },
): np.Array {
  if (denominator === "all" && temperature > COLD) {
    return weightedLogSumExp(score, positive.add(negative)).reshape([-1, 1]); // [N, 1]
  }
  if (denominator === "all") {
    const own = weightedLogSumExp(score.ref, positive); // [N]
    const others = weightedLogSumExp(score, negative); // [N]
    return own.ref.add(softplus(others.sub(own))).reshape([-1, 1]); // [N, 1]
  }
  const others = weightedLogSumExp(score.ref, negative).reshape([-1, 1]); // [N, 1]
  return denominator === "none" ? others : np.logaddexp(others, score); // [N, M]
}

/** log(x + ε) of log x. Consumes. */
const logPlus = (logX: np.Array, epsilon: number): np.Array =>
  epsilon === 0 ? logX : np.logaddexp(constantLike(logX, Math.log(epsilon)), logX);

/**
 * Several positives brought to one number an anchor: score [N, M] and log of the denominator, [N, 1] or
 * [N, M], to surprise [N] in nats. What a row has in common is subtracted once, not from every entry.
 * Lent: `positive`.
 */
function overPositives(
  score: np.Array,
  logTotal: np.Array,
  positive: np.Array,
  { positives, epsilon }: Form,
): np.Array {
  const over = positives === "outside" ? weightedMean : weightedLogSumExp;
  const logShare =
    logTotal.shape[1] === 1
      ? over(score, positive.ref).sub(logTotal.reshape([-1]))
      : over(score.sub(logTotal), positive.ref); // [N]
  if (positives === "outside") return logShare.neg();
  if (positives === "inside") return logPlus(logShare, epsilon).neg();
  const total = positive.ref.sum(-1); // [N]
  const logWeight = np.log(np.where(total.ref.greater(0), total, 1)); // [N]
  return logPlus(logShare.sub(logWeight), epsilon).neg();
}

/** Where an anchor has a number at all: it has positives, and a denominator that is not empty. [N] bool. */
function counts({ positive, negative }: Pairs, denominator: Denominator): np.Array {
  const weight = positive.sum(-1); // [N]
  return (denominator === "none" ? weight.mul(negative.sum(-1)) : weight).greater(0); // [N]
}

/**
 * With s/τ the score of a pair and pᵢₚ = e^{sᵢₚ/τ} / Zᵢₚ the share of positive p:
 *
 *     outside      ℓᵢ = −Σₚ w⁺ᵢₚ · log pᵢₚ / Σₚ w⁺ᵢₚ
 *     inside       ℓᵢ = −log( Σₚ w⁺ᵢₚ pᵢₚ + ε )
 *     insideMean   ℓᵢ = −log( Σₚ w⁺ᵢₚ pᵢₚ / Σₚ w⁺ᵢₚ + ε )
 *
 *     all    Zᵢₚ = Σⱼ (w⁺ᵢⱼ + w⁻ᵢⱼ) e^{sᵢⱼ/τ}
 *     own    Zᵢₚ = e^{sᵢₚ/τ} + Σⱼ w⁻ᵢⱼ e^{sᵢⱼ/τ}
 *     none   Zᵢₚ = Σⱼ w⁻ᵢⱼ e^{sᵢⱼ/τ}
 *
 * A negative of weight w counts as w negatives, as if log w were added to its score. A column may be
 * positive and negative at once. On two views of a batch this is NT-Xent, on labels SupCon, on a key and
 * a queue MoCo's loss. All similarities equal, one positive: log of the number of candidates. May be
 * negative with "none", with an ε (down to −log(1 + ε)) and with weights of positives below 1. Without
 * negatives "none" and "own" are 0, and "all" tells the positives apart: 0 where there is only one.
 */
export const infoNce = defineLoss({
  name: "infoNce",
  summary: "Cross-entropy of picking each positive out of all candidates.",
  source:
    "van den Oord et al. 2018, arXiv:1807.03748, eq. 4; Chen et al. 2020, arXiv:2002.05709, eq. 1; several positives: Khosla et al. 2020, arXiv:2004.11362, eq. 2 and 3",
  options: z.strictObject({
    temperature: Temperature.default(0.2).describe(
      "divides similarities; a low one looks mostly at the nearest negatives",
    ),
    positives: z
      .enum(["outside", "inside", "insideMean"])
      .default("outside")
      .describe(
        "several positives: mean of their logarithms (outside), or logarithm of their sum (inside) or mean (insideMean)",
      ),
    denominator: z
      .enum(["all", "own", "none"])
      .default("all")
      .describe(
        "positives beside the negatives in the denominator: all, only the one in the numerator, none",
      ),
    epsilon: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("added to the probability inside the logarithm; not for outside"),
  }),
  perAnchor(similarity, pairs, { temperature, ...form }) {
    checkForm(form);
    const centre =
      temperature <= COLD
        ? weightedMean(similarity.ref, pairs.positive.ref).reshape([-1, 1]) // [N, 1]
        : undefined;
    const near = centre === undefined ? similarity : similarity.sub(centre); // [N, M]
    const score = near.mul(constantLike(near, 1 / temperature)); // [N, M]
    const how = { denominator: form.denominator, temperature };
    const logTotal = logDenominator(score.ref, refPairs(pairs), how); // [N, 1] or [N, M]
    const surprise = overPositives(score, logTotal, pairs.positive, form); // [N]
    return np.where(counts(pairs, form.denominator), surprise, 0); // [N]
  },
});
