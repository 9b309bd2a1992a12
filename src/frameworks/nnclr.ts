import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { LOWEST } from "../core/numerics.ts";
import { Width } from "../core/ranges.ts";
import { refArrays } from "../core/trees.ts";
import { heads } from "../encoders/index.ts";
import { defaultQueueSize, emptyQueue, enqueue, lookUp, strangers } from "../memory/index.ts";
import { buildChain } from "./pairs/chain.ts";
import { checkBatch } from "./pairs/checkBatch.ts";
import { asSupport, differ, unitRows } from "./judge/contrast.ts";
import { type Contests, defineFramework, type Seen } from "./defineFramework.ts";
import { withPredictor } from "./model/headGroups.ts";
import { marksOf, sliceMarks } from "./pairs/marks.ts";
import { mocoKeys } from "./mocoOptions.ts";
import { nearestAnchors } from "./pairs/nearestAnchors.ts";
import { knownOfOwnViews } from "./pairs/ownViews.ts";

/** Anchors, with a label each that is known or −1, whose neighbour's label is known, and is the same. Consumes both. */
function neighbourCounts(asked: np.Array, found: np.Array) {
  const flag = (condition: np.Array) => condition.astype(np.float32);
  const known = flag(asked.ref.greaterEqual(0)).mul(flag(found.ref.greaterEqual(0))); // [2B]
  const same = flag(asked.equal(found)).mul(known.ref); // [2B]
  return { "sum.promotedKnown": known.sum(), "sum.promotedSame": same.sum() }; // as `samplingSums` names them
}

/** Neighbours of each view among the queue ask for the prediction of the image's other view: [2B, B]. */
function neighboursAgainstPredictions(
  { embedding, memory: queue, batch }: Seen,
  images: number,
): Contests {
  const half = embedding.shape[1] / 2;
  const projections = lax.stopGradient(unitRows(embedding.ref.slice([], [0, half]))); // [2B, E]
  const predictions = unitRows(embedding.slice([], [half, 2 * half])); // [2B, E]
  const marks = marksOf(batch);
  const mine = strangers(marks.ids.ref, queue.ids.ref); // [2B, K]
  const near = np.matmul(projections.ref, queue.keys.ref.transpose()); // [2B, K]
  const eligible = np.where(mine.greater(0), near, LOWEST); // [2B, K]
  const { nearest, rows: anchors } = nearestAnchors(eligible, queue.keys.ref); // [2B], [2B, E]
  const ofView = (x: np.Array, at: number) => x.ref.slice([at * images, (at + 1) * images]); // [B, E]
  const towards = (view: number, other: number) =>
    np.matmul(ofView(anchors, view), ofView(predictions, other).transpose()); // [B, B]
  const similarity = np.concatenate([towards(0, 1), towards(1, 0)], 0); // [2B, B]
  const candidates = sliceMarks(marks, images);
  const place = np.arange(2 * images).mod(images); // [2B]
  const elsewhere = differ(place, np.arange(images)); // [2B, B]
  const positive = np.subtract(1, elsewhere.ref); // [2B, B]
  const negative = elsewhere.mul(differ(marks.ids.ref, candidates.ids.ref)); // [2B, B]
  const contest = {
    similarity,
    support: lax.stopGradient(asSupport(similarity.ref, images)), // [2, B, B]
    ownViews: [positive.ref],
    ...knownOfOwnViews(batch, { images, anchorViews: 2, views: 2 }),
    anchors: marks,
    candidates,
    pool: images - 1,
  };
  return {
    contests: [{ contest, pairs: { positive, negative } }],
    unit: projections.ref,
    counts: neighbourCounts(marks.labels.ref, lookUp(queue.labels.ref, nearest)),
    kept: { fresh: ofView(projections, 0) },
  };
}

/** The nearest earlier projection of another image stands for a view and asks for its other view. */
export const nnclr = defineFramework({
  name: "nnclr",
  summary: "Anchors are the nearest neighbours of views in a queue; candidates are predictions.",
  source: "Dwibedi et al. 2021, With a little help from my friends, arXiv:2104.14548",
  inBatch: true,
  options: z.strictObject({
    queueSize: mocoKeys.queueSize.describe(
      "projections among which neighbours are looked for; unless given at most 4096 and a quarter of the dataset",
    ),
    hidden: Width.default(256).describe(
      "width of the predictor's hidden layer, which has batch normalisation",
    ),
  }),
  base: () => ({ name: "simclr" }),
  head({ hidden }, make, inputs) {
    const projector = make(inputs);
    const { dimension } = projector;
    return withPredictor(projector, heads.mlp(dimension, { hidden, dimension, batchNorm: true }));
  },
  build(parts, { queueSize }) {
    const { batchSize: images, datasetSize, samplers, head } = parts;
    checkBatch("nnclr", images);
    const size = queueSize ?? defaultQueueSize(datasetSize);
    const width = parts.head.dimension;
    const sizes = { anchors: 2 * images, candidates: images, images, datasetSize, width };
    return {
      viewCount: 2,
      queryViews: 2,
      chains: [buildChain({ samplers }, sizes, parts)],
      columns: [{ kind: "prediction", count: images, view: "other" }],
      offers: [],
      contests: (seen) => neighboursAgainstPredictions(seen, images),
      memoryRows: size,
      memory: () => emptyQueue(size, head.dimension / 2),
      remember: ({ memory, batch }, { fresh }) =>
        enqueue(refArrays(memory), { keys: fresh, ...sliceMarks(marksOf(batch), images) }),
      chanceLoss: () => Math.log(images),
    };
  },
});
