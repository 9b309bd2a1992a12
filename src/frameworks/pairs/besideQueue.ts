import { lax, numpy as np } from "@jax-js/jax";

import type { Marks } from "../../core/pairs.ts";
import type { ArrayRecord } from "../../core/trees.ts";
import { strangers } from "../../memory/index.ts";
import { columnMask } from "../judge/contrast.ts";
import type { Contest } from "../judge/judge.ts";
import { joinMarks, marksOf, unmarked } from "./marks.ts";
import type { knownOfOwnViews } from "./ownViews.ts";

type Stored = {
  queries: np.Array; // [N, E] unit rows
  own: readonly np.Array[]; // P keys of each query's own image, each [N, E]
  support: np.Array; // [S·B, E]
  queue: ArrayRecord; // keys [K, E], ids, groups, labels [K]
  asking: Marks; // [N]
  known: ReturnType<typeof knownOfOwnViews>;
};

/**
 * Queries against their own keys, columns 0 … P − 1, and a queue: the contest [N, P + K], and which rows of the
 * queue are of other images [N, K]. Consumes `queries`, `own`, `support`, `asking` and `known`; the queue is lent.
 */
export function besideQueue(stored: Stored, images: number) {
  const { queries, own, support, queue, asking, known } = stored;
  const [n, size, count] = [queries.shape[0], queue.keys.shape[0], own.length];
  const width = count + size;
  const mine = own.map((keys) => queries.ref.mul(keys).sum(-1, { keepdims: true })); // [N, 1]
  const others = np.matmul(queries.ref, queue.keys.ref.transpose()); // [N, K]
  const supports = support.shape[0] / images;
  const blank = np.zeros([supports * images, count]);
  const supported = np.matmul(support, queue.keys.ref.transpose()); // [S·B, K]
  const stranger = strangers(asking.ids.ref, queue.ids.ref); // [N, K]
  const contest: Contest = {
    similarity: np.concatenate([...mine, others], 1), // [N, P + K]
    support: lax.stopGradient(
      np.concatenate([blank, supported], 1).reshape([supports, images, width]), // [S, B, P + K]
    ),
    ownViews: own.map((_, p) => columnMask(n, width, p)), // [N, P + K]
    ...known,
    anchors: asking,
    candidates: joinMarks(unmarked(count), marksOf(queue)),
    pool: size,
    mixing: { anchors: queries, rows: queue.keys.ref, offset: count },
  };
  return { contest, stranger };
}
