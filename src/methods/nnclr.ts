import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { LOWEST } from "../core/numerics.ts";
import { type ArrayRecord, refArrays } from "../core/trees.ts";
import { heads } from "../encoders/index.ts";
import { defaultQueueSize, emptyQueue, enqueue, lookUp, strangers } from "../memory/index.ts";
import { buildChain, type Chain } from "./chain.ts";
import { checkBatch } from "./checkBatch.ts";
import { asSupport, differ, featureStd, unitRows } from "./contrast.ts";
import { type Core, defineFramework } from "./framework.ts";
import { withPredictor } from "./headGroups.ts";
import { judge, type Judged } from "./judge.ts";
import { marksOf, sliceMarks } from "./marks.ts";
import { mocoKeys } from "./mocoOptions.ts";
import { descend, gradientAt, project, withSampling } from "./model.ts";
import { nearestAnchors } from "./nearestAnchors.ts";
import { knownOfOwnViews } from "./ownViews.ts";
import type { Parts } from "./parts.ts";
import type { State } from "./state.ts";

const NnclrOptions = z.strictObject({
  queueSize: mocoKeys.queueSize.describe(
    "projections among which neighbours are looked for; unless given at most 4096 and a quarter of the dataset",
  ),
  hidden: z
    .int()
    .positive()
    .default(256)
    .describe("width of the predictor's hidden layer, which has batch normalisation"),
});
type NnclrOptions = z.output<typeof NnclrOptions>;

type Sides = { projections: np.Array; predictions: np.Array };

/** Embeddings [2B, 2·E] as unit projections and predictions, each [2B, E]. */
function sidesOf(embedding: np.Array): Sides {
  const half = embedding.shape[1] / 2;
  return {
    projections: lax.stopGradient(unitRows(embedding.ref.slice([], [0, half]))),
    predictions: unitRows(embedding.slice([], [half, 2 * half])),
  };
}

/** Neighbours of each view among the queue ask for the prediction of the image's other view: [2B, B]. */
function contestOf(
  { projections, predictions }: Sides,
  queue: ArrayRecord,
  batch: ArrayRecord,
  images: number,
) {
  const marks = marksOf(batch);
  const mine = strangers(marks.ids.ref, queue.ids.ref); // [2B, K]
  const near = np.matmul(projections, queue.keys.ref.transpose()); // [2B, K]
  const eligible = np.where(mine.greater(0), near, LOWEST); // [2B, K]
  const { nearest, rows: anchors } = nearestAnchors(eligible, queue.keys.ref); // [2B], [2B, E]
  const half = (x: np.Array, at: number) => x.ref.slice([at * images, (at + 1) * images]); // [B, E]
  const towards = (a: np.Array, b: np.Array) => np.matmul(a, b.transpose()); // [B, B]
  const similarity = np.concatenate(
    [
      towards(half(anchors, 0), half(predictions, 1)),
      towards(half(anchors, 1), half(predictions, 0)),
    ],
    0,
  ); // [2B, B]
  const candidates = sliceMarks(marks, images);
  const place = np.arange(2 * images).mod(images); // [2B]
  const elsewhere = differ(place, np.arange(images)); // [2B, B]
  const positive = np.subtract(1, elsewhere.ref); // [2B, B]
  const negative = elsewhere.mul(differ(marks.ids.ref, candidates.ids.ref)); // [2B, B]
  return {
    nearest,
    contest: {
      similarity,
      support: lax.stopGradient(asSupport(similarity.ref, images)), // [2, B, B]
      ownViews: [positive.ref],
      ...knownOfOwnViews(batch, { images, anchorViews: 2, views: 2 }),
      anchors: marks,
      candidates,
      pool: images - 1,
    },
    pairs: { positive, negative },
  };
}

/** The metrics of a step with neighbours counted among the positives that were found, for their purity. */
function withNeighbours(metrics: ArrayRecord, asked: np.Array, found: np.Array): ArrayRecord {
  const flag = (condition: np.Array) => condition.astype(np.float32);
  const known = flag(asked.ref.greaterEqual(0)).mul(flag(found.ref.greaterEqual(0))); // [2B]
  const same = flag(asked.equal(found)).mul(known.ref); // [2B]
  return {
    ...metrics,
    "sum.promotedKnown": metrics["sum.promotedKnown"].add(known.sum()), // as `samplingSums` names them
    "sum.promotedSame": metrics["sum.promotedSame"].add(same.sum()),
  };
}

function buildNnclr(parts: Parts, { queueSize }: NnclrOptions): Core {
  const { batchSize: images, datasetSize } = parts;
  checkBatch("nnclr", images);
  const size = queueSize ?? defaultQueueSize(datasetSize);
  const width = parts.head.dimension / 2;
  const sizes = { anchors: 2 * images, candidates: images, images, datasetSize };
  const chain: Chain = buildChain({ samplers: parts.samplers }, sizes, parts);
  const step = (state: State, batch: ArrayRecord): [State, ArrayRecord] => {
    const { views, learningRate } = batch;
    const queue = state.memory!;
    const marks = marksOf(batch);
    const { gradient, statistics, metrics, kept } = gradientAt(
      parts,
      state,
      (parameters, running) => {
        const projected = project(parts, parameters, running, views.ref);
        const sides = sidesOf(projected.embedding);
        const spread: ArrayRecord = parts.metrics
          ? { featureStd: featureStd(sides.projections.ref) }
          : {};
        const fresh = sides.projections.ref.slice([0, images]); // [B, E]
        const { nearest, contest, pairs } = contestOf(sides, queue, batch, images);
        const given = { batch, state: state.sampling ?? {} };
        const judged: Judged = judge(parts, chain, contest, pairs, given);
        const metrics = parts.metrics
          ? withNeighbours(judged.metrics, marks.labels.ref, lookUp(queue.labels.ref, nearest))
          : judged.metrics;
        return [
          judged.loss,
          {
            statistics: projected.statistics,
            metrics: { ...metrics, ...spread },
            kept: { ...judged.sampling, fresh },
          },
        ];
      },
    );
    const { fresh, ...sampling } = kept;
    const memory = enqueue(refArrays(queue), { keys: fresh, ...sliceMarks(marks, images) });
    const moved = { ...descend(parts, state, { gradient, statistics, learningRate }), memory };
    return [withSampling(moved, sampling), metrics];
  };
  return {
    viewCount: 2,
    queryViews: 2,
    chains: [chain],
    columns: [{ kind: "prediction", count: images, view: "other" }],
    offers: [],
    step,
    initial: () => ({ memory: emptyQueue(size, width) }),
    chanceLoss: () => Math.log(images),
  };
}

/** The nearest earlier projection of another image stands for a view and asks for its other view. */
export const nnclr = defineFramework({
  name: "nnclr",
  summary: "Anchors are the nearest neighbours of views in a queue; candidates are predictions.",
  source: "Dwibedi et al. 2021, With a little help from my friends, arXiv:2104.14548",
  options: NnclrOptions,
  head({ hidden }, make, inputs) {
    const projector = make(inputs);
    const { dimension } = projector;
    return withPredictor(projector, heads.mlp(dimension, { hidden, dimension, batchNorm: true }));
  },
  build: buildNnclr,
});
