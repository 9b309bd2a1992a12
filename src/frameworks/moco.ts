import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { ConfigError } from "../core/errors.ts";
import { refArrays } from "../core/trees.ts";
import { defaultQueueSize, emptyQueue, enqueue } from "../memory/index.ts";
import { besideQueue } from "./pairs/besideQueue.ts";
import { buildChain } from "./pairs/chain.ts";
import { unitRows, type ViewGrid } from "./judge/contrast.ts";
import { type Contests, defineFramework, type Seen } from "./defineFramework.ts";
import { splitsOf } from "./model/keyEncoder.ts";
import { joinMarks, marksOf, sliceMarks } from "./pairs/marks.ts";
import { mocoKeys } from "./mocoOptions.ts";
import { knownOfOwnViews } from "./pairs/ownViews.ts";

/** Queries, N = A·B, against the keys of their own image and the queue; two anchor views ask for each other's key. */
function againstQueue({ embedding, keys, memory: queue, batch }: Seen, grid: ViewGrid): Contests {
  const { images, anchorViews } = grid;
  const unit = unitRows(embedding); // [N, E]
  const rows = keys.map((key) => unitRows(key.ref)); // P of [B, E]
  const all = np.concatenate(
    rows.map((row) => row.ref),
    0,
  ); // [P·B, E]
  const own = anchorViews === 2 ? [all.ref] : rows; // each [N, E]
  const asking = sliceMarks(marksOf(batch), anchorViews * images);
  const known = knownOfOwnViews(batch, grid);
  const stored = { queries: unit.ref, own, support: all, queue, asking, known };
  const { contest, stranger } = besideQueue(stored, images);
  const mine = contest.ownViews.map((mask) => mask.ref);
  const positive = mine.reduce((sum, mask) => sum.add(mask)); // [N, P + K]
  const blank = np.zeros([anchorViews * images, own.length]);
  const negative = np.concatenate([blank, stranger], 1); // [N, P + K]
  return { contests: [{ contest, pairs: { positive, negative } }], unit };
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
  pairsViews: true,
  options: z.strictObject({
    views: z
      .int()
      .min(2)
      .max(64)
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
  }),
  splits: (options, batchSize) => splitsOf(options, batchSize, "moco"),
  build(parts, options) {
    const { symmetric, views, momentum } = options;
    if (symmetric && views !== 2) {
      throw new ConfigError(`moco: views is ${views}, expected 2 where symmetric is set`);
    }
    const { batchSize: images, datasetSize } = parts;
    const size = options.queueSize ?? defaultQueueSize(datasetSize);
    const queryViews = symmetric ? 2 : 1;
    const ownCount = symmetric ? 1 : views - 1;
    const keyViews = symmetric ? [1, 0] : Array.from({ length: ownCount }, (_, p) => p + 1);
    const anchors = queryViews * images;
    const width = parts.head.dimension;
    const sizes = { anchors, candidates: ownCount + size, images, datasetSize, width };
    return {
      viewCount: views,
      queryViews,
      keys: { views: keyViews, momentum, splits: splitsOf(options, images, "moco") },
      chains: [buildChain(parts, sizes, parts)],
      columns: [
        ...Array.from({ length: ownCount }, (_, p) => ({
          kind: "key" as const,
          count: 1,
          own: true,
          view: symmetric ? ("other" as const) : p + 1,
        })),
        { kind: "queue", count: size },
      ],
      offers: views > 2 ? ["manyViews"] : [],
      contests: (seen) => againstQueue(seen, { images, anchorViews: queryViews, views }),
      memoryRows: size,
      memory: () => emptyQueue(size, parts.head.dimension),
      // one key of each image, and both where both views are queries
      remember({ keys, memory, batch }) {
        const taken = keyViews.slice(0, queryViews);
        const fresh = taken.map((_, i) => unitRows(keys[i].ref)); // each [B, E]
        const marks = taken.map((view) => sliceMarks(marksOf(batch), images, view * images));
        const joined = { keys: np.concatenate(fresh, 0), ...marks.reduce(joinMarks) };
        return enqueue(refArrays(memory), joined);
      },
      chanceLoss: () => Math.log(size + ownCount),
    };
  },
});
