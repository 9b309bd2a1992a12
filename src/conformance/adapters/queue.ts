import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { HostRecord } from "../../core/arrays.ts";
import { l2Normalize } from "../../core/numerics.ts";
import type { ArrayRecord } from "../../core/trees.ts";
import { rows } from "../adapter.ts";
import type { Machine } from "../machine.ts";
import { matrixOf } from "../nested.ts";

/** Raw queries with their keys, and older keys: [n][D], [n][D], [K][D]. */
export const QueueInputs = z.object({ query: rows, key: rows, queue: rows });

/** Queries as variables. */
export const queryVariables = ({ query }: { query: number[][] }, machine: Machine): HostRecord => ({
  query: machine.reals(query, "query"),
});

/** Keys, queue, and pairs in which column 0 is the own key and all others are the queue: [n, 1 + K]. */
export function queueConstants(
  { key, queue }: z.output<typeof QueueInputs>,
  machine: Machine,
): HostRecord {
  const shape = [key.length, 1 + queue.length] as const;
  return {
    key: machine.reals(key, "key"),
    queue: machine.reals(queue, "queue"),
    positive: machine.reals(matrixOf(...shape, (_, j) => j === 0)),
    negative: machine.reals(matrixOf(...shape, (_, j) => j > 0)),
  };
}

/** Cosine of queries to their own keys and to the queue: [n, 1 + K]. Unit rows given; consumes all. */
export function queueSimilarity(query: np.Array, key: np.Array, queue: np.Array): np.Array {
  const own = query.ref.mul(key).sum(-1, { keepdims: true }); // [n, 1]
  return np.concatenate([own, np.matmul(query, queue.transpose())], 1);
}

/** Unit rows of queries, keys and queue. Consumes them. */
export const unitQueue = ({ query }: ArrayRecord, { key, queue }: ArrayRecord) => ({
  query: l2Normalize(query),
  key: l2Normalize(key),
  queue: l2Normalize(queue),
});
