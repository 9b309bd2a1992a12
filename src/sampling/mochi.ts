import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { zeros } from "../core/arrays.ts";
import { l2Normalize, LOWEST, weightedMean } from "../core/numerics.ts";
import { parseOptions } from "../core/options.ts";
import type { Pairs } from "../core/pairs.ts";
import { CountOrNone } from "../core/ranges.ts";
import { entriesAt } from "../core/rowEntries.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { hardness } from "./hardness.ts";
import { defineMixer, type Mixed, type MixerScene, type Parents } from "./mixer.ts";
import type { Sizes, StepInputs } from "./sampler.ts";

const MochiOptions = z.strictObject({
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
  pairMixes: CountOrNone.default(256).describe(
    "mixes of two hard negatives per anchor (s in the paper)",
  ),
  queryMixes: CountOrNone.default(32).describe(
    "mixes of the anchor with a hard negative per anchor (s′ in the paper)",
  ),
});
type MochiOptions = z.output<typeof MochiOptions>;

/** Least squared length of a mix before it is scaled to 1: what float32 can tell from 0. */
const SHORTEST = 1e-6;

/** Hardest candidates of every anchor: columns [N, T] in descending order, 1 in `valid` where negative. */
type Top = { at: np.Array; valid: np.Array };

/** Parents of mixes: positions in a list of hardest candidates, [N, S] int32, and the share of the first. */
type Drawn = { first: np.Array; second: np.Array; share: np.Array };

/** T, the hardest candidates that are mixed, at least 2 where there are so many. */
const topCount = ({ topN, topShare }: MochiOptions, candidates: number): number =>
  Math.min(candidates, Math.max(2, Math.min(topN, Math.trunc(topShare * candidates))));

/** The part of [N, M] that belongs to the candidates that can be mixed: [N, K]. Consumes. */
const mixable = (matrix: np.Array, { offset, rows }: MixerScene): np.Array =>
  matrix.slice([], [offset, offset + rows.shape[0]]);

/** The hardest negatives of every anchor. Consumes `negative` [N, M]. */
function hardestOf(scene: MixerScene, negative: np.Array, options: MochiOptions): Top {
  const cosine = mixable(scene.similarity.ref, scene); // [N, K]
  const score = hardness(cosine, mixable(negative, scene)); // [N, K]
  const [top, at] = lax.topK(score, topCount(options, scene.rows.shape[0])); // [N, T]
  const valid = top.greater(LOWEST / 2).astype(scene.similarity.dtype); // [N, T]
  return { at: lax.stopGradient(at), valid: lax.stopGradient(valid) };
}

/** ⌊u · count⌋ for u in [0, 1]: integers below `count`. Consumes. */
const indexOf = (uniform: np.Array, count: number): np.Array =>
  np.minimum(np.floor(uniform.mul(count)).astype(np.int32), count - 1);

/** Drawn shares in the type of `like`, as constants: a cast of what may have a slope has no gradient. Lent. */
const shareOf = (drawn: np.Array, like: np.Array): np.Array =>
  lax.stopGradient(drawn.ref).astype(like.dtype);

/** Two different positions below `count` for every pair mix, by uniform numbers. */
function pairParents({ first, second, alphas }: ArrayRecord, count: number, like: np.Array) {
  const a = indexOf(first.ref, count); // [N, S]
  const further = indexOf(second.ref, count - 1).add(1); // [N, S] 1 … count − 1
  return { first: a.ref, second: a.add(further).mod(count), share: shareOf(alphas, like) };
}

/** 1 where both parents are negatives, [N, S]. Lent: `top`. */
const bothValid = ({ valid }: Top, { first, second }: Pick<Drawn, "first" | "second">) =>
  entriesAt(valid.ref, first).mul(entriesAt(valid.ref, second)); // [N, S]

/** x / √max(squared length, `SHORTEST`). */
const scaled = (x: np.Array, squared: np.Array): np.Array =>
  x.div(np.sqrt(np.maximum(squared, SHORTEST)));

