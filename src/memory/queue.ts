import { numpy as np } from "@jax-js/jax";

import { full, type HostRecord, zeros } from "../core/arrays.ts";
import { checkShapes } from "../core/shape.ts";
import type { ArrayRecord } from "../core/trees.ts";

/** Images of unknown id or group, and rows without an image. */
export const NOBODY = -1;

/**
 * The newest `size` keys: `keys` [K, E] unit rows, newest first, with the `ids` and `groups` [K] int32 of
 * their images. Starts empty: ids are −1 and rows 0.
 */
export function emptyQueue(size: number, dimension: number): HostRecord {
  return {
    keys: zeros([size, dimension]),
    ids: full([size], NOBODY, "int32"),
    groups: full([size], NOBODY, "int32"),
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
    "fresh.keys": [fresh.keys, "N E"],
    "fresh.ids": [fresh.ids, "N"],
    "fresh.groups": [fresh.groups, "N"],
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
  };
}

/**
 * 1 where a stored row may be a negative of an anchor, else 0: [N, M] float32.
 *
 * Left out are empty rows, rows of the anchor's own image and rows of its group. A group of −1 is no
 * group. Consumes all arguments.
 */
export function strangers(
  anchors: { ids: np.Array; groups: np.Array },
  rows: { ids: np.Array; groups: np.Array },
): np.Array {
  const { N, M } = checkShapes("strangers", {
    "anchors.ids": [anchors.ids, "N"],
    "anchors.groups": [anchors.groups, "N"],
    "rows.ids": [rows.ids, "M"],
    "rows.groups": [rows.groups, "M"],
  });
  const column = (values: np.Array) => values.reshape([N, 1]); // [N, 1]
  const row = (values: np.Array) => values.reshape([1, M]); // [1, M]
  const flag = (condition: np.Array) => condition.astype(np.float32);
  const filled = flag(row(rows.ids.ref).greaterEqual(0)); // [1, M]
  const otherImage = flag(column(anchors.ids).notEqual(row(rows.ids))); // [N, M]
  const sameGroup = flag(column(anchors.groups.ref).equal(row(rows.groups))); // [N, M]
  const grouped = flag(column(anchors.groups).greaterEqual(0)); // [N, 1]
  return otherImage.mul(filled).mul(np.subtract(1, sameGroup.mul(grouped))); // [N, M]
}

/** Longest queue that is never asked for: `rows` a step at least one row, at most 4096 and a quarter of the dataset. */
export function defaultQueueSize(datasetSize: number): number {
  return Math.max(1, Math.min(4096, Math.floor(datasetSize / 4)));
}
