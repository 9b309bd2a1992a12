import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { full, hostArray } from "../core/arrays.ts";
import { constantLike } from "../core/constantLike.ts";
import { ConfigError } from "../core/errors.ts";
import { LOWEST } from "../core/numerics.ts";
import type { Pairs, Term } from "../core/pairs.ts";
import { Count } from "../core/ranges.ts";
import { entriesAt, sumEntriesAt } from "../core/rowEntries.ts";
import { descendingRanks, topMask, topMaskOf } from "../core/topMask.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { hardness } from "./hardness.ts";
import { anneals, outerAt } from "./ringSchedule.ts";
import { defineSampler, type Sizes, type StepInputs } from "./sampler.ts";

const RingOptions = z.strictObject({
  outer: z
    .number()
    .positive()
    .max(1)
    .default(0.1)
    .describe("share of the candidates within the outer cut, the nearest ones"),
  inner: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("share of them within the inner cut, nearest of all, which is left out"),
  dynamicInner: z
    .boolean()
    .default(true)
    .describe("inner is a share of what outer keeps; false: of all candidates"),
  anneal: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("share of the run over which the outer cut falls from 1 to outer; 0: outer at once"),
  schedule: z
    .enum(["linear", "step", "exponential", "constant"])
    .default("linear")
    .describe("how the outer cut falls"),
  draws: Count.nullable()
    .default(null)
    .describe("members drawn with replacement from the ring; null: every member once"),
  neighbourViews: z
    .enum(["none", "logSumExp", "mean"])
    .default("none")
    .describe(
      "candidates within the inner cut: left out (none), or positives beside the own views",
    ),
});
type RingOptions = z.output<typeof RingOptions>;

/** Masks [N, M]: ranks before the inner cut, and between the cuts (with `draws`: how often each was drawn). */
type Cut = { ball: np.Array; ring: np.Array };

/** Number of candidates within the cuts, truncated in double precision. */
function cuts({ inner, dynamicInner }: RingOptions, outer: number, pool: number) {
  const outerCount = Math.trunc(outer * pool);
  return { outerCount, innerCount: Math.trunc(inner * (dynamicInner ? outerCount : pool)) };
}

function checkCuts(options: RingOptions, pool: number): void {
  const { outerCount, innerCount } = cuts(options, options.outer, pool);
  if (outerCount > innerCount) return;
  throw new ConfigError(
    `ring: outer ${options.outer} of ${pool} candidates keeps ${outerCount} and inner ${options.inner} drops ${innerCount} of them, expected at least 1 left`,
    "raise outer, lower inner, or take more candidates",
  );
}

/** The counts of `cuts` of a share that is known at run time: scalars [] int32. Lent: `outer` [] float64. */
function cutsOf({ inner, dynamicInner }: RingOptions, outer: np.Array, pool: number) {
  const outerCount = outer.ref.mul(constantLike(outer, pool)).astype(np.int32); // []
  const innerCount = dynamicInner
    ? outerCount.ref.astype(np.float64).mul(constantLike(outer, inner)).astype(np.int32) // []
    : np.array(Math.trunc(inner * pool), { dtype: np.int32 });
  return { outerCount, innerCount };
}

/** Both masks of counts that are known when the program is compiled. Consumes `score`. */
function fixedCut(score: np.Array, options: RingOptions, pool: number): Cut {
  const { outerCount, innerCount } = cuts(options, options.outer, pool);
  const ball = topMask(score.ref, innerCount); // [N, M]
  return { ring: topMask(score, outerCount).sub(ball.ref), ball };
}

/**
 * How often each of the ranks [N, M] int32 is drawn: uniform numbers [N, D] pick among the `size` [N, 1] int32
 * ranks from `first` [] on. Consumes all.
 */
function drawn(ranks: np.Array, uniform: np.Array, size: np.Array, first: np.Array): np.Array {
  const { dtype } = uniform;
  const last = np.maximum(size.ref.sub(1), 0); // [N, 1]
  const place = np.floor(uniform.mul(size.ref.astype(dtype))).astype(np.int32); // [N, D]
  const rank = np.minimum(place, last).add(first); // [N, D]
  const some = np.broadcastTo(size.greater(0).astype(dtype), [...rank.shape]); // [N, D]
  const counts = sumEntriesAt(np.zeros([...ranks.shape]).astype(dtype), rank, some); // [N, M] by rank
  return entriesAt(counts, ranks); // [N, M]
}

/** Both masks of counts [] int32 that are known when the program runs. Consumes all. */
function movingCut(score: np.Array, outerCount: np.Array, innerCount: np.Array): Cut {
  const ball = topMaskOf(score.ref, innerCount); // [N, M]
  return { ring: topMaskOf(score, outerCount).sub(ball.ref), ball };
}

/** Both masks, with the uniform numbers [N, D] of draws from the ring. Consumes all but `uniform`. */
function drawnCut(
  score: np.Array,
  outerCount: np.Array,
  innerCount: np.Array,
  uniform: np.Array,
): Cut {
  const { dtype } = score;
  const valid = score.ref.greater(LOWEST / 2).astype(np.int32); // [N, M]
  const within = np.minimum(valid.sum(-1, { keepdims: true }), outerCount); // [N, 1]
  const ranks = descendingRanks(score); // [N, M]
  const ball = ranks.ref.less(innerCount.ref).astype(dtype); // [N, M]
  const size = within.sub(innerCount.ref); // [N, 1]
  return { ring: drawn(ranks, uniform.ref.astype(dtype), size, innerCount), ball };
}

