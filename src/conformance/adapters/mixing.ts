import { numpy as np } from "@jax-js/jax";

import type { HostRecord } from "../../core/arrays.ts";
import { type Pairs, refPairs } from "../../core/pairs.ts";
import type { ArrayRecord } from "../../core/trees.ts";
import { infoNce } from "../../losses/index.ts";
import type { Mixed, MixerScene } from "../../sampling/index.ts";
import type { Machine } from "../machine.ts";
import { queueSimilarity, unitQueue } from "./queue.ts";
import { pairsOf } from "./twoViews.ts";

/** Columns of a matrix, which may have no row. */
export const widthOf = (matrix: readonly (readonly unknown[])[]): number =>
  matrix.at(0)?.length ?? 0;

const middle = (place: number, count: number) => (place + 0.5) / count;

/** Places in the list of the `top` hardest rows, as the uniform numbers that pick them. */
export const picked = (places: number[][], top: number): number[][] =>
  places.map((list) => list.map((place) => middle(place, top)));

/** The same of pairs: the second place is drawn as its distance from the first, 1 … top − 1. */
export const pickedPairs = (pairs: [number, number][][], top: number) => ({
  first: pairs.map((list) => list.map(([a]) => middle(a, top))),
  second: pairs.map((list) => list.map(([a, b]) => middle(((b - a + top) % top) - 1, top - 1))),
});

/** Draws of a case by name, without those of kinds that it does not mix. */
export function drawsOf(all: Record<string, number[][]>, machine: Machine): HostRecord {
  const some = Object.entries(all).filter(([, matrix]) => widthOf(matrix) > 0);
  return Object.fromEntries(some.map(([name, matrix]) => [name, machine.reals(matrix, name)]));
}

/**
 * Loss [n] of queries over a queue and what is mixed of it, and what the mixer sees. `names` are those of the draws
 * among the constants.
 */
export function mixedLoss(
  raw: ArrayRecord,
  given: ArrayRecord,
  { names, temperature }: { names: readonly string[]; temperature: number },
  mix: (scene: MixerScene, pairs: Pairs) => Mixed,
) {
  const unit = unitQueue(raw, given);
  const similarity = queueSimilarity(unit.query.ref, unit.key, unit.queue.ref); // [n, 1 + K]
  const pairs = pairsOf(given);
  const scene: MixerScene = {
    anchors: unit.query,
    rows: unit.queue,
    offset: 1,
    similarity,
    active: np.array(1, { dtype: similarity.dtype }),
    inputs: Object.fromEntries(names.map((name) => [name, given[name]])),
  };
  const mixed = mix(scene, refPairs(pairs));
  const nobody = np.zeros(mixed.negative.shape).astype(similarity.dtype); // [n, S]
  const all = {
    positive: np.concatenate([pairs.positive, nobody], 1), // [n, 1 + K + S]
    negative: np.concatenate([pairs.negative, mixed.negative], 1), // [n, 1 + K + S]
  };
  const widened = np.concatenate([similarity.ref, mixed.similarity.ref], 1); // [n, 1 + K + S]
  return { perAnchor: infoNce(widened, all, { temperature }), similarity: mixed.similarity };
}
