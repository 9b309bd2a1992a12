import { z } from "zod";

import { decoupled as loss, vonMisesWeights } from "../../losses/index.ts";
import { weightedMean } from "../../core/numerics.ts";
import { refPairs } from "../../core/pairs.ts";
import { defineAdapter, temperature } from "../adapter.ts";
import { differentiated } from "../machine.ts";
import { pairsOf, stackedSimilarity, twoViewPairs, TwoViews, viewVariables } from "./twoViews.ts";

/** `decoupled` on two views; with von Mises weighting also the weight of each sample. */
export const decoupled = defineAdapter({
  params: z.object({
    temperature,
    weighting: z.enum(["none", "vonMises"]),
    sigma: z.number().positive().nullable(),
    detachWeights: z.boolean(),
  }),
  inputs: TwoViews,
  run({ sigma, ...params }, inputs, machine) {
    const n = inputs.view1.length;
    const options = { ...params, ...(sigma === null ? {} : { sigma }) };
    const constants = twoViewPairs(n, machine);
    return differentiated(machine, viewVariables(inputs, machine), constants, (views, given) => {
      const similarity = stackedSimilarity(views); // [2n, 2n]
      const pairs = pairsOf(given);
      const perAnchor = loss(similarity.ref, refPairs(pairs), options); // [2n]
      if (sigma === null || params.weighting === "none") return { perAnchor };
      const cosine = weightedMean(similarity, pairs.positive.ref); // [2n]
      const counted = pairs.positive.sum(-1).greater(0); // [2n]
      return { perAnchor, weights: vonMisesWeights(cosine, counted, sigma).slice([0, n]) };
    });
  },
});
