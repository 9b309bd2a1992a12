import { numpy as np } from "@jax-js/jax";

import { sumAt } from "./sumAt.ts";

/** Places of the entries (i, columns[i, l]) in a row-major array of rows of length `width`: [N, L] int32. */
function flatPlaces(columns: np.Array, width: number): np.Array {
  const rowStart = np.arange(columns.shape[0]).mul(width).reshape([-1, 1]); // [N, 1]
  return columns.add(rowStart); // [N, L]
}

/** Entries of each row at its own columns: values [N, M], columns [N, L] int32 to [N, L]. Consumes both. */
export function entriesAt(values: np.Array, columns: np.Array): np.Array {
  const places = flatPlaces(columns, values.shape[1]); // [N, L]
  return values.reshape([-1]).slice(places); // [N, L]
}

/**
 * The transpose of `entriesAt`: zeros in the shape [N, M] of `like` with `weights` [N, L] added at the
 * columns [N, L] int32 of each row. Costs one write an entry, no [N, L, M]. Consumes all arguments.
 */
export function sumEntriesAt(like: np.Array, columns: np.Array, weights: np.Array): np.Array {
  const { shape } = like; // [N, M]
  const places = flatPlaces(columns, shape[1]); // [N, L]
  return sumAt(like.reshape([-1]), places, weights).reshape(shape); // [N, M]
}
