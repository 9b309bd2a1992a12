import { lax, numpy as np } from "@jax-js/jax";

/** Column numbers [1, M] in the type of `like` [N, M]. */
const columns = (like: np.Array): np.Array =>
  np.arange(like.shape[1]).astype(like.dtype).reshape([1, -1]);

/**
 * 1 at the `count` largest entries of every row, else 0: [N, M] in the type of `values` [N, M].
 *
 * Ties go to the lower column. `count` above M takes all, 0 none. No gradient. Consumes `values`.
 */
export function topMask(values: np.Array, count: number): np.Array {
  const [n, m] = values.shape;
  if (count >= m) return np.ones([n, m]).astype(values.dtype);
  if (count <= 0) return np.zeros([n, m]).astype(values.dtype);
  const x = lax.stopGradient(values); // [N, M]
  const [top, at] = lax.topK(x.ref, count); // [N, count], [N, count] int32
  const least = top.ref.min(-1, { keepdims: true }); // [N, 1]
  const tied = top.equal(least.ref); // [N, count]
  const lastTied = np.where(tied, at.astype(x.dtype), -1).max(-1, { keepdims: true }); // [N, 1]
  const above = x.ref.greater(least.ref).astype(x.dtype); // [N, M]
  const column = columns(x);
  const equal = x.equal(least).astype(above.dtype); // [N, M]
  return above.add(equal.mul(column.lessEqual(lastTied).astype(above.dtype))); // [N, M]
}

/**
 * Rank of every entry in its row, 0 for the largest; ties are ranked by column: [N, M] int32. Costs two
 * sorts. No gradient. Consumes `values`.
 */
export function descendingRanks(values: np.Array): np.Array {
  return np.argsort(np.argsort(lax.stopGradient(values).neg()));
}
