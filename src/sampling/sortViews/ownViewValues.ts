import { numpy as np } from "@jax-js/jax";

/**
 * Entries of a matrix at each anchor's own views: W masks [N, M] of a scene and a matrix [N, M] to [N, W].
 * Exact, as each mask has one 1 a row. Lent: the masks; consumes `matrix`.
 */
export function ownViewValues(ownViews: readonly np.Array[], matrix: np.Array): np.Array {
  const { dtype } = matrix;
  const entries = ownViews.map((mask) =>
    mask.ref.astype(dtype).mul(matrix.ref).sum(-1, { keepdims: true }),
  ); // [N, 1]
  return np.concatenate(entries, 1); // [N, W]
}

/** The transpose: values [N, W] at each anchor's own views in [N, M], 0 elsewhere. Consumes `values`. */
export function atOwnViews(ownViews: readonly np.Array[], values: np.Array): np.Array {
  const placed = ownViews.map((mask, w) =>
    mask.ref.astype(values.dtype).mul(values.ref.slice([], [w, w + 1])),
  ); // [N, M]
  return placed.reduce((sum, part) => sum.add(part));
}
