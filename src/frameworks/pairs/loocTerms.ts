import { numpy as np } from "@jax-js/jax";

import type { Pairs } from "../../core/pairs.ts";
import { columnMask } from "../judge/contrast.ts";

/**
 * Pairs of one embedding space of leave-one-out contrastive learning (Xiao et al. 2021,
 * arXiv:2008.05659, eq. 2). Columns are the anchor's own key views k₀ … k_{V−1}, then the queue.
 *
 * Space 0 is invariant to every augmentation: k₀ is the positive and the other own views are left out.
 * Space h ≥ 1 keeps what augmentation h changes: kₕ, which shares its parameters with the query, is the
 * positive, and all other own views are negatives beside the queue. `queue` [N, K] are weights of its
 * rows as negatives; result [N, V + K]. Consumes `queue`.
 */
export function loocPairs(space: number, views: number, queue: np.Array): Pairs {
  const [n, k] = queue.shape;
  const own = columnMask(n, views, space).astype(queue.dtype); // [N, V]
  const others = space === 0 ? np.zerosLike(own.ref) : np.subtract(1, own.ref); // [N, V]
  const none = np.zeros([n, k]).astype(queue.dtype); // [N, K]
  return {
    positive: np.concatenate([own, none], 1), // [N, V + K]
    negative: np.concatenate([others, queue], 1), // [N, V + K]
  };
}

/**
 * The loss of each anchor in each space: [N, H]; its mean over the spaces is the loss of the anchor.
 *
 * `similarities` holds for every space cosines [N, V + K] to the own key views and the queue, `queues`
 * the weights [N, K] of the queue's rows as negatives. Consumes both.
 */
export function loocTerms(
  similarities: readonly np.Array[],
  queues: readonly np.Array[],
  loss: (similarity: np.Array, pairs: Pairs, space: number) => np.Array,
): np.Array {
  const terms = similarities.map((similarity, space) => {
    const views = similarity.shape[1] - queues[space].shape[1];
    return loss(similarity, loocPairs(space, views, queues[space]), space).reshape([-1, 1]); // [N, 1]
  });
  return np.concatenate(terms, 1);
}
