import { numpy as np } from "@jax-js/jax";

import type { Pairs } from "../src/core/pairs.ts";

/** Pairs of two views of `n` images stacked to [2n]: row i and row i + n show one image, all others repel. */
export function pairsOfTwoViews(n: number): Pairs {
  const itself = np.eye(2 * n); // [2n, 2n]
  const positive = np.concatenate([itself.ref.slice([n, 2 * n]), itself.ref.slice([0, n])], 0);
  return { positive: positive.ref, negative: np.subtract(1, itself.add(positive)) };
}
