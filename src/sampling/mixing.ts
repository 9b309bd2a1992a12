import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { LOWEST, weightedMean } from "../core/numerics.ts";
import { entriesAt } from "../core/rowEntries.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { hardness } from "./hardness.ts";
import type { Mixed, MixerScene, Parents } from "./mixer.ts";

/** Options of every mixer of hardest candidates. */
export const hardestOptions = {
  topN: z
    .int()
    .min(2)
    .max(1e9)
    .default(1024)
    .describe("hardest negatives of an anchor that are mixed, at most topShare of the candidates"),
  topShare: z
    .number()
    .positive()
    .max(1)
    .default(0.25)
    .describe("share of the candidates that topN is capped at"),
};
type Hardest = { topN: number; topShare: number };

/** What `measured` reports. */
export const mixedMetrics = {
  syntheticHardness: "mean cosine of anchors and their synthetic negatives",
  hardestReal: "mean cosine of anchors and their hardest real negative",
};

/** Least squared length of a mix before it is scaled to 1: what float32 can tell from 0. */
const SHORTEST = 1e-6;

/** Hardest candidates of every anchor: columns [N, T] in descending order, 1 in `valid` where negative. */
export type Top = { at: np.Array; valid: np.Array };

/** Parents of mixes: positions in a list of hardest candidates, [N, S] int32, and the share of the first. */
export type Drawn = { first: np.Array; second: np.Array; share: np.Array };

/** T, the hardest candidates that are mixed, at least 2 where there are so many. */
const topCount = ({ topN, topShare }: Hardest, candidates: number): number =>
  Math.min(candidates, Math.max(2, Math.min(topN, Math.trunc(topShare * candidates))));

/** The part of [N, M] that belongs to the candidates that can be mixed: [N, K]. Consumes. */
export const mixable = (matrix: np.Array, { offset, rows }: MixerScene): np.Array =>
  matrix.slice([], [offset, offset + rows.shape[0]]);

/** The hardest negatives of every anchor. Consumes `negative` [N, M]. */
export function hardestOf(scene: MixerScene, negative: np.Array, options: Hardest): Top {
  const cosine = mixable(scene.similarity.ref, scene); // [N, K]
  const score = hardness(cosine, mixable(negative, scene)); // [N, K]
  const [top, at] = lax.topK(score, topCount(options, scene.rows.shape[0])); // [N, T]
  const valid = top.greater(LOWEST / 2).astype(scene.similarity.dtype); // [N, T]
  return { at: lax.stopGradient(at), valid: lax.stopGradient(valid) };
}

/** ⌊u · count⌋ for u in [0, 1]: integers below `count`. Consumes. */
export const indexOf = (uniform: np.Array, count: number): np.Array =>
  np.minimum(np.floor(uniform.mul(count)).astype(np.int32), count - 1);

/** Drawn shares in the type of `like`, as constants: a cast of what may have a slope has no gradient. Lent. */
export const shareOf = (drawn: np.Array, like: np.Array): np.Array =>
  lax.stopGradient(drawn.ref).astype(like.dtype);

/** Two different positions below `count` for every pair mix, by uniform numbers. */
export function pairParents({ first, second, alphas }: ArrayRecord, count: number, like: np.Array) {
  const a = indexOf(first.ref, count); // [N, S]
  const further = indexOf(second.ref, count - 1).add(1); // [N, S] 1 … count − 1
  return { first: a.ref, second: a.add(further).mod(count), share: shareOf(alphas, like) };
}

/** 1 where both parents are negatives, [N, S]. Lent: `top`. */
const bothValid = ({ valid }: Top, { first, second }: Pick<Drawn, "first" | "second">) =>
  entriesAt(valid.ref, first).mul(entriesAt(valid.ref, second)); // [N, S]

/** x / √max(squared length, `SHORTEST`). */
export const scaled = (x: np.Array, squared: np.Array): np.Array =>
  x.div(np.sqrt(np.maximum(squared, SHORTEST)));

