import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { Pairs } from "../core/pairs.ts";
import { hardness } from "./hardness.ts";
import { defineSampler } from "./sampler.ts";

/** 1 at the largest entry of every row, the first of equal ones: [N, M]. Consumes. */
function firstLargest(values: np.Array): np.Array {
  const [, m] = values.shape;
  const { dtype } = values;
  const column = np.arange(m).reshape([1, m]); // [1, M] int32
  const largest = values.ref.max(-1, { keepdims: true }); // [N, 1]
  const first = np.where(values.equal(largest), column.ref, m).min(-1, { keepdims: true }); // [N, 1]
  return column.equal(first).astype(dtype); // [N, M]
}

/** The nearest negative of every anchor, [N, M] with its weight; a row of zeros where there is none. Lent: all. */
const nearestNegative = (ranking: np.Array, negative: np.Array): np.Array =>
  firstLargest(hardness(ranking, negative)).mul(negative.ref); // [N, M]

/** The anchor's own positives, left out where it has a neighbour. Consumes both. */
function withoutOwn(positive: np.Array, found: np.Array): np.Array {
  const alone = found.sum(-1, { keepdims: true }).lessEqual(0); // [N, 1]
  return positive.ref.mul(alone.astype(positive.dtype)); // [N, M]
}

/**
 * Each anchor's nearest candidate (by `scene.ranking`, among its negatives) becomes its positive, in place of
 * its own views or beside them. Ties go to the lower column. An anchor without negatives keeps its pairs.
 *
 * This is the neighbour idea of NNCLR on pairs of any framework, and not NNCLR. There the neighbour of one
 * view in a queue stands in for that view as the *anchor*, and is compared with a predictor's output for
 * the other view, against the predictions for other images of the batch. So the other view is still drawn
 * towards it. Here the anchor is drawn towards its own neighbour and pushed from the other candidates. With
 * `keepOwn` the two views stay bound to each other, without it only through their neighbours. Log how often
 * neighbours share a label, and keep the memory well below the size of the dataset: else the nearest candidate
 * may show the same image (those of the same id are no negatives in our frameworks).
 */
export const nearest = defineSampler({
  name: "nearest",
  summary: "Each anchor's nearest candidate becomes its positive.",
  source: "after Dwibedi et al. 2021, arXiv:2104.14548",
  options: z.strictObject({
    keepOwn: z
      .boolean()
      .default(false)
      .describe("the neighbour joins the anchor's own views instead of replacing them"),
  }),
  findsPositives: true,
  reasons: { promoted: "nearest", demoted: "replaced" },
  apply({ ranking }, { positive, negative }, { keepOwn }): Pairs {
    const found = nearestNegative(ranking, negative); // [N, M]
    const own = keepOwn ? positive : withoutOwn(positive, found.ref); // [N, M]
    return { positive: own.add(found.ref), negative: negative.sub(found) };
  },
});
