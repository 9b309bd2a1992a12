// MoCo, written from scratch on public names: keys of a slowly averaged encoder, negatives from a queue of earlier keys.
//
//   contrapose train ./photos --plugin examples/moco.js --framework keyQueue --set framework.size=4096
//
// A framework says what is contrasted with what, and what is remembered; encoding, gradient, samplers, loss, metrics and
// descent are the same for all. B images of a batch, E numbers of an embedding, K keys. `x.ref` keeps x: an operation
// consumes its arrays, and keys, memory and batch are lent.
import { lax, numpy as np } from "@jax-js/jax";
import { l2Normalize } from "contrapose/core";
import { emptyQueue, enqueue, strangers } from "contrapose/memory";
import { buildChain, defineFramework } from "contrapose/frameworks";
import { z } from "zod";

/** What is known of the images behind some rows of a batch, or of a queue: ids, groups and labels. */
const marksOf = ({ ids, groups, labels }, from, to) => ({
  ids: ids.ref.slice([from, to]),
  groups: groups.ref.slice([from, to]),
  labels: labels.ref.slice([from, to]),
});

/** Queries [B, E] against their own key, column 0, and the queue, columns 1 … K. */
function againstQueue({ embedding, keys: [key], memory: queue, batch }) {
  const query = l2Normalize(embedding); // [B, E]
  const own = l2Normalize(key.ref); // [B, E]
  const [images, size] = [query.shape[0], queue.keys.shape[0]];
  const against = (rows) => np.matmul(rows, queue.keys.ref.transpose()); // [B, K]
  const similarity = np.concatenate(
    [query.ref.mul(own.ref).sum(-1, { keepdims: true }), against(query.ref)],
    1,
  ); // [B, 1 + K]
  const isKey = np
    .arange(1 + size)
    .equal(0)
    .astype(np.float32)
    .reshape([1, 1 + size]);
  const positive = np.broadcastTo(isKey, [images, 1 + size]); // [B, 1 + K]
  const asking = marksOf(batch, 0, images);
  const other = strangers(asking.ids.ref, queue.ids.ref); // [B, K] 1 where the key is of another image
  const blank = np.zeros([images, 1]);
  const nobody = np.full([1], -1, { dtype: np.int32 });
  const contest = {
    similarity,
    // what samplers may ask: which columns are views of the anchor's image, how its other view sees the candidates
    ownViews: [positive.ref],
    ownIds: [batch.ids.ref.slice([images, 2 * images])],
    support: lax.stopGradient(
      np.concatenate([blank.ref, against(own)], 1).reshape([1, images, 1 + size]),
    ),
    anchors: asking,
    candidates: Object.fromEntries(
      ["ids", "groups", "labels"].map((mark) => [
        mark,
        np.concatenate([nobody.ref, queue[mark].ref], 0), // [1 + K]
      ]),
    ),
    pool: size,
    mixing: { anchors: query.ref, rows: queue.keys.ref, offset: 1 },
  };
  const pairs = { positive, negative: np.concatenate([blank, other], 1) };
  return { contests: [{ contest, pairs }], unit: query };
}

export const keyQueue = defineFramework({
  name: "keyQueue",
  summary: "MoCo as an example: candidates are a queue of keys from a slowly averaged encoder.",
  source: "He et al. 2020, arXiv:1911.05722",
  pairsViews: true, // positives are views of one image: the doctor expects them nearer than negatives
  options: z.strictObject({
    size: z.int().min(1).max(1e7).default(1024).describe("keys that are kept as negatives"),
    momentum: z.number().min(0).max(1).default(0.99).describe("share of the key encoder kept"),
  }),
  build(parts, { size, momentum }) {
    const { batchSize: images, datasetSize } = parts;
    const sizes = { anchors: images, candidates: 1 + size, images, datasetSize };
    return {
      viewCount: 2,
      queryViews: 1, // the first view is encoded with gradient, the second by the slow copy
      keys: { views: [1], momentum, splits: 1 },
      chains: [buildChain(parts, sizes, parts)],
      columns: [
        { kind: "key", count: 1, own: true, view: 1 },
        { kind: "queue", count: size },
      ],
      offers: [],
      contests: againstQueue,
      memory: () => emptyQueue(size, parts.head.dimension),
      memoryRows: size,
      remember({ keys: [key], memory, batch }) {
        const { keys, ids, groups, labels } = memory;
        const queue = { keys: keys.ref, ids: ids.ref, groups: groups.ref, labels: labels.ref };
        const marks = marksOf(batch, images, 2 * images);
        return enqueue(queue, { keys: l2Normalize(key.ref), ...marks });
      },
      chanceLoss: () => Math.log(size + 1),
    };
  },
});
