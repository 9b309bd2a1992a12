import type { numpy as np } from "@jax-js/jax";

/**
 * 1 where anchor and candidate have the same known mark (label or group), else 0: int32 [N] and [M] to
 * [N, M] in the type of `like`. −1 is unknown and the same as nothing. All arguments are lent.
 */
export function sameMark(anchors: np.Array, candidates: np.Array, like: np.Array): np.Array {
  const marks = anchors.ref.reshape([-1, 1]); // [N, 1]
  const same = marks.ref.equal(candidates.ref.reshape([1, -1])); // [N, M]
  return same.astype(like.dtype).mul(marks.greaterEqual(0).astype(like.dtype)); // [N, M]
}
