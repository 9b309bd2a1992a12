import { lax, numpy as np } from "@jax-js/jax";

import { constantLike } from "./constantLike.ts";
import { LOWEST } from "./numerics.ts";

/**
 * Quantile of the entries that each row keeps, by linear interpolation at position share · (n − 1) of the n
 * in ascending order: values [N, M], kept [N, M] (above 0 keeps) to [N, 1].
 *
 * A row that keeps nothing gives 10³⁰. One sort. No gradient. Consumes both arrays.
 */
export function rowQuantile(values: np.Array, kept: np.Array, share: number): np.Array {
  const x = lax.stopGradient(values); // [N, M]
  const present = kept.greater(0); // [N, M]
  const count = present.ref.astype(x.dtype).sum(-1, { keepdims: true }); // [N, 1]
  const last = np.maximum(count.sub(1), 0); // [N, 1]
  const at = last.ref.mul(constantLike(last, share)); // [N, 1]
  const low = np.floor(at.ref); // [N, 1]
  const high = np.minimum(low.ref.add(1), last); // [N, 1]
  const column = np.arange(x.shape[1]).astype(x.dtype).reshape([1, -1]); // [1, M]
  const ascending = np.sort(np.where(present, x, -LOWEST)); // [N, M]
  const pick = (place: np.Array) =>
    np.where(column.ref.equal(place), ascending.ref, 0).sum(-1, { keepdims: true }); // [N, 1]
  const below = pick(low.ref); // [N, 1]
  return below.ref.add(pick(high).sub(below).mul(at.sub(low))); // [N, 1]
}
