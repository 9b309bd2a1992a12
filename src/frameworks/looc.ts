import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { HostRecord } from "../core/arrays.ts";
import { refArrays } from "../core/trees.ts";
import { defaultQueueSize, emptyQueue, enqueue } from "../memory/index.ts";
import { besideQueue } from "./pairs/besideQueue.ts";
import { buildChain } from "./pairs/chain.ts";
import { unitRows, upTo } from "./judge/contrast.ts";
import { type Contests, type Core, defineFramework, type Seen } from "./defineFramework.ts";
import { sideBySide } from "./model/headGroups.ts";
import { splitsOf } from "./model/keyEncoder.ts";
import { loocPairs } from "./pairs/loocTerms.ts";
import { marksOf, sliceMarks } from "./pairs/marks.ts";
import { mocoKeys } from "./mocoOptions.ts";
import { knownOfOwnViews } from "./pairs/ownViews.ts";

/** Embeddings [N, H·E] as unit rows of each space: H of [N, E]. Lent. */
function spacesOf(embedding: np.Array, count: number): np.Array[] {
  const width = embedding.shape[1] / count;
  return upTo(count).map((h) => unitRows(embedding.ref.slice([], [h * width, (h + 1) * width])));
}

/** The queue of one space: its own keys with the marks that all share. Lent. */
const queueOf = ({ ids, groups, labels, ...keys }: Seen["memory"], space: number) => ({
  keys: keys[`keys${space}`],
  ids,
  groups,
  labels,
});

/**
 * In every space all keys of the query's own image and the queue. In space 0 only key 0 counts; in space h key h
 * is the positive and the other keys of the image are negatives.
 */
function inSpaces({ embedding, keys, memory, batch }: Seen, images: number): Contests {
  const count = keys.length;
  const grid = { images, anchorViews: 1, views: count + 1 };
  const queries = spacesOf(embedding, count); // of each space [B, E]
  embedding.dispose();
  const byView = keys.map((key) => spacesOf(key, count)); // of each view and space [B, E]
  const contests = queries.map((rows, space) => {
    const own = byView.map((spaces) => spaces[space].ref);
    const stored = {
      queries: rows.ref,
      own,
      support: own[space].ref,
      queue: queueOf(memory, space),
      asking: sliceMarks(marksOf(batch), images),
      known: knownOfOwnViews(batch, grid),
    };
    const { contest, stranger } = besideQueue(stored, images);
    return { contest, pairs: loocPairs(space, count, stranger) };
  });
  return { contests, unit: queries[0] };
}

/** One queue of keys for each space, with one set of marks. `viewOf` says which key view a space takes. */
function enqueueSpaces(
  images: number,
  viewOf: (space: number) => number,
): NonNullable<Core["remember"]> {
  return ({ keys, memory, batch }) => {
    const spaces = upTo(keys.length);
    const queues = spaces.map((space) =>
      enqueue(refArrays(queueOf(memory, space)), {
        keys: spacesOf(keys[viewOf(space)], keys.length)[space],
        ...sliceMarks(marksOf(batch), images),
      }),
    );
    return withRows(queues);
  };
}

/** Queues that share their marks as one record: `keys0`, `keys1`, … and the marks. */
function withRows<T>(queues: readonly Record<string, T>[]): Record<string, T> {
  const { ids, groups, labels } = queues[0];
  const rows = queues.map(({ keys }, space) => [`keys${space}`, keys] as const);
  return { ids, groups, labels, ...Object.fromEntries(rows) };
}

/** One embedding space for each augmentation, in which images that differ in it stay apart. */
export const looc = defineFramework({
  name: "looc",
  summary: "One space and head for each augmentation, sensitive to it; views share its parameters.",
  source: "Xiao et al. 2021, What should not be contrastive, arXiv:2008.05659",
  pairsViews: true,
  options: z.strictObject({
    augmentations: z
      .array(z.enum(["colour", "rotation", "blur", "solarise", "cutout", "flip", "crop"]))
      .min(1)
      .default(["colour", "rotation"])
      .describe(
        "one embedding space for each of these, sensitive to it; views take care of the rest",
      ),
    queueSize: mocoKeys.queueSize,
    momentum: mocoKeys.momentum,
    batchSplits: mocoKeys.batchSplits,
    enqueue: z
      .enum(["own", "first"])
      .default("own")
      .describe(
        "which key a space's queue takes: of the view that shares its augmentation (own) or of the view that shares none (first)",
      ),
  }),
  base: ({ augmentations, queueSize, momentum, batchSplits }) => ({
    name: "moco",
    queueSize,
    momentum,
    batchSplits,
    views: augmentations.length + 2,
  }),
  spaces: ({ augmentations }) => augmentations,
  splits: (options, batchSize) => splitsOf(options, batchSize, "looc"),
  head: ({ augmentations }, make, inputs) =>
    sideBySide(() => make(inputs), augmentations.length + 1),
  build(parts, options) {
    const { batchSize: images, datasetSize, seed, head } = parts;
    const { momentum, queueSize, augmentations } = options;
    const spaces = augmentations.length + 1;
    const size = queueSize ?? defaultQueueSize(datasetSize);
    const width = head.dimension / spaces;
    const sizes = { anchors: images, candidates: spaces + size, images, datasetSize, width };
    const views = upTo(spaces).map((h) => h + 1);
    return {
      viewCount: spaces + 1,
      queryViews: 1,
      keys: { views, momentum, splits: splitsOf(options, images, "looc") },
      chains: upTo(spaces).map((h) => buildChain(parts, sizes, { seed, key: `space${h}` })),
      columns: [
        ...views.map((view) => ({ kind: "key" as const, count: 1, view, own: true })),
        { kind: "queue", count: size },
      ],
      offers: [],
      contests: (seen) => inSpaces(seen, images),
      memoryRows: size,
      memory: (): HostRecord =>
        withRows(upTo(spaces).map(() => emptyQueue(size, head.dimension / spaces))),
      remember: enqueueSpaces(images, (space) => (options.enqueue === "own" ? space : 0)),
      chanceLoss: () => (Math.log(size + 1) + (spaces - 1) * Math.log(size + spaces)) / spaces,
    };
  },
});
