import { lax, type numpy as np } from "@jax-js/jax";

/** Rows of a queue that stand for projections: which ones, and the rows themselves. */
export type NearestAnchors = {
  /** [N] int32 */
  nearest: np.Array;
  /** [N, E] */
  rows: np.Array;
};

/**
 * The row of a queue nearest to each projection, which takes the projection's place as the anchor (Dwibedi
 * et al. 2021, arXiv:2104.14548, eq. 2). `similarity` [N, K] cosine of projections and queue, `queue` [K, E]
 * unit rows. Ties go to the lower row. No gradient. Consumes both.
 */
export function nearestAnchors(similarity: np.Array, queue: np.Array): NearestAnchors {
  const [n] = similarity.shape;
  const [top, at] = lax.topK(lax.stopGradient(similarity), 1); // [N, 1], [N, 1] int32
  top.dispose();
  const nearest = at.reshape([n]); // [N]
  return { rows: lax.stopGradient(queue.slice(nearest.ref)), nearest };
}