/** The cut of a step, by what the options say of it. Consumes `score`. */
function cutOf(score: np.Array, inputs: ArrayRecord, options: RingOptions, pool: number): Cut {
  const draws = options.draws !== null;
  if (!draws && !anneals(options)) return fixedCut(score, options, pool);
  const outer = inputs.outer ?? np.array(options.outer, { dtype: np.float64 }); // []
  const { outerCount, innerCount } = cutsOf(options, outer, pool);
  return draws
    ? drawnCut(score, outerCount, innerCount, inputs.draws)
    : movingCut(score, outerCount, innerCount);
}

/** Mean over the rows that have members of the largest and of the smallest cosine of a member, and the rest. */
function measured(cosine: np.Array, ring: np.Array, pool: number): ArrayRecord {
  const member = ring.greater(0); // [N, M]
  const count = member.ref.astype(cosine.dtype).sum(-1); // [N]
  const some = count.ref.greater(0); // [N]
  const rows = np.maximum(some.ref.astype(cosine.dtype).sum(), 1); // []
  const mean = (edge: np.Array) => np.where(some.ref, edge, 0).sum().div(rows.ref); // []
  const upper = np.where(member.ref, cosine.ref, LOWEST).max(-1); // [N]
  const lower = np.where(member, cosine.ref, -LOWEST).min(-1); // [N]
  return {
    ringOccupancy: count.mean().div(pool),
    ringUpper: mean(upper),
    ringLower: mean(lower),
  };
}

/** The ring's term: with neighbour views the denominator is spelled out, own views beside the ring. */
function termOf({ positive, negative }: Pairs, cut: Cut, attract: boolean): Term {
  const kept = negative.ref.mul(cut.ring); // [N, M]
  if (!attract) return { pairs: { positive, negative: kept } };
  const pairs = {
    positive: positive.ref.add(negative.mul(cut.ball)), // [N, M]
    negative: kept.add(positive), // [N, M]
  };
  return { pairs, denominator: "none" };
}

function inputsOf(options: RingOptions, { anchors }: Sizes): StepInputs {
  const { draws } = options;
  const moving = anneals(options);
  const shape = [anchors, draws ?? 0];
  const uniform = (next: () => number) =>
    hostArray("float32", shape, Float32Array.from({ length: shape[0] * shape[1] }, next));
  return {
    spec: {
      ...(moving ? { outer: { dtype: "float64", shape: [] } } : {}),
      ...(draws === null ? {} : { draws: { dtype: "float32", shape } }),
    },
    make: ({ progress, stream }) => ({
      ...(moving ? { outer: full([], outerAt(progress, options), "float64") } : {}),
      ...(draws === null ? {} : { draws: uniform(() => stream.uniform()) }),
    }),
  };
}

/**
 * Conditional negatives: those whose similarity lies in a ring. Of an anchor's candidates in descending order of
 * cosine, with o = trunc(outer · pool) and i = trunc(inner · o), ranks i … o − 1 stay negatives: near enough to
 * teach something, not so near as to be of the anchor's class. The counts are taken of the static `scene.pool`,
 * ties go to the lower column, and pairs that are no negatives rank last and stay none. So an anchor
 * with i negatives or fewer (while a queue fills) has none left, and its loss is 0. inner = 0 is the ball.
 *
 * - The paper anneals `outer`, as a small ring in an untrained encoder is noise; the released configurations do
 *   not (schedule "constant"). See `outerAt` for the curves over the progress of the run.
 * - `draws` is the memory-bank form (IR-Ring): that many members, drawn with replacement, each with
 *   the number of its draws as weight. Of a ring that is short of valid negatives all draws fall on those.
 * - `neighbourViews` makes the inner ball positives. In the paper they stand in the numerator only: the
 *   denominator is own views and ring. So own views become negatives too, and the term asks for denominator
 *   "none": "mean" is then the paper's with `infoNce` positives "outside", "logSumExp" with "inside"
 *   (the loss may be below 0). The choice belongs to the loss; the two values make the same pairs.
 *   Losses without a denominator cannot say it, nor can `insideMean`, which divides by the number of positives.
 *   It should come last in a chain, as later samplers would take own views for negatives.
 */
export const ring = defineSampler({
  name: "ring",
  summary: "Negatives of middling similarity: within an outer cut, outside an inner one.",
  source: "Wu et al. 2020, arXiv:2010.02037",
  options: RingOptions,
  hardens: true,
  reasons: { dropped: "outside-ring", promoted: "inner-ball", weighted: "drawn" },
  sets: ({ neighbourViews }) => (neighbourViews === "none" ? [] : ["denominator"]),
  inputs: inputsOf,
  gates: true,
  metrics: {
    ringOccupancy: "mean number of negatives left of an anchor, as a share of its candidates",
    ringUpper: "mean cosine of an anchor's most similar negative that is left",
    ringLower: "mean cosine of an anchor's least similar negative that is left",
  },
  apply({ ranking, pool, active, inputs }, pairs, options) {
    checkCuts(options, pool);
    const score = hardness(ranking, pairs.negative); // [N, M]
    const cut = cutOf(score, inputs, options, pool);
    const on = active.ref.greater(0); // []
    const gated = { ball: np.where(on.ref, cut.ball, 0), ring: np.where(on, cut.ring, 1) }; // [N, M]
    const left = pairs.negative.ref.mul(gated.ring.ref); // [N, M]
    const term = termOf(pairs, gated, options.neighbourViews !== "none");
    return { terms: [term], metrics: measured(ranking, left, pool) };
  },
});
