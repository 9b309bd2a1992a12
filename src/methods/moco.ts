import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { ConfigError } from "../core/errors.ts";
import type { Marks, Pairs } from "../core/pairs.ts";
import { type ArrayRecord, refArrays } from "../core/trees.ts";
import { defaultQueueSize, emptyQueue, enqueue, strangers } from "../memory/index.ts";
import { buildChain, type Chain } from "./chain.ts";
import { columnMask, featureStd, unitRows } from "./contrast.ts";
import { type Core, defineFramework } from "./framework.ts";
import { type Contest, judge } from "./judge.ts";
import { encodeKeys, splitsOf } from "./keyEncoder.ts";
import { mocoKeys } from "./mocoOptions.ts";
import { joinMarks, marksOf, refMarks, sliceMarks, unmarked } from "./marks.ts";
import { descend, gradientAt, project, withSampling } from "./model.ts";
import { knownOfOwnViews } from "./ownViews.ts";
import type { Parts } from "./parts.ts";
import type { State } from "./state.ts";
import { copyModel } from "./copyModel.ts";

const MocoOptions = z.strictObject({
  views: z
    .int()
    .min(2)
    .default(2)
    .describe("views of each image: the first is the query, the others are keys and positives"),
  queueSize: mocoKeys.queueSize,
  momentum: mocoKeys.momentum,
  symmetric: z
    .boolean()
    .default(false)
    .describe(
      "both views are queries, each against the key of the other; the loss is the mean of both",
    ),
  batchSplits: mocoKeys.batchSplits,
});
type MocoOptions = z.output<typeof MocoOptions>;

/** Each row of `own` [P][N, E], of which something is `known`, beside a queue, with what samplers ask of it. */
type Stored = {
  own: readonly np.Array[];
  known: ReturnType<typeof knownOfOwnViews>;
  support: np.Array;
  queue: ArrayRecord;
  marks: Marks;
};

/** Columns 0 … P − 1 hold each query's own keys, the others the queue: contest and pairs [N, P + K]. */
function againstQueue(queries: np.Array, stored: Stored, images: number) {
  const { own, known, support, queue, marks } = stored;
  const [n, size, count] = [queries.shape[0], queue.keys.shape[0], own.length];
  const width = count + size;
  const mine = own.map((keys) => queries.ref.mul(keys.ref).sum(-1, { keepdims: true })); // [N, 1]
  const others = np.matmul(queries.ref, queue.keys.ref.transpose()); // [N, K]
  const negative = strangers(marks.ids.ref, queue.ids.ref); // [N, K]
  const ownViews = own.map((_, p) => columnMask(n, width, p)); // [N, P + K]
  const [supports, dimension] = [support.shape[0] / images, support.shape[1]];
  const blank = np.zeros([supports * images, count]);
  const supported = np.matmul(support.ref, queue.keys.ref.transpose()); // [S·B, K]
  const contest: Contest = {
    similarity: np.concatenate([...mine, others], 1), // [N, P + K]
    support: lax.stopGradient(
      np.concatenate([blank, supported], 1).reshape([supports, images, width]), // [S, B, P + K]
    ),
    ownViews,
    ...known,
    anchors: marks,
    candidates: joinMarks(unmarked(count), refMarks(queue as unknown as Marks)),
    pool: size,
    mixing: { anchors: queries.reshape([n, dimension]), rows: queue.keys.ref, offset: count },
  };
  const positive = ownViews.map((mask) => mask.ref).reduce((sum, mask) => sum.add(mask));
  const pairs: Pairs = {
    positive, // [N, P + K]
    negative: np.concatenate([np.zeros([n, count]), negative], 1), // [N, P + K]
  };
  return { contest, pairs };
}

/** Views [2B, …] as the halves of first and second views, the other way round. */
function swapped(x: np.Array): np.Array {
  const half = x.shape[0] / 2;
  return np.concatenate([x.ref.slice([half, 2 * half]), x.slice([0, half])], 0);
}

/** Rows of one view among rows [P·B, E] of several. */
const viewRows = (rows: np.Array, view: number, images: number): np.Array =>
  rows.ref.slice([view * images, (view + 1) * images]);

/** Sizes of a batch: anchors of B images, and columns of own keys. */
const gridOf = ({ symmetric, views }: MocoOptions, images: number) => ({
  anchors: symmetric ? 2 * images : images,
  ownCount: symmetric ? 1 : views - 1,
});

