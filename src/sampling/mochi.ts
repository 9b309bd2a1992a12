import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { zeros } from "../core/arrays.ts";
import { l2Normalize } from "../core/numerics.ts";
import { parseOptions } from "../core/options.ts";
import type { Pairs } from "../core/pairs.ts";
import { CountOrNone } from "../core/ranges.ts";
import { entriesAt } from "../core/rowEntries.ts";
import { defineMixer, type MixerScene, type Parents } from "./mixer.ts";
import {
  hardestOf,
  hardestOptions,
  indexOf,
  joined,
  joinParents,
  mixedMetrics,
  mixPairs,
  mixQuery,
  pairParents,
  shareOf,
  type Top,
} from "./mixing.ts";
import type { Sizes, StepInputs } from "./sampler.ts";

const MochiOptions = z.strictObject({
  ...hardestOptions,
  pairMixes: CountOrNone.default(256).describe(
    "mixes of two hard negatives per anchor (s in the paper)",
  ),
  queryMixes: CountOrNone.default(32).describe(
    "mixes of the anchor with a hard negative per anchor (s′ in the paper)",
  ),
});
type MochiOptions = z.output<typeof MochiOptions>;

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
  return joinParents(made, scene);
}

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
  metrics: mixedMetrics,
  parents(scene, { positive, negative }, options) {
    positive.dispose();
    return parentsOf(scene, negative, options);
  },
  apply(scene, { positive, negative }, options) {
    positive.dispose();
    const top = hardestOf(scene, negative.ref, options);
    const { pairs, query } = mixesOf(scene, top, options);
    return joined(scene, negative, [
      pairs && mixPairs(scene, top, pairs),
      query && mixQuery(scene, top, query.pick, query.share),
    ]);
  },
});
