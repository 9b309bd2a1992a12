import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { ConfigError } from "../core/errors.ts";
import { type Pairs, refPairs } from "../core/pairs.ts";
import { type ArrayRecord, refArrays } from "../core/trees.ts";
import { defaultQueueSize, emptyQueue, enqueue, strangers } from "../memory/index.ts";
import { averageRecords } from "../optim/index.ts";
import { featureStd, firstColumn, pairMetrics, unitRows } from "./contrast.ts";
import { type Core, defineFramework } from "./framework.ts";
import { shuffled, unshuffled } from "./shuffle.ts";
import { descend, gradientAt, project } from "./model.ts";
import type { Parts } from "./parts.ts";
import type { Model, State } from "./state.ts";
import { copyModel } from "./copyModel.ts";

const MocoOptions = z.strictObject({
  queueSize: z
    .int()
    .positive()
    .optional()
    .describe(
      "keys that are kept as negatives; unless given at most 4096 and a quarter of the dataset",
    ),
  momentum: z
    .number()
    .min(0)
    .max(1)
    .default(0.99)
    .describe("share of the key encoder that stays at each step"),
  symmetric: z
    .boolean()
    .default(false)
    .describe(
      "both views are queries, each against the key of the other; the loss is the mean of both",
    ),
  batchSplits: z
    .union([z.literal("auto"), z.int().positive()])
    .default("auto")
    .describe(
      "parts in which a batch is normalised, so that query and key do not meet in one; auto takes up to 8 of at least 4 images",
    ),
});
type MocoOptions = z.output<typeof MocoOptions>;

function splitsOf({ batchSplits }: MocoOptions, batchSize: number): number {
  if (batchSplits === "auto") {
    return [8, 4, 2].find((n) => batchSize % n === 0 && batchSize / n >= 4) ?? 1;
  }
  if (batchSize % batchSplits !== 0) {
    throw new ConfigError(
      `moco: batchSplits is ${batchSplits}, expected a divisor of the batch size ${batchSize}`,
    );
  }
  return batchSplits;
}

type Encoded = { keys: np.Array; key: Model };

/** Averages the key encoder, then encodes [N, 3, H, W] to unit keys [N, E]. Without gradient. */
function encodeKeys(parts: Parts, state: State, images: np.Array, options: MocoOptions): Encoded {
  const splits = splitsOf(options, parts.batchSize);
  const towards = (old: ArrayRecord, fresh: ArrayRecord) =>
    averageRecords(old, refArrays(fresh), options.momentum);
  const key = state.key!;
  const parameters = {
    encoder: towards(key.encoder.parameters, state.encoder.parameters),
    head: towards(key.head.parameters, state.head.parameters),
  };
  const { embedding, statistics } = project(
    parts,
    refArrays(parameters),
    { encoder: key.encoder.statistics, head: key.head.statistics },
    shuffled(images, splits),
  );
  return {
    keys: lax.stopGradient(unshuffled(unitRows(embedding), splits)), // [N, E]
    key: {
      encoder: { parameters: parameters.encoder, statistics: statistics.encoder },
      head: { parameters: parameters.head, statistics: statistics.head },
    },
  };
}

type Marks = { ids: np.Array; groups: np.Array };

/** Column 0 holds each query's own key, the others the queue: similarity and pairs [N, 1 + K]. */
function againstQueue(
  queries: np.Array,
  keys: np.Array,
  queue: ArrayRecord,
  marks: Marks,
): { similarity: np.Array; pairs: Pairs } {
  const [n, size] = [queries.shape[0], queue.keys.shape[0]];
  const own = queries.ref.mul(keys).sum(-1, { keepdims: true }); // [N, 1]
  const stored = np.matmul(queries, queue.keys.transpose()); // [N, K]
  const negative = strangers(marks, { ids: queue.ids, groups: queue.groups }); // [N, K]
  return {
    similarity: np.concatenate([own, stored], 1), // [N, 1 + K]
    pairs: {
      positive: firstColumn(n, 1 + size), // [N, 1 + K]
      negative: np.concatenate([np.zeros([n, 1]), negative], 1), // [N, 1 + K]
    },
  };
}

/** Views [2B, …] as the halves of first and second views, the other way round. */
function swapped(x: np.Array): np.Array {
  const half = x.shape[0] / 2;
  return np.concatenate([x.ref.slice([half, 2 * half]), x.slice([0, half])], 0);
}

const twice = (x: np.Array) => np.concatenate([x.ref, x], 0);

function buildMoco(parts: Parts, options: MocoOptions): Core {
  const size = options.queueSize ?? defaultQueueSize(parts.datasetSize);
  const step = (state: State, batch: ArrayRecord): [State, ArrayRecord] => {
    const { views, ids, groups, learningRate } = batch;
    const half = parts.batchSize;
    const { symmetric } = options;
    const queryImages = symmetric ? views.ref : views.ref.slice([0, half]);
    const keyImages = symmetric ? swapped(views) : views.slice([half, 2 * half]);
    const marks = symmetric ? { ids: twice(ids), groups: twice(groups) } : { ids, groups };
    const { keys, key } = encodeKeys(parts, state, keyImages, options);
    const queue = state.memory!;
    const { gradient, statistics, metrics } = gradientAt(parts, state, (parameters, running) => {
      const projected = project(parts, parameters, running, queryImages);
      const queries = unitRows(projected.embedding); // [N, E]
      const spread: ArrayRecord = parts.metrics
        ? { featureStd: featureStd(lax.stopGradient(queries.ref)) }
        : {};
      const { similarity, pairs } = againstQueue(
        queries,
        keys.ref,
        refArrays(queue),
        refArrays(marks),
      );
      const measured = parts.metrics ? pairMetrics(similarity.ref, refPairs(pairs)) : {};
      const loss = parts.loss(similarity, pairs).mean(); // []
      return [loss, { statistics: projected.statistics, metrics: { ...measured, ...spread } }];
    });
    const memory = enqueue(queue, { keys, ...marks });
    return [
      { ...descend(parts, state, { gradient, statistics, learningRate }), key, memory },
      metrics,
    ];
  };
  return {
    viewCount: 2,
    step,
    initial: (model) => ({
      key: copyModel(model),
      memory: emptyQueue(size, parts.head.dimension),
    }),
    chanceLoss: () => Math.log(size + 1),
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
  splits: splitsOf,
  build: buildMoco,
});
