import { lax, numpy as np } from "@jax-js/jax";

import { l2Normalize, LOWEST, weightedMean } from "../core/numerics.ts";
import { type Pairs } from "../core/pairs.ts";
import type { ArrayRecord } from "../core/trees.ts";

/** 1 where two vectors of integers differ: a [N], b [M] to [N, M] float32. */
export function differ(a: np.Array, b: np.Array): np.Array {
  const [n, m] = [a.shape[0], b.shape[0]];
  return a
    .reshape([n, 1])
    .notEqual(b.reshape([1, m]))
    .astype(np.float32);
}

/** 1 in column 0 and 0 elsewhere: [N, M] float32, computed rather than stored. */
export function firstColumn(n: number, m: number): np.Array {
  const first = np.arange(m).less(1).astype(np.float32).reshape([1, m]); // [1, M]
  return np.broadcastTo(first, [n, m]);
}

/**
 * Pairs of V views of B images, stacked view-major, against themselves.
 *
 * The other views of an image are its positives. Views of the same image id or of the same group are
 * never negatives; a view is no candidate of its own.
 */
export function pairsOfViews(viewCount: number, ids: np.Array, groups: np.Array): Pairs {
  const [batchSize] = ids.shape;
  const repeat = (values: np.Array) =>
    viewCount === 1
      ? values
      : np.concatenate(
          Array.from({ length: viewCount }, () => values.ref),
          0,
        ); // [N]
  const count = viewCount * batchSize;
  const row = np.arange(count); // [N]
  const itself = np.subtract(1, differ(row.ref, row.ref)); // [N, N]
  const place = row.mod(batchSize); // [N]
  const own = np.subtract(1, differ(place.ref, place)); // [N, N]
  const [idOf, groupOf] = [repeat(ids), repeat(groups)];
  const other = differ(idOf.ref, idOf).mul(differ(groupOf.ref, groupOf)); // [N, N]
  return { positive: own.ref.sub(itself), negative: other.mul(np.subtract(1, own)) };
}

/** √E times the standard deviation of unit rows [N, E], averaged over the axes: 1 when even, 0 when all are one. */
export function featureStd(unit: np.Array): np.Array {
  const size = unit.shape[1];
  const centred = unit.ref.sub(unit.mean(0, { keepdims: true })); // [N, E]
  const deviation = np.sqrt(np.square(centred).mean(0)); // [E]
  return deviation.mean().mul(Math.sqrt(size));
}

/** Mean over the anchors of the similarity of their positives, of their negatives, and how often a positive leads. */
export function pairMetrics(similarity: np.Array, { positive, negative }: Pairs): ArrayRecord {
  const detached = lax.stopGradient(similarity); // [N, M]
  const best = (weight: np.Array) => np.where(weight.greater(0), detached.ref, LOWEST).max(-1); // [N]
  const leads = best(positive.ref).greater(best(negative.ref)).astype(np.float32); // [N]
  return {
    positiveSimilarity: weightedMean(detached.ref.reshape([-1]), positive.reshape([-1])),
    negativeSimilarity: weightedMean(detached.reshape([-1]), negative.reshape([-1])),
    accuracy: leads.mean(),
  };
}

/** ‖g‖ over all gradients. Consumes the record. */
export function gradientNorm(gradient: ArrayRecord): np.Array {
  const squares = Object.values(gradient).map((slope) => np.square(slope).sum()); // []
  return np.sqrt(squares.reduce((total, square) => total.add(square)));
}

/** Unit rows of an embedding. */
export const unitRows = (embedding: np.Array): np.Array => l2Normalize(embedding);