/** Cosines of the anchors with unit(α·u_a + (1 − α)·u_b). Lent: all. */
export function mixPairs(scene: MixerScene, { at, valid }: Top, parents: Drawn): Mixed {
  const { share } = parents;
  const rest = np.subtract(1, share.ref); // [N, S]
  const [a, b] = [parents.first, parents.second].map((x) => entriesAt(at.ref, x.ref)); // [N, S]
  const own = mixable(scene.similarity.ref, scene); // [N, K]
  const toA = entriesAt(own.ref, a.ref); // [N, S]
  const toB = entriesAt(own, b.ref); // [N, S]
  const rows = lax.stopGradient(scene.rows.ref); // [K, E]
  const between = rows.ref.slice(a).mul(rows.slice(b)).sum(-1); // [N, S]
  const cross = share.ref.mul(rest.ref).mul(between).mul(2); // [N, S]
  const squared = np.square(share.ref).add(np.square(rest.ref)).add(cross); // [N, S]
  return {
    similarity: scaled(share.ref.mul(toA).add(rest.mul(toB)), squared),
    negative: bothValid({ at, valid }, { first: parents.first.ref, second: parents.second.ref }),
  };
}

/**
 * Cosines of the anchors with unit(β·q + (1 − β)·u). Written as q·(β·q̄ + (1 − β)·u) with a constant q̄ = q and a
 * constant length: then its slope at q is the synthetic row. Lent: all.
 */
export function mixQuery(
  scene: MixerScene,
  { at, valid }: Top,
  pick: np.Array,
  share: np.Array,
): Mixed {
  const rest = np.subtract(1, share.ref); // [N, S′]
  const constant = lax.stopGradient(scene.anchors.ref); // [N, E]
  const toSelf = scene.anchors.ref.mul(constant).sum(-1, { keepdims: true }); // [N, 1]
  const columns = entriesAt(at.ref, pick.ref); // [N, S′]
  const toRow = entriesAt(mixable(scene.similarity.ref, scene), columns); // [N, S′]
  const cross = share.ref.mul(rest.ref).mul(lax.stopGradient(toRow.ref)).mul(2); // [N, S′]
  const length = np.square(share.ref).mul(lax.stopGradient(toSelf.ref)); // [N, S′]
  const squared = length.add(np.square(rest.ref)).add(cross); // [N, S′]
  return {
    similarity: scaled(share.ref.mul(toSelf).add(rest.mul(toRow)), squared),
    negative: entriesAt(valid.ref, pick.ref),
  };
}

/** No synthetic candidates: one of weight 0, as programs have no empty arrays. */
function nothing({ similarity }: MixerScene): Mixed {
  const none = np.zeros([similarity.shape[0], 1]).astype(similarity.dtype); // [N, 1]
  return { similarity: none.ref, negative: none };
}

/** Mean cosine of the synthetic candidates, and of each anchor's hardest real one. Consumes the arrays. */
function measured(scene: MixerScene, negative: np.Array, mixed: Mixed): ArrayRecord {
  const cosine = mixable(scene.similarity.ref, scene); // [N, K]
  const hardestReal = hardness(cosine, mixable(negative, scene)).max(-1); // [N]
  const flat = (x: np.Array) => lax.stopGradient(x).reshape([-1]); // [N·S]
  return {
    syntheticHardness: weightedMean(flat(mixed.similarity), flat(mixed.negative)),
    hardestReal: weightedMean(
      hardestReal.ref,
      hardestReal.greater(LOWEST / 2).astype(scene.similarity.dtype),
    ),
  };
}

/** All kinds side by side, with what `measured` reports of them. Consumes `negative` [N, M] and the parts. */
export function joined(scene: MixerScene, negative: np.Array, parts: (Mixed | undefined)[]): Mixed {
  const some = parts.filter((part) => part !== undefined);
  const [first, ...rest] = some.length === 0 ? [nothing(scene)] : some;
  const join = (name: "similarity" | "negative") =>
    rest.length === 0
      ? first[name]
      : np.concatenate(
          [first, ...rest].map((part) => part[name]),
          1,
        );
  const similarity = join("similarity"); // [N, S]
  const weight = join("negative"); // [N, S]
  const metrics = measured(scene, negative, { similarity: similarity.ref, negative: weight.ref });
  return { similarity, negative: weight, metrics };
}

/** Parents of several kinds of mixes, one after the other; of none, the anchor's own. Lent: the scene. */
export function joinParents(made: Parents[], { anchors }: MixerScene): Parents {
  if (made.length === 0) {
    const self = np.zeros([anchors.shape[0], 1], { dtype: np.int32 }).sub(1); // [N, 1]
    return { first: self.ref, second: self.ref, share: self.astype(np.float32) };
  }
  const join = (name: keyof Parents) =>
    made.length === 1
      ? made[0][name]
      : np.concatenate(
          made.map((part) => part[name]),
          1,
        );
  return { first: join("first"), second: join("second"), share: join("share") };
}
