import { numpy as np } from "@jax-js/jax";

import { constantLike } from "../../core/constantLike.ts";
import { ConfigError } from "../../core/errors.ts";
import { LOWEST } from "../../core/numerics.ts";
import type { ArrayRecord } from "../../core/trees.ts";
import type { Scene } from "../sampler.ts";
import { KEPT } from "./viewHistory.ts";

/** The kept crops may overlap by this share more than all do before demotion rests. */
const MOST = 1.1;

/** Overlap of each own view's crop with that of the anchor's view: [N, W]. Lent. */
export function cropOverlaps({ overlaps, ranking }: Scene): np.Array {
  if (overlaps === undefined) {
    throw new ConfigError("sortViews: overlap is a number, expected null where crops are unknown");
  }
  const columns = overlaps.map((each) => each.ref.astype(ranking.dtype).reshape([-1, 1])); // [N, 1]
  return np.concatenate(columns, 1);
}

/** `limit` [N, 1] where an own view overlaps by less than `most`, elsewhere −10³⁰: [N, W]. Lent: `overlaps`. */
export const apartLimit = (overlaps: np.Array, limit: np.Array, most: number): np.Array =>
  np.where(overlaps.ref.less(constantLike(overlaps, most)), limit, LOWEST);

/** 1 where the kept crops have come to overlap too much, []; `crowding` [] is lent. */
export const isCrowded = (crowding: np.Array, like: np.Array): np.Array =>
  crowding.ref.greater(MOST).astype(like.dtype);

/**
 * Mean overlap of kept and of demoted views, and the next `crowding` []: the running mean of the overlap of kept
 * views over that of all, 1 at rest. Masks [N, W]. Consumes `crowding` and `rests` []; lent: all else.
 */
export function followOverlaps(
  crowding: np.Array,
  overlaps: np.Array,
  { present, demoted }: { present: np.Array; demoted: np.Array },
  rests: np.Array,
): { next: ArrayRecord; metrics: ArrayRecord } {
  const mean = (mask: np.Array) => overlaps.ref.mul(mask.ref).sum().div(np.maximum(mask.sum(), 1)); // []
  const all = mean(present.ref);
  const kept = mean(present.ref.mul(np.subtract(1, demoted.ref)));
  const ratio = np.where(all.ref.greater(0), kept.ref.div(np.maximum(all, 1e-12)), 1); // []
  const share = constantLike(ratio, KEPT);
  const old = crowding.astype(ratio.dtype).mul(share.ref); // []
  const mixed = old.add(ratio.mul(np.subtract(1, share))); // []
  return {
    next: { crowding: np.where(rests.greater(0), 1, mixed).astype(np.float32) },
    metrics: { keptOverlap: kept, demotedOverlap: mean(demoted.ref) },
  };
}