function mocoStep(parts: Parts, options: MocoOptions, chain: Chain): Core["step"] {
  const { symmetric, views: viewCount } = options;
  const images = parts.batchSize;
  const { anchors, ownCount } = gridOf(options, images);
  const grid = { images, anchorViews: symmetric ? 2 : 1, views: viewCount };
  const keying = { momentum: options.momentum, splits: splitsOf(options, images, "moco") };
  return (state: State, batch: ArrayRecord): [State, ArrayRecord] => {
    const { views, learningRate } = batch;
    const all = viewCount * images;
    const queryImages = symmetric ? views.ref : views.ref.slice([0, images]);
    const keyImages = symmetric ? swapped(views) : views.slice([images, all]);
    const every = marksOf(batch);
    const asking = sliceMarks(every, anchors);
    const { embedding, key } = encodeKeys(parts, state, keyImages, keying);
    const keys = unitRows(embedding); // [P·B, E]
    const own = symmetric
      ? [keys.ref]
      : Array.from({ length: ownCount }, (_, p) => viewRows(keys, p, images));
    const queue = state.memory!;
    const { gradient, statistics, metrics, kept } = gradientAt(
      parts,
      state,
      (parameters, running) => {
        const projected = project(parts, parameters, running, queryImages);
        const queries = unitRows(projected.embedding); // [N, E]
        const spread: ArrayRecord = parts.metrics
          ? { featureStd: featureStd(lax.stopGradient(queries.ref)) }
          : {};
        const known = knownOfOwnViews(batch, grid);
        const stored = { own, known, support: keys.ref, queue, marks: refMarks(asking) };
        const { contest, pairs } = againstQueue(queries, stored, images);
        const given = { batch, state: state.sampling ?? {} };
        const judged = judge(parts, chain, contest, pairs, given);
        const measured = { ...judged.metrics, ...spread };
        return [
          judged.loss,
          { statistics: projected.statistics, metrics: measured, kept: judged.sampling },
        ];
      },
    );
    // the queue takes one key of each image, and both where both views are queries
    const fresh = symmetric
      ? { keys, ...joinMarks(sliceMarks(every, images, images), sliceMarks(every, images)) }
      : { keys: viewRows(keys, 0, images), ...sliceMarks(every, images, images) };
    const memory = enqueue(refArrays(queue), fresh);
    const moved = { ...descend(parts, state, { gradient, statistics, learningRate }), key, memory };
    return [withSampling(moved, kept), metrics];
  };
}

function buildMoco(parts: Parts, options: MocoOptions): Core {
  const { symmetric, views: viewCount } = options;
  if (symmetric && viewCount !== 2) {
    throw new ConfigError(`moco: views is ${viewCount}, expected 2 where symmetric is set`);
  }
  const images = parts.batchSize;
  const size = options.queueSize ?? defaultQueueSize(parts.datasetSize);
  const { anchors, ownCount } = gridOf(options, images);
  const { datasetSize } = parts;
  const sizes = { anchors, candidates: ownCount + size, images, datasetSize };
  const chain = buildChain(parts, sizes, parts);
  return {
    viewCount,
    queryViews: symmetric ? 2 : 1,
    chains: [chain],
    columns: [
      ...Array.from({ length: ownCount }, (_, p) => ({
        ...{ kind: "key" as const, count: 1, own: true },
        view: symmetric ? ("other" as const) : p + 1,
      })),
      { kind: "queue", count: size },
    ],
    offers: viewCount > 2 ? ["manyViews"] : [],
    step: mocoStep(parts, options, chain),
    initial: (model) => ({
      key: copyModel(model),
      memory: emptyQueue(size, parts.head.dimension),
    }),
    chanceLoss: () => Math.log(size + ownCount),
  };
}

/**
 * Keys from a slowly averaged encoder, negatives from a queue of earlier keys.
 *
 * The queue starts empty and empty rows do not count, so the loss starts near 0 and rises while the
 * queue fills. Keys are encoded in another order than queries: with a split batch an image's query
 * and key are then normalised with different neighbours.
 */
export const moco = defineFramework({
  name: "moco",
  summary: "Candidates are a queue of keys from a slowly averaged encoder.",
  source: "He et al. 2020, arXiv:1911.05722; Chen et al. 2020, arXiv:2003.04297",
  options: MocoOptions,
  splits: (options, batchSize) => splitsOf(options, batchSize, "moco"),
  build: buildMoco,
});
