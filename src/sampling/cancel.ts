import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { Pairs } from "../core/pairs.ts";

/** What becomes of negatives that are taken for false ones. */
export type Action = "eliminate" | "attract";

/** Option of samplers that find false negatives. */
export const actionOption = (action: Action) =>
  z
    .enum(["eliminate", "attract"])
    .default(action)
    .describe(
      "what becomes of a negative that was picked: left out (eliminate), or a positive of the same weight (attract)",
    );

/** Takes the negatives where `picked` [N, M] is 1 out of the negatives. Consumes both. */
export function cancel({ positive, negative }: Pairs, picked: np.Array, action: Action): Pairs {
  const moved = negative.ref.mul(picked); // [N, M]
  const rest = negative.sub(moved.ref); // [N, M]
  return { positive: action === "attract" ? positive.add(moved) : positive, negative: rest };
}
