import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { Marks, Pairs } from "../core/pairs.ts";
import { type ArrayRecord, refArrays } from "../core/trees.ts";
import { defaultQueueSize, emptyQueue, enqueue, strangers } from "../memory/index.ts";
import { buildChain, type Chain } from "./chain.ts";
import { columnMask, featureStd, unitRows } from "./contrast.ts";
import { copyModel } from "./copyModel.ts";
import { type Core, defineFramework } from "./framework.ts";
import { sideBySide } from "./headGroups.ts";
import { type Contest, judge, type Judged } from "./judge.ts";
import { encodeKeys, splitsOf } from "./keyEncoder.ts";
import { loocPairs } from "./loocTerms.ts";
import { joinMarks, marksOf, refMarks, sliceMarks, unmarked } from "./marks.ts";
import { descend, gradientAt, project, withSampling } from "./model.ts";
import { mocoKeys } from "./mocoOptions.ts";
import { knownOfOwnViews } from "./ownViews.ts";
import type { Parts } from "./parts.ts";
import { recordedOnly } from "./recording.ts";
import type { State } from "./state.ts";

const LoocOptions = z.strictObject({
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
});
type LoocOptions = z.output<typeof LoocOptions>;

type Space = {
  index: number;
  queries: np.Array;
  keys: readonly np.Array[];
  known: ReturnType<typeof knownOfOwnViews>; // of the keys
  queue: np.Array;
};

/**
 * One space: columns 0 … n are all keys of the query's own image, the others the queue. In space 0 only
 * key 0 counts; in space h key h is the positive and the other keys of the image are negatives.
 */
function spaceContest(
  space: Space,
  marks: Marks,
  queue: ArrayRecord,
): { contest: Contest; pairs: Pairs } {
  const { index, queries, keys, known, queue: rows } = space;
  const [n, size, own] = [queries.shape[0], rows.shape[0], keys.length];
  const width = own + size;
  const mine = keys.map((key) => queries.ref.mul(key.ref).sum(-1, { keepdims: true })); // [N, 1]
  const stored = np.matmul(queries.ref, rows.ref.transpose()); // [N, K]
  const other = strangers(marks.ids.ref, queue.ids.ref); // [N, K]
  const similarity = np.concatenate([...mine, stored], 1); // [N, H + K]
  const target = np.matmul(keys[index].ref, rows.ref.transpose()); // [N, K]
  const support = np.concatenate([np.zeros([n, own]), target], 1).reshape([1, n, width]);
  return {
    contest: {
      similarity,
      support: lax.stopGradient(support), // [1, N, H + K]
      ownViews: keys.map((_, v) => columnMask(n, width, v)),
      ...known,
      anchors: refMarks(marks),
      candidates: joinMarks(unmarked(own), refMarks(queue as unknown as Marks)),
      pool: size,
      mixing: { anchors: queries, rows: rows.ref, offset: own },
    },
    pairs: loocPairs(index, own, other),
  };
}

/** Embeddings [N, H·E] as unit rows of each space: H of [N, E]. */
function spacesOf(embedding: np.Array, count: number): np.Array[] {
  const width = embedding.shape[1] / count;
  return Array.from({ length: count }, (_, h) =>
    unitRows(embedding.ref.slice([], [h * width, (h + 1) * width])),
  );
}

/** Mean of the loss over the spaces; metrics are those of space 0, and the loss of every space. */
function combine(judged: readonly Judged[]): Judged {
  const [first] = judged;
  const losses = judged.map(({ loss }, h) => [`lossSpace${h}`, lax.stopGradient(loss.ref)]);
  const metrics = Object.keys(first.metrics).length > 0;
  const recorded = Object.assign(
    {},
    ...judged.map((each) => recordedOnly(each.metrics)),
  ) as ArrayRecord;
  return {
    loss: judged
      .map(({ loss }) => loss)
      .reduce((sum, loss) => sum.add(loss))
      .mul(1 / judged.length),
    sampling: Object.assign({}, ...judged.map(({ sampling }) => sampling)) as ArrayRecord,
    metrics: {
      ...first.metrics,
      ...(metrics ? (Object.fromEntries(losses) as ArrayRecord) : {}),
      ...recorded,
    },
  };
}

function chainsOf(parts: Parts, count: number, size: number): Chain[] {
  const { batchSize: images, datasetSize } = parts;
  const sizes = { anchors: images, candidates: count + size, images, datasetSize };
  return Array.from({ length: count }, (_, h) =>
    buildChain(parts, sizes, { seed: parts.seed, key: `space${h}` }),
  );
}

