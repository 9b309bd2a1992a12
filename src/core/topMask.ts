import { lax, numpy as np, vjp } from "@jax-js/jax";

/**
 * 1 at the `count` largest entries of every row, else 0: [N, M] in the type of `values` [N, M].
 *
 * Ties go to the lower column. `count` above M takes all, 0 none. No gradient. Consumes `values`.
 */
export function topMask(values: np.Array, count: number): np.Array {
  const [n, m] = values.shape;
  const { dtype } = values;
  if (count >= m) return np.ones([n, m]).astype(dtype);
  if (count <= 0) return np.zeros([n, m]).astype(dtype);
  const [top, at] = lax.topK(lax.stopGradient(values), count); // [N, count], [N, count] int32
  top.dispose();
  // jax-js 0.1.25 cannot scatter what is a mere view of another array; stopGradient makes arrays of views
  const row = lax.stopGradient(np.arange(n).reshape([n, 1])); // [N, 1]
  const one = lax.stopGradient(np.ones([n, count]).astype(dtype)); // [N, count]
  // the transpose of reading at these places writes there, into zeros
  const read = (x: np.Array) => x.slice(row, lax.stopGradient(at));
  const [entries, transpose] = vjp(read, [np.zeros([n, m]).astype(dtype)]);
  entries.dispose();
  const [mask] = transpose(one); // [N, M]
  return mask;
}

/**
 * The same for a `count` [] int32 that is known only when the program runs, as in a schedule. On the
 * reference device it sorts whole rows; compiled, it finds the `count`-th entry and compares with it.
 *
 * @returns [N, M] in the type of `values`; consumes both
 */
export function topMaskOf(values: np.Array, count: np.Array): np.Array {
  const [n, m] = values.shape;
  const x = lax.stopGradient(values); // [N, M]
  const [top, at] = lax.topK(x.ref, m); // [N, M], [N, M] int32
  const rank = np.clip(count.ref.sub(1), 0, m - 1); // []
  const least = np.take(top, rank.ref, 1).reshape([n, 1]);
  const lastTied = np.take(at, rank, 1).reshape([n, 1]); // column of that entry
  const column = np.arange(m).reshape([1, m]);
  const tied = np.minimum(x.ref.equal(least.ref), column.lessEqual(lastTied)); // [N, M] bool
  const chosen = np.maximum(x.ref.greater(least), tied); // [N, M] bool
  return np.minimum(chosen, count.greater(0)).astype(x.dtype);
}

/**
 * Rank of every entry in its row, 0 for the largest; ties are ranked by column: [N, M] int32. No gradient.
 * Consumes `values`. A complete sort of every row: where only the first entries matter, take `topMask`.
 */
export function descendingRanks(values: np.Array): np.Array {
  return np.argsort(np.argsort(lax.stopGradient(values).neg()));
}
