import { z } from "zod";

import { infoNce } from "../../losses/index.ts";
import { defineAdapter, temperature } from "../adapter.ts";
import { differentiated } from "../machine.ts";
import { pairsOf, stackedSimilarity, twoViewPairs, TwoViews, viewVariables } from "./twoViews.ts";

/** `infoNce` on two views of a batch. */
export const ntXent = defineAdapter({
  params: z.object({ temperature }),
  inputs: TwoViews,
  run: (options, inputs, machine) =>
    differentiated(
      machine,
      viewVariables(inputs, machine),
      twoViewPairs(inputs.view1.length, machine),
      (views, constants) => ({
        perAnchor: infoNce(stackedSimilarity(views), pairsOf(constants), options),
      }),
    ),
});
