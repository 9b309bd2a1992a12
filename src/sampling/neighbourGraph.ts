import { numpy as np } from "@jax-js/jax";

import { sumAt } from "../core/sumAt.ts";

/** Stands in a graph for the neighbours of a row that has not been seen, and in a walk for its end. */
export const UNSEEN = -1;

/**
 * Walks along a graph [C, k] int32 from rows [N]: one array a step, the s-th [N, kˢ] int32 with the
 * neighbours of every entry of the step before, in its order. Repeats and the starting row may occur; behind
 * an unseen row all is `UNSEEN`. Consumes both arrays.
 */
export function walk(graph: np.Array, rows: np.Array, steps: number): np.Array[] {
  const n = rows.shape[0];
  const layers: np.Array[] = [];
  for (let step = 0; step < steps; step++) {
    const from = step === 0 ? rows.reshape([n, 1]) : layers[step - 1].ref; // [N, kˢ⁻¹]
    const known = from.ref.greaterEqual(0); // [N, kˢ⁻¹]
    const next = graph.ref.slice(np.where(known.ref, from, 0)); // [N, kˢ⁻¹, k]
    const reached = np.where(known.reshape([...known.shape, 1]), next, UNSEEN); // [N, kˢ⁻¹, k]
    layers.push(reached.reshape([n, -1])); // [N, kˢ]
  }
  return layers;
}

/**
 * 1 at the first of equal entries that is a row and not the anchor's own, else 0: columns [N, L] int32 in
 * ascending order, own [N] int32 to [N, L] in the type of `like`. Lent: all arguments.
 */
export function distinctOthers(columns: np.Array, own: np.Array, like: np.Array): np.Array {
  const [n, l] = columns.shape;
  const start = np.full([n, 1], UNSEEN, { dtype: np.int32 }); // [N, 1]
  const before = np.concatenate([start, columns.ref.slice([], [0, l - 1])], 1); // [N, L]
  const flag = (condition: np.Array) => condition.astype(like.dtype);
  const fresh = flag(columns.ref.notEqual(before)); // [N, L]; also drops UNSEEN
  return fresh.mul(flag(columns.ref.notEqual(own.ref.reshape([n, 1])))); // [N, L]
}

/**
 * The graph with the rows [B] int32, each at most once, replaced: by the first k of the `nearest`
 * [B, k + 1] int32, where the row itself gives way to the last. `like` [..] lends its type. Consumes
 * all but `like`.
 */
export function refreshGraph(
  graph: np.Array,
  rows: np.Array,
  nearest: np.Array,
  like: np.Array,
): np.Array {
  const k = graph.shape[1];
  const first = nearest.ref.slice([], [0, k]); // [B, k]
  const last = nearest.slice([], [k, k + 1]); // [B, 1]
  const itself = first.ref.equal(rows.ref.reshape([-1, 1])); // [B, k]
  const fresh = np.where(itself, last, first); // [B, k]
  // numbers of rows are exact in floats, and only floats can be summed at places
  const old = graph.astype(like.dtype); // [C, k]
  const change = fresh.astype(like.dtype).sub(old.ref.slice(rows.ref)); // [B, k]
  return old.ref.add(sumAt(old, rows, change)).astype(np.int32); // [C, k]
}
