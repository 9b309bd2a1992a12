import { numpy as np } from "@jax-js/jax";

import { LOWEST } from "../../core/numerics.ts";
import { descendingRanks } from "../../core/topMask.ts";
import type { ViewReading } from "./readViews.ts";

/** How many views an anchor may lose: at most `maxDemoted`, and `minKeep` stay. */
export type Bounds = { maxDemoted: number; minKeep: number };

/** 1 at the views with the lowest `key` [N, W] of each anchor, as many as it may lose. Consumes `key`. */
function losable({ present }: ViewReading, key: np.Array, { maxDemoted, minKeep }: Bounds) {
  const flag = (condition: np.Array) => condition.astype(key.dtype);
  const last = np.where(present.ref.greater(0), key.ref.neg(), LOWEST); // [N, W]
  const rank = descendingRanks(last).astype(key.dtype); // [N, W], 0 the lowest
  const spare = present.ref.sum(-1, { keepdims: true }).sub(minKeep); // [N, 1]
  return flag(rank.less(np.minimum(spare, maxDemoted))).mul(present.ref); // [N, W]
}

/**
 * 1 at the first `quota` [] of the eligible entries, ordered by the first key, then the second, then by row
 * and column: all [N, W]. Consumes all arguments.
 */
function firstOf(
  eligible: np.Array,
  [first, second]: [np.Array, np.Array],
  quota: np.Array,
): np.Array {
  const { shape, dtype } = eligible;
  const flat = (x: np.Array) => x.reshape([-1]); // [N·W]
  // sorting is stable: by the lesser key, then by the greater one
  const bySecond = np.argsort(flat(second)); // [N·W]
  const leading = flat(np.where(eligible.ref.greater(0), first, -LOWEST)); // [N·W]
  const byFirst = np.argsort(leading.slice(bySecond.ref)); // [N·W]
  const order = bySecond.slice(byFirst); // [N·W]
  const place = np.argsort(order).astype(dtype).reshape(shape); // [N, W]
  return place.less(quota).astype(dtype).mul(eligible);
}

/**
 * 1 at the views to demote, [N, W]: those below `limit` [N, 1] or [N, W], at most as many an anchor as `bounds` allow,
 * its lowest first, and in the whole batch the `quota` [] of lowest percentile. Lent: `reading`.
 */
export function lowestViews(
  reading: ViewReading,
  limit: np.Array,
  quota: np.Array,
  bounds: Bounds,
): np.Array {
  const { scores, percentiles } = reading;
  const below = scores.ref.less(limit).astype(scores.dtype); // [N, W]
  const eligible = losable(reading, scores.ref, bounds).mul(below); // [N, W]
  return firstOf(eligible, [percentiles.ref, scores.ref], quota);
}

/** As many views [] of the highest percentile, as a control. Lent: `reading`. */
export function highestViews(reading: ViewReading, count: np.Array, bounds: Bounds): np.Array {
  const { scores, percentiles } = reading;
  const eligible = losable(reading, scores.ref.neg(), bounds); // [N, W]
  return firstOf(eligible, [percentiles.ref.neg(), scores.ref.neg()], count);
}

/** As many views [] at random, by uniform numbers [N, W], as a control. Lent: `reading`. */
export function randomViews(
  reading: ViewReading,
  count: np.Array,
  bounds: Bounds,
  uniform: np.Array,
): np.Array {
  const eligible = losable(reading, uniform.ref, bounds); // [N, W]
  return firstOf(eligible, [uniform.ref, uniform], count);
}

/** All views known to be `false` ones [N, W], but for the `minKeep` nearest an anchor. Lent: `reading`. */
export function falseViews(reading: ViewReading, known: np.Array, minKeep: number): np.Array {
  const key = np.where(known.ref.greater(0), reading.scores.ref, -LOWEST); // [N, W]
  return losable(reading, key, { maxDemoted: known.shape[1], minKeep }).mul(known); // [N, W]
}