/** Cosines of the anchors with unit(α·u_a + (1 − α)·u_b). Lent: all. */
function mixPairs(scene: MixerScene, { at, valid }: Top, parents: Drawn): Mixed {
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
function mixQuery(scene: MixerScene, { at, valid }: Top, pick: np.Array, share: np.Array): Mixed {
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

/** Both kinds of mixes, those that were asked for and can be made. `top` is lent. */
function mixesOf({ inputs, similarity }: MixerScene, top: Top, options: MochiOptions) {
  const count = top.at.shape[1];
  const { pairMixes, queryMixes } = options;
  const pairs = pairMixes > 0 && count > 1 ? pairParents(inputs, count, similarity) : undefined;
  const query =
    queryMixes > 0
      ? { pick: indexOf(inputs.picks.ref, count), share: shareOf(inputs.betas, similarity) }
      : undefined;
  return { pairs, query };
}

/** Columns of both parents of every mix. Lent: the scene. */
function parentsOf(scene: MixerScene, negative: np.Array, options: MochiOptions): Parents {
  const top = hardestOf(scene, negative, options);
  const { pairs, query } = mixesOf(scene, top, options);
  const columns = (place: np.Array) => entriesAt(top.at.ref, place).add(scene.offset); // [N, S]
  const made: Parents[] = [];
  if (pairs) {
    const { first, second, share } = pairs;
    made.push({ first: columns(first), second: columns(second), share });
  }
  if (query) {
    const { pick, share } = query;
    const self = np.zeros(pick.shape, { dtype: np.int32 }).sub(1); // [N, S′]
    made.push({ first: self, second: columns(pick), share });
  }
  if (made.length === 0) {
    const self = np.zeros([scene.anchors.shape[0], 1], { dtype: np.int32 }).sub(1); // [N, 1]
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

const joined = (parts: Mixed[], name: "similarity" | "negative"): np.Array =>
  parts.length === 1
    ? parts[0][name]
    : np.concatenate(
        parts.map((part) => part[name]),
        1,
      );

/** Random positions and shares of one step. */
function inputsOf({ pairMixes, queryMixes }: MochiOptions, { anchors }: Sizes): StepInputs {
  const shapes = {
    first: [anchors, pairMixes],
    second: [anchors, pairMixes],
    alphas: [anchors, pairMixes],
    picks: [anchors, queryMixes],
    betas: [anchors, queryMixes],
  };
  const wanted = Object.entries(shapes).filter(([, shape]) => shape[1] > 0);
  return {
    spec: Object.fromEntries(wanted.map(([name, shape]) => [name, { dtype: "float32", shape }])),
    make: ({ stream }) =>
      Object.fromEntries(
        wanted.map(([name, shape]) => {
          const high = name === "betas" ? 0.5 : 1; // the anchor weighs less than the negative
          const array = zeros(shape);
          array.data.forEach((_, i) => (array.data[i] = stream.uniform(0, high)));
          return [name, array];
        }),
      ),
  };
}

/**
 * The hardest candidates and the synthetic rows themselves, which `mochi` never builds: `topIndices` [N, T] int32
 * columns of `scene.rows`, `synthetic` [N, S + S′, E], pair mixes first, absent without mixes. For `inspect` and
 * for tests. Lent: the scene; consumes `pairs`.
 */
export function mochiRows(
  scene: MixerScene,
  { positive, negative }: Pairs,
  given: z.input<typeof MochiOptions>,
) {
  positive.dispose();
  const options = parseOptions("mochi", MochiOptions, given);
  const top = hardestOf(scene, negative, options);
  const { pairs, query } = mixesOf(scene, top, options);
  const [n, e] = scene.anchors.shape;
  const rowsAt = (place: np.Array) => scene.rows.ref.slice(entriesAt(top.at.ref, place)); // [N, S, E]
  const mix = (share: np.Array, a: np.Array, b: np.Array) => {
    const weight = share.reshape([n, -1, 1]); // [N, S, 1]
    return l2Normalize(weight.ref.mul(a).add(np.subtract(1, weight).mul(b))); // [N, S, E]
  };
  const made = [
    pairs && mix(pairs.share, rowsAt(pairs.first), rowsAt(pairs.second)),
    query && mix(query.share, scene.anchors.ref.reshape([n, 1, e]), rowsAt(query.pick)),
  ].filter((rows) => rows !== undefined);
  if (made.length === 0) return { topIndices: top.at };
  return { topIndices: top.at, synthetic: lax.stopGradient(np.concatenate(made, 1)) };
}

/**
 * Hard negative mixing. Of each anchor q the N most similar negatives make `pairMixes` points between two of
 * them, unit(α·u_a + (1 − α)·u_b) with a ≠ b and α ~ U(0, 1), and `queryMixes` points between q and one of
 * them, unit(β·q + (1 − β)·u_b) with β ~ U(0, 0.5). They join the real negatives. Draws are new for every
 * anchor and step. Synthetic rows are constants, also the q within them.
 *
 * - Only cosines are computed, in closed form; of the mixed rows themselves only u_a·u_b is needed.
 * - A mix one of whose parents is no negative (own image, same group, empty row) has weight 0.
 * - Defaults are for queues of about 4,096 keys. The paper has N = 1024, 1024 pair mixes and 128 query mixes at
 *   65,536 keys of ImageNet. N stays: with ten classes a tenth of the queue is of the anchor's own class, and a
 *   list in proportion (64) would hold little else. It is capped at a quarter of the queue, or else small
 *   queues would be mixed whole. Mixes are a quarter of the paper's, at its ratio of 8 : 1. They are then
 *   7 % of the candidates instead of 1.8 %.
 * - Until the queue is full its rows are few and random: the warm-up is a tenth of the run.
 */
export const mochi = defineMixer({
  name: "mochi",
  summary:
    "Synthetic negatives between hard negatives, and between the anchor and a hard negative.",
  source: "Kalantidis et al. 2020, arXiv:2010.01028",
  options: MochiOptions,
  inputs: inputsOf,
  warmup: 0.1,
  metrics: {
    syntheticHardness: "mean cosine of anchors and their synthetic negatives",
    hardestReal: "mean cosine of anchors and their hardest real negative",
  },
  parents(scene, { positive, negative }, options) {
    positive.dispose();
    return parentsOf(scene, negative, options);
  },
  apply(scene, { positive, negative }, options) {
    positive.dispose();
    const top = hardestOf(scene, negative.ref, options);
    const { pairs, query } = mixesOf(scene, top, options);
    const made = [
      pairs && mixPairs(scene, top, pairs),
      query && mixQuery(scene, top, query.pick, query.share),
    ].filter((part) => part !== undefined);
    const parts = made.length === 0 ? [nothing(scene)] : made;
    const similarity = joined(parts, "similarity"); // [N, S + S′]
    const weight = joined(parts, "negative"); // [N, S + S′]
    const metrics = measured(scene, negative, { similarity: similarity.ref, negative: weight.ref });
    return { similarity, negative: weight, metrics };
  },
});
