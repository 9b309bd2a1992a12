import { lax, numpy as np } from "@jax-js/jax";

import { l2Normalize, LOWEST, weightedMean } from "../../core/numerics.ts";
import { type Pairs } from "../../core/pairs.ts";
import type { ArrayRecord } from "../../core/trees.ts";

/** 1 where two vectors of integers differ: a [N], b [M] to [N, M] float32. */
export function differ(a: np.Array, b: np.Array): np.Array {
  const [n, m] = [a.shape[0], b.shape[0]];
  return a
    .reshape([n, 1])
    .notEqual(b.reshape([1, m]))
    .astype(np.float32);
}

/** 1 in one column and 0 elsewhere: [N, M] float32, computed rather than stored. */
export function columnMask(n: number, m: number, column: number): np.Array {
  const mask = np.arange(m).equal(column).astype(np.float32).reshape([1, m]); // [1, M]
  return np.broadcastTo(mask, [n, m]);
}

/** Sizes of views against views: A anchor views (the first ones) of V views of B images. */
export type ViewGrid = { images: number; anchorViews: number; views: number };

/**
 * Candidates that are other views of the anchor's own image, for A·B anchors and V·B candidates, both
 * view-major: V − 1 masks [A·B, V·B], the u-th 1 at view (a + u) mod V of the anchor's image.
 */
export function ownViewMasks({ images, anchorViews, views }: ViewGrid): np.Array[] {
  const [n, m] = [anchorViews * images, views * images];
  const row = np.arange(n).reshape([n, 1]); // [N, 1]
  const column = np.arange(m).reshape([1, m]); // [1, M]
  return Array.from({ length: views - 1 }, (_, u) =>
    row.ref
      .add((u + 1) * images)
      .mod(m)
      .equal(column.ref)
      .astype(np.float32),
  );
}

/**
 * Pairs of views against views: the other views of an image are its positives; a view of another image id
 * is a negative. `anchors` [N] and `candidates` [M] are image ids. Lent: all of them.
 */
export function pairsOfViews(
  ownViews: readonly np.Array[],
  anchors: np.Array,
  candidates: np.Array,
  images: number,
): Pairs {
  const [n, m] = [anchors.shape[0], candidates.shape[0]];
  const place = (count: number) => np.arange(count).mod(images); // image of the batch
  const elsewhere = differ(place(n), place(m)); // [N, M]
  return {
    positive: sumOf(
      ownViews.map((mask) => mask.ref),
      [n, m],
    ), // [N, M]
    negative: elsewhere.mul(differ(anchors.ref, candidates.ref)), // [N, M]
  };
}

const sumOf = (masks: np.Array[], shape: number[]): np.Array =>
  masks.length === 0 ? np.zeros(shape) : masks.reduce((sum, mask) => sum.add(mask));

/** Similarities [V·B, M] of all views of B images as [V, B, M]: the support views of each image. */
export const asSupport = (similarity: np.Array, images: number): np.Array =>
  similarity.reshape([similarity.shape[0] / images, images, similarity.shape[1]]);

/** The first `count` numbers. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Rows [K·B, …] of some views among those [V·B, …] of all, one view after the other. Lent. */
export function rowsOfViews(rows: np.Array, views: readonly number[], images: number): np.Array {
  const [first] = views;
  if (views.every((view, i) => view === first + i)) {
    if (views.length * images === rows.shape[0]) return rows.ref;
    return rows.ref.slice([first * images, (first + views.length) * images]);
  }
  const each = views.map((view) => rows.ref.slice([view * images, (view + 1) * images]));
  return np.concatenate(each, 0);
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
