import type { z } from "zod";

import { adnce, ifm, type Loss, rince, sigmoid } from "../../losses/index.ts";
import { type Adapter, defineAdapter, integers } from "../adapter.ts";
import { differentiated } from "../machine.ts";
import { matrixOf } from "../nested.ts";
import { pairsOf, stackedSimilarity, TwoViews, viewVariables } from "./twoViews.ts";

/** A loss on two views of n samples; the parameters of a case are its options. */
const viewLoss = <O extends z.ZodObject>(loss: Loss<O>): Adapter =>
  defineAdapter({
    params: loss.options,
    /** Views of one label are positives, of a sample without one its other view. */
    inputs: TwoViews.extend({ labels: integers.optional() }),
    run(options, { labels, ...inputs }, machine) {
      const n = inputs.view1.length;
      const labelOf = (row: number) => labels?.[row % n] ?? row % n;
      const constants = {
        positive: machine.reals(
          matrixOf(2 * n, 2 * n, (i, j) => i !== j && labelOf(i) === labelOf(j)),
        ),
        negative: machine.reals(matrixOf(2 * n, 2 * n, (i, j) => labelOf(i) !== labelOf(j))),
      };
      return differentiated(machine, viewVariables(inputs, machine), constants, (views, given) => ({
        perAnchor: loss(stackedSimilarity(views), pairsOf(given), options as z.input<O>),
      }));
    },
  });

/** Losses whose cases are two views and their options. */
export const viewLosses: Readonly<Record<string, Adapter>> = {
  adnce: viewLoss(adnce),
  ifm: viewLoss(ifm),
  rince: viewLoss(rince),
  sigmoid: viewLoss(sigmoid),
};
