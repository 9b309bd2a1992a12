import type { numpy as np } from "@jax-js/jax";

/**
 * Rows [N, …] in another fixed order: row n goes to (n mod S)·N/S + ⌊n/S⌋.
 *
 * Images that share a split of the batch (n mod S) in the old order are spread over the splits of the
 * new one, so that statistics of a query's split tell little about its key.
 */
export function shuffled(x: np.Array, splits: number): np.Array {
  const [n, ...rest] = x.shape;
  if (splits === 1) return x;
  const axes = [1, 0, ...rest.map((_, i) => i + 2)];
  return x
    .reshape([n / splits, splits, ...rest])
    .transpose(axes)
    .reshape(x.shape);
}

/** Undoes `shuffled`. */
export function unshuffled(x: np.Array, splits: number): np.Array {
  const [n, ...rest] = x.shape;
  if (splits === 1) return x;
  const axes = [1, 0, ...rest.map((_, i) => i + 2)];
  return x
    .reshape([splits, n / splits, ...rest])
    .transpose(axes)
    .reshape(x.shape);
}
