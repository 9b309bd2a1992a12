import { lax, numpy as np } from "@jax-js/jax";

import { LOWEST } from "../core/numerics.ts";

/**
 * Cosine of negatives, and `LOWEST` where a pair is none, so that it ranks behind all negatives: [N, M].
 * Without gradient. Both arguments are lent.
 */
export const hardness = (cosine: np.Array, negative: np.Array): np.Array =>
  np.where(negative.ref.greater(0), lax.stopGradient(cosine.ref), LOWEST);
