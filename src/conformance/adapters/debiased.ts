import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { l2Normalize } from "../../core/numerics.ts";
import {
  againstMass,
  debiased as loss,
  hardNegative as hardLoss,
  negativeMass,
  type Reweighting,
} from "../../losses/index.ts";
import { refPairs } from "../../core/pairs.ts";
import { defineAdapter, rows, temperature } from "../adapter.ts";
import { differentiated, type Machine, type Outputs } from "../machine.ts";
import { matrixOf } from "../nested.ts";
import { pairsOf, stackedSimilarity, twoViewPairs, TwoViews, viewVariables } from "./twoViews.ts";

const tauPlus = z.number().min(0).lt(1);

const even = { beta: 0, detachWeights: false };

type Views = { view1: number[][]; view2: number[][] };

/** Rows of view 1 as anchors, with two positives in the correction and one in the numerator. */
function twoPositives(
  options: Reweighting,
  { view1, view2, view3 }: Views & { view3: number[][] },
  machine: Machine,
): Promise<Outputs> {
  const n = view1.length;
  const constants = {
    own: machine.reals(matrixOf(n, 3 * n, (i, j) => j === i + n)),
    both: machine.reals(matrixOf(n, 3 * n, (i, j) => j >= n && j % n === i)),
    negative: machine.reals(matrixOf(n, 3 * n, (i, j) => j < 2 * n && j % n !== i)),
  };
  const variables = {
    ...viewVariables({ view1, view2 }, machine),
    view3: machine.reals(view3, "view3"),
  };
  return differentiated(machine, variables, constants, (raw, { own, both, negative }) => {
    const unit = l2Normalize(np.concatenate([raw.view1, raw.view2, raw.view3], 0)); // [3n, D]
    const similarity = np.matmul(unit.ref.slice([0, n]), unit.transpose()); // [n, 3n]
    const pairs = { positive: both, negative };
    const { logMass, clamped } = negativeMass(similarity.ref, pairs, options); // [n], [n]
    return { perAnchor: againstMass(similarity, own, logMass, options.temperature), clamped };
  });
}

/** `debiased` on two views; with a third one that only corrects the negatives. */
export const debiased = defineAdapter({
  params: z.object({ temperature, tauPlus, anchors: z.enum(["both", "view1"]) }),
  inputs: TwoViews.extend({ view3: rows.optional() }),
  run({ anchors, ...options }, { view3, ...inputs }, machine) {
    const reweighting = { ...options, ...even };
    if (view3 !== undefined) return twoPositives(reweighting, { ...inputs, view3 }, machine);
    const n = inputs.view1.length;
    const count = anchors === "both" ? 2 * n : n;
    const constants = twoViewPairs(n, machine);
    return differentiated(machine, viewVariables(inputs, machine), constants, (views, given) => {
      const similarity = stackedSimilarity(views).slice([0, count]); // [count, 2n]
      const { positive, negative } = given;
      const pairs = {
        positive: positive.slice([0, count]), // [count, 2n]
        negative: negative.slice([0, count]), // [count, 2n]
      };
      const { clamped } = negativeMass(similarity.ref, refPairs(pairs), reweighting); // [count]
      return { perAnchor: loss(similarity, pairs, options), clamped };
    });
  },
});

/** `hardNegative` on two views. */
export const hardNegative = defineAdapter({
  params: z.object({
    temperature,
    tauPlus,
    beta: z.number().min(0),
    detachWeights: z.boolean(),
  }),
  inputs: TwoViews,
  run(options, inputs, machine) {
    const constants = twoViewPairs(inputs.view1.length, machine);
    return differentiated(machine, viewVariables(inputs, machine), constants, (views, given) => {
      const similarity = stackedSimilarity(views); // [2n, 2n]
      const pairs = pairsOf(given);
      const { clamped } = negativeMass(similarity.ref, refPairs(pairs), options); // [2n]
      return { perAnchor: hardLoss(similarity, pairs, options), clamped };
    });
  },
});
