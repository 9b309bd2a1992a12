import { numpy as np } from "@jax-js/jax";

/**
 * A number as a scalar [] in the type of `like`, which is not consumed.
 *
 * A plain number beside a float64 array is rounded to float32 first: fine for 0, 1 and ½, not for 1/τ.
 */
export const constantLike = (like: np.Array, value: number): np.Array =>
  np.array(value, { dtype: like.dtype });
