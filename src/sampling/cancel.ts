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

/** x / y, 0 where y is 0. Consumes both. */
export const ratio = (x: np.Array, y: np.Array): np.Array => {
  const some = y.ref.greater(0);
  return np.where(some.ref, x.div(np.where(some, y, 1)), 0);
};

/** Negatives scaled up to the sum of weights that they had before. Consumes both. */
export function massOf(negative: np.Array, before: np.Array): np.Array {
  const mass = (weights: np.Array) => weights.sum(-1, { keepdims: true }); // [N, 1]
  const factor = ratio(mass(before), mass(negative.ref)); // [N, 1]
  return negative.mul(factor); // [N, M]
}
