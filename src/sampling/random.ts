import type { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { Count } from "../core/ranges.ts";
import { topMask } from "../core/topMask.ts";
import { actionOption, cancel } from "./cancel.ts";
import { hardness } from "./hardness.ts";
import { defineSampler } from "./sampler.ts";
import { fieldInputs, uniformField } from "./uniformField.ts";

/**
 * Takes negatives at random: the control beside every sampler that claims to find the false ones. Set it to
 * the number that the other one drops.
 *
 * `rate` takes each negative with that probability, independently of the anchor's other negatives; `count`
 * takes exactly that many an anchor (all where it has fewer). New draws every step.
 */
export const random = defineSampler({
  name: "random",
  summary: "Takes negatives at random: the control of every selection.",
  source: "this project, 2026: the control at equal rate",
  options: z.strictObject({
    rate: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe("share of an anchor's negatives that is taken; not used where count is given"),
    count: Count.nullable()
      .default(null)
      .describe("negatives taken per anchor; null: a share of them"),
    action: actionOption("eliminate"),
  }),
  detects: true,
  reasons: { dropped: "random", promoted: "random" },
  inputs: (_, sizes) => fieldInputs(sizes),
  apply({ inputs }, pairs, { rate, count, action }) {
    const { negative } = pairs;
    const draw = uniformField(inputs, negative); // [N, M]
    const picked: np.Array =
      count === null
        ? draw.less(rate).astype(negative.dtype) // [N, M]
        : topMask(hardness(draw, negative), count); // [N, M]
    return cancel(pairs, picked, action);
  },
});
