import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { l2Normalize } from "../../core/numerics.ts";
import { supCon as loss } from "../../losses/index.ts";
import { defineAdapter, integers, rows, temperature } from "../adapter.ts";
import { differentiated } from "../machine.ts";
import { matrixOf } from "../nested.ts";
import { pairsOf } from "./twoViews.ts";

/** `supCon` on one or two views; views of the same label are positives. */
export const supCon = defineAdapter({
  params: z.object({
    temperature,
    baseTemperature: temperature,
    variant: z.enum(["out", "in", "logSum"]),
    anchors: z.enum(["all", "view1"]),
  }),
  inputs: z.object({ view1: rows, view2: rows.optional(), labels: integers }),
  run({ anchors, ...options }, { view1, view2, labels }, machine) {
    const n = view1.length;
    const m = n + (view2?.length ?? 0);
    const count = anchors === "all" ? m : n;
    const same = (i: number, j: number) => labels[i % n] === labels[j % n];
    const constants = {
      positive: machine.reals(matrixOf(count, m, (i, j) => i !== j && same(i, j))),
      negative: machine.reals(matrixOf(count, m, (i, j) => !same(i, j))),
    };
    const variables = {
      view1: machine.reals(view1, "view1"),
      ...(view2 === undefined ? {} : { view2: machine.reals(view2, "view2") }),
    };
    return differentiated(machine, variables, constants, (raw, given) => {
      const all = raw.view2 === undefined ? raw.view1 : np.concatenate([raw.view1, raw.view2], 0);
      const unit = l2Normalize(all); // [m, D]
      const anchorRows = count === m ? unit.ref : unit.ref.slice([0, count]); // [count, D]
      const similarity = np.matmul(anchorRows, unit.transpose()); // [count, m]
      return { perAnchor: loss(similarity, pairsOf(given), options) };
    });
  },
});
