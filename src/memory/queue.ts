import { numpy as np } from "@jax-js/jax";

import { full, type HostRecord, zeros } from "../core/arrays.ts";
import { checkShapes } from "../core/shape.ts";
import type { ArrayRecord } from "../core/trees.ts";

/** Images of unknown id or group, and rows without an image. */
export const NOBODY = -1;

/**
 * The newest `size` keys: `keys` [K, E] unit rows, newest first, with the `ids`, `groups` and `labels` [K]
 * int32 of their images. Starts empty: ids are −1 and rows 0.
 */
export function emptyQueue(size: number, dimension: number): HostRecord {
  return {
    keys: zeros([size, dimension]),
    ids: full([size], NOBODY, "int32"),
    groups: full([size], NOBODY, "int32"),
    labels: full([size], NOBODY, "int32"),
  };
}

/**
 * Puts rows in front and lets the oldest go. Consumes both records.
 *
 * Newest first needs no pointer, and the number of rows need not divide the size of the queue: of a
 * batch larger than the queue its first rows stay.
 */
export function enqueue(queue: ArrayRecord, fresh: ArrayRecord): ArrayRecord {
  const { K } = checkShapes("enqueue", {
    "queue.keys": [queue.keys, "K E"],
    "queue.ids": [queue.ids, "K"],
    "queue.groups": [queue.groups, "K"],
    "queue.labels": [queue.labels, "K"],
    "fresh.keys": [fresh.keys, "N E"],
    "fresh.ids": [fresh.ids, "N"],
    "fresh.groups": [fresh.groups, "N"],
    "fresh.labels": [fresh.labels, "N"],
  });
  const push = (old: np.Array, head: np.Array) => {
    const count = head.shape[0];
    if (count > K) {
      old.dispose();
      return head.slice([0, K]);
    }
    if (count === K) {
      old.dispose();
      return head;
    }
    return np.concatenate([head, old.slice([0, K - count])], 0);
  };
  return {
    keys: push(queue.keys, fresh.keys), // [K, E]
    ids: push(queue.ids, fresh.ids), // [K]
    groups: push(queue.groups, fresh.groups), // [K]
    labels: push(queue.labels, fresh.labels), // [K]
  };
}

/**
 * 1 where a stored row is of another image than the anchor, 0 where it is of the same or empty: ids [N] and
 * [K] to [N, K] float32. Consumes both.
 */
export function strangers(anchors: np.Array, rows: np.Array): np.Array {
  const { N, K } = checkShapes("strangers", { anchors: [anchors, "N"], rows: [rows, "K"] });
  const stored = rows.reshape([1, K]); // [1, K]
  const filled = stored.ref.greaterEqual(0).astype(np.float32); // [1, K]
  const other = anchors.reshape([N, 1]).notEqual(stored).astype(np.float32); // [N, K]
  return other.mul(filled); // [N, K]
}

/** Longest queue that is never asked for: `rows` a step at least one row, at most 4096 and a quarter of the dataset. */
export function defaultQueueSize(datasetSize: number): number {
  return Math.max(1, Math.min(4096, Math.floor(datasetSize / 4)));
}