function loocStep(parts: Parts, options: LoocOptions, chains: readonly Chain[]): Core["step"] {
  const spaces = chains.length;
  const images = parts.batchSize;
  const grid = { images, anchorViews: 1, views: spaces + 1 };
  const keying = { momentum: options.momentum, splits: splitsOf(options, images, "looc") };
  return (state: State, batch: ArrayRecord): [State, ArrayRecord] => {
    const { views, learningRate } = batch;
    const marks = sliceMarks(marksOf(batch), images);
    const { embedding, key } = encodeKeys(
      parts,
      state,
      views.ref.slice([images, (spaces + 1) * images]),
      keying,
    );
    const keys = spacesOf(embedding, spaces); // of each space [H·B, E], view-major
    const keyOf = (space: number, view: number) =>
      keys[space].ref.slice([view * images, (view + 1) * images]); // [B, E]
    const queue = state.memory!;
    const { gradient, statistics, metrics, kept } = gradientAt(
      parts,
      state,
      (parameters, running) => {
        const projected = project(parts, parameters, running, views.ref.slice([0, images]));
        const queries = spacesOf(projected.embedding, spaces); // of each space [B, E]
        const spread: ArrayRecord = parts.metrics
          ? { featureStd: featureStd(lax.stopGradient(queries[0].ref)) }
          : {};
        const judged = queries.map((rows, index) => {
          const space = {
            index,
            queries: rows,
            keys: queries.map((_, view) => keyOf(index, view)),
            known: knownOfOwnViews(batch, grid),
            queue: queue[`keys${index}`],
          };
          const { contest, pairs } = spaceContest(space, marks, queue);
          const given = { batch, state: state.sampling ?? {} };
          return judge(parts, chains[index], contest, pairs, given);
        });
        const { loss, sampling, metrics } = combine(judged);
        return [
          loss,
          { statistics: projected.statistics, metrics: { ...metrics, ...spread }, kept: sampling },
        ];
      },
    );
    const fresh = (h: number) => keyOf(h, options.enqueue === "own" ? h : 0);
    const memory = enqueueSpaces(queue, spaces, fresh, marks);
    const moved = { ...descend(parts, state, { gradient, statistics, learningRate }), key, memory };
    return [withSampling(moved, kept), metrics];
  };
}

function buildLooc(parts: Parts, options: LoocOptions): Core {
  const spaces = options.augmentations.length + 1;
  const size = options.queueSize ?? defaultQueueSize(parts.datasetSize);
  const chains = chainsOf(parts, spaces, size);
  const width = parts.head.dimension / spaces;
  return {
    viewCount: spaces + 1,
    queryViews: 1,
    chains,
    columns: [
      ...chains.map((_, h) => ({ kind: "key" as const, count: 1, view: h + 1, own: true })),
      { kind: "queue", count: size },
    ],
    offers: [],
    step: loocStep(parts, options, chains),
    initial: (model) => {
      const queues = Array.from({ length: spaces }, () => emptyQueue(size, width));
      const rows = queues.map(({ keys }, h) => [`keys${h}`, keys]);
      const { ids, groups, labels } = queues[0];
      return {
        key: copyModel(model),
        memory: { ids, groups, labels, ...Object.fromEntries(rows) },
      };
    },
    chanceLoss: () => (Math.log(size + 1) + (spaces - 1) * Math.log(size + spaces)) / spaces,
  };
}

/** One queue of keys for each space, with one set of marks. */
function enqueueSpaces(
  queue: ArrayRecord,
  spaces: number,
  fresh: (space: number) => np.Array,
  marks: Marks,
): ArrayRecord {
  const { ids, groups, labels } = refArrays(queue);
  const results = Array.from({ length: spaces }, (_, h) =>
    enqueue(
      { keys: queue[`keys${h}`].ref, ids: ids.ref, groups: groups.ref, labels: labels.ref },
      { keys: fresh(h), ...refMarks(marks) },
    ),
  );
  const [first] = results;
  const rows = results.map(({ keys }, h) => [`keys${h}`, keys] as const);
  return {
    ids: first.ids,
    groups: first.groups,
    labels: first.labels,
    ...Object.fromEntries(rows),
  };
}

/** One embedding space for each augmentation, in which images that differ in it stay apart. */
export const looc = defineFramework({
  name: "looc",
  summary: "One space and head for each augmentation, sensitive to it; views share its parameters.",
  source: "Xiao et al. 2021, What should not be contrastive, arXiv:2008.05659",
  options: LoocOptions,
  splits: (options, batchSize) => splitsOf(options, batchSize, "looc"),
  head: ({ augmentations }, make, inputs) =>
    sideBySide(() => make(inputs), augmentations.length + 1),
  build: buildLooc,
});
