import { numpy as np } from "@jax-js/jax";

import { full, type HostRecord, zeros } from "../core/arrays.ts";
import { l2Normalize } from "../core/numerics.ts";
import { randomStream } from "../core/random.ts";
import { checkShapes } from "../core/shape.ts";
import { sumAt } from "../core/sumAt.ts";
import { NOBODY } from "./queue.ts";

/**
 * One unit row for every image of the dataset: `rows` [count, E], random directions at first, with the
 * `groups` and `labels` [count] int32, −1 until an image has been seen.
 */
export function randomBank(count: number, dimension: number, seed: number): HostRecord {
  const rows = zeros([count, dimension]);
  const stream = randomStream(seed, "bank");
  for (let i = 0; i < count; i++) {
    const row = rows.data.subarray(i * dimension, (i + 1) * dimension);
    for (let j = 0; j < dimension; j++) row[j] = stream.normal();
    const norm = Math.max(1e-12, Math.hypot(...row));
    for (let j = 0; j < dimension; j++) row[j] /= norm;
  }
  const unknown = () => full([count], NOBODY, "int32");
  return { rows, groups: unknown(), labels: unknown() };
}

/** Rows of a bank by image: rows [count, E], ids [...] int32 to [..., E]. */
export function lookUp(rows: np.Array, ids: np.Array): np.Array {
  return rows.slice(ids);
}

/** Adds values [N, …] to the rows `ids` [N] of an array [count, …]. Repeated ids add up. */
export function addAt(rows: np.Array, ids: np.Array, values: np.Array): np.Array {
  return rows.ref.add(sumAt(rows, ids, values));
}

/**
 * v ← unit(m·v + (1 − m)·x) for the rows of a batch. `embeddings` [B, E] unit rows; each id at most once.
 * Consumes all arguments.
 */
export function updateBank(
  rows: np.Array,
  ids: np.Array,
  embeddings: np.Array,
  momentum: number,
): np.Array {
  checkShapes("updateBank", {
    rows: [rows, "C E"],
    ids: [ids, "B"],
    embeddings: [embeddings, "B E"],
  });
  const old = lookUp(rows.ref, ids.ref); // [B, E]
  const mixed = old.ref.mul(momentum).add(embeddings.mul(1 - momentum)); // [B, E]
  return addAt(rows, ids, l2Normalize(mixed).sub(old)); // [C, E]
}

/** Writes the groups or labels [B] of a batch into those [count] of the bank. Consumes all arguments. */
export function updateMarks(marks: np.Array, ids: np.Array, fresh: np.Array): np.Array {
  const old = marks.ref.astype(np.float32).slice(ids.ref); // [B]
  const change = fresh.astype(np.float32).sub(old); // [B]
  return addAt(marks.astype(np.float32), ids, change).astype(np.int32); // [C]
}
