import { numpy as np } from "@jax-js/jax";

import { type HostRecord, scalar } from "../../core/arrays.ts";
import { constantLike } from "../../core/constantLike.ts";
import { ConfigError } from "../../core/errors.ts";
import { refPairs } from "../../core/pairs.ts";
import { falseViews, highestViews, lowestViews, randomViews } from "./chooseViews.ts";
import { ownViewValues } from "./ownViewValues.ts";
import { readViews, type ViewReading } from "./readViews.ts";
import { defineSampler, type Scene, type Sizes, type StepInputs } from "../sampler.ts";
import { softWeights } from "./softWeights.ts";
import { SortViewsOptions } from "./sortViewsOptions.ts";
import { fieldInputs, uniformField } from "../uniformField.ts";
import { emptyBreaker, watchDemotion } from "./viewBreaker.ts";
import { emptyHistory, followViews, type ViewHistory } from "./viewHistory.ts";
import { apartLimit, cropOverlaps, followOverlaps, isCrowded } from "./viewOverlap.ts";
import { viewSeparation } from "./viewSeparation.ts";
import { viewTerms } from "./viewTerms.ts";

/** How far views of an image may repel each other unless `unbounded` is set. */
const REPELLING = { alpha: 0.5, budget: 0.05, maxDemoted: 1 } as const;

function checkBounds(options: SortViewsOptions): void {
  if (options.mode !== "negative" || options.unbounded) return;
  const names = Object.keys(REPELLING) as (keyof typeof REPELLING)[];
  const name = names.find((one) => options[one] > REPELLING[one]);
  if (name === undefined) return;
  throw new ConfigError(
    `sortViews: ${name} is ${options[name]}, expected at most ${REPELLING[name]} in the mode "negative"`,
    "views that repel their own image can undo what they have in common; set unbounded to true to try it",
  );
}

/** Negatives that a quantile needs: 20 beyond it on average. */
const enough = ({ minNegatives, quantile }: SortViewsOptions): number =>
  minNegatives ?? Math.min(Math.ceil(20 / (1 - quantile) - 1e-6), 1e30);

/** Views that may be demoted in a batch of `views`, a share `ramp` [] of the budget. Consumes `ramp`. */
function quotaOf(ramp: np.Array, budget: number, views: number): np.Array {
  const most = constantLike(ramp, budget * views);
  const whole = constantLike(ramp, Math.floor(budget * views)); // in double precision
  return np.where(ramp.ref.less(1), np.floor(ramp.mul(most)), whole); // []
}

/** 1 where an own view is known to show another image than the anchor's view: [N, W]. Lent. */
function otherImage({ ownIds, anchors, ranking }: Scene): np.Array {
  const flag = (condition: np.Array) => condition.astype(ranking.dtype);
  const shown = np.concatenate(
    ownIds.map((ids) => ids.ref.reshape([-1, 1])),
    1,
  ); // [N, W]
  const own = anchors.ids.ref.reshape([-1, 1]); // [N, 1]
  const known = flag(shown.ref.greaterEqual(0)).mul(flag(own.ref.greaterEqual(0))); // [N, W]
  return flag(shown.notEqual(own)).mul(known);
}

/** What needs a uniform number for every own view, in the order in which the inputs hold them. */
const drawsOf = ({ choose, explore }: SortViewsOptions): string[] => [
  ...(explore > 0 ? ["explore"] : []),
  ...(choose === "random" ? ["choose"] : []),
];

/** The uniform numbers [N, W] of one use. Lent: `scene`. */
function uniforms(scene: Scene, options: SortViewsOptions, use: string): np.Array {
  const { inputs, ranking, ownViews } = scene;
  const n = ranking.shape[0];
  const from = n * drawsOf(options).indexOf(use);
  const field = uniformField(inputs, ranking); // [N, M] or [2N, M]
  return ownViewValues(ownViews, field.slice([from, from + n])); // [N, W]
}

/** Demotions [N, W] without those that exploration cancels. Lent: `scene`; consumes `demoted`. */
function explored(scene: Scene, demoted: np.Array, options: SortViewsOptions): np.Array {
  if (options.explore === 0) return demoted;
  const uniform = uniforms(scene, options, "explore"); // [N, W]
  const stays = uniform.greaterEqual(constantLike(demoted, options.explore)); // [N, W]
  return demoted.mul(stays.astype(demoted.dtype));
}

/** What a step decides on: the cosine [N, 1] or [N, W] below which a view may be demoted, and how many [] may. */
type Allowance = { limit: np.Array; quota: np.Array };

/** 1 at the demoted views, [N, W]. Lent: `scene`, `reading`; consumes the rest. */
function chosenViews(
  scene: Scene,
  reading: ViewReading,
  { limit, quota }: Allowance,
  options: SortViewsOptions,
): np.Array {
  const { choose, minKeep } = options;
  if (choose === "oracle") return falseViews(reading, otherImage(scene), minKeep);
  const lowest = lowestViews(reading, limit, quota, options); // [N, W]
  const demoted = explored(scene, lowest, options); // [N, W]
  if (choose === "lowest") return demoted;
  const count = demoted.sum(); // []
  return choose === "highest"
    ? highestViews(reading, count, options)
    : randomViews(reading, count, options, uniforms(scene, options, "choose"));
}

const stateOf = ({ overlap }: SortViewsOptions): HostRecord => ({
  ...emptyHistory(),
  ...emptyBreaker(),
  ...(overlap === null ? {} : { crowding: scalar(1) }),
});

function inputsOf(options: SortViewsOptions, sizes: Sizes): StepInputs {
  const { ramp, warmup } = options;
  const epochSteps = scalar(Math.max(1, Math.floor(sizes.datasetSize / sizes.images)));
  const one = { dtype: "float32", shape: [] } as const;
  const uses = drawsOf(options).length;
  const field = fieldInputs({ ...sizes, anchors: uses * sizes.anchors });
  return {
    spec: { ramp: one, epochSteps: one, ...(uses > 0 ? field.spec : {}) },
    make(at) {
      const since = at.progress - warmup;
      const reached = ramp > 0 ? Math.min(1, Math.max(0, since / ramp)) : 1;
      return { ramp: scalar(reached), epochSteps, ...(uses > 0 ? field.make(at) : {}) };
    },
  };
}

/** Whether views may be demoted in a step, `may` [] 1 or 0. Consumes `best` and `rest` of the state; lent: the rest. */
function watchStep(
  { active, inputs, state }: Scene,
  { auroc, spreadRank }: ViewHistory,
  overlaps: np.Array | undefined,
  { choose, aurocGate, rankFall }: SortViewsOptions,
) {
  const { dtype } = auroc;
  const gate = auroc.ref.greaterEqual(constantLike(auroc, aurocGate)).astype(dtype); // []
  const on = active.ref.astype(dtype); // []
  const open = choose === "oracle" ? on : on.mul(gate); // []
  const crowded = overlaps && isCrowded(state.crowding, auroc); // []
  const watched = { rank: spreadRank.ref, open: open.ref, epochSteps: inputs.epochSteps.ref };
  const { rests, next } = watchDemotion(state, { ...watched, crowded }, rankFall);
  return { may: open.mul(np.subtract(1, rests.ref)), rests, next };
}

/**
 * Sorts the other views of an anchor's image by similarity, and demotes those that look like false
 * positives: crops that show something else. A design with no paper of its own; the nearest relatives are
 * Ranking InfoNCE (the mode "ranked") and the literature on negatives of the same image ("negative").
 *
 * Similarity alone cannot tell a hard positive from a false one. So a view is compared with the anchor's
 * negatives R: it may be demoted where its cosine lies below a quantile of theirs, and only the
 * `maxDemoted` lowest of an image, while `minKeep` stay. Over the batch the lowest percentiles go first, within
 * a budget that grows over `ramp`; some demotions are cancelled at random, so that a view that the encoder
 * does not recognise gets another chance. Nothing is demoted before the warm-up is over, or while the running
 * mean percentile of own views (the area under the curve of own views against negatives) is under a gate.
 *
 * - "keep" changes nothing, "drop" takes demoted views out, "negative" makes them negatives of weight α. As
 *   views that repel each other can undo what their image has in common, α, `budget` and `maxDemoted` are then
 *   bounded unless `unbounded` is set. Their logits are not capped at the quantile: a view demoted for being the
 *   least similar lies below it already.
 * - "soft" demotes none but weighs every view by its percentile; the best keeps weight 1.
 * - "ranked" halves the loss of an anchor with demoted views: its kept views against negatives and demoted
 *   ones, and all its views against the negatives at a higher temperature, each view alone with them.
 *
 * `choose` other than "lowest" makes controls: as many views of the batch, within the same bounds an anchor,
 * at random or of the highest similarity; "oracle" demotes every view of another image than the anchor's (slipped
 * in on purpose), whatever quantile, budget and gate say, and does nothing where images are unknown. They go by
 * `scene.ranking`, of a slowly averaged encoder where there is one. With few negatives the quantile is noise: an
 * anchor with fewer than `minNegatives` goes by the running mean of all anchors'.
 *
 * A run whose effective rank falls has lost too many positives. So where that rank, as the squared cosines of
 * negatives give it (`spreadRank`), falls by more than `rankFall` from its best since demotion began, a breaker
 * lets all views stay for one epoch, in "soft" with weight 1, and then starts anew. Samplers before this one that
 * choose negatives by similarity change the rank as seen here: let them come after it.
 *
 * Crops are free evidence: with `overlap` a view may be demoted only where its crop has little in common with
 * that of the anchor's view. Turns are left out of account, and of a view slipped in from another image the crop
 * counts as if it were of the same one. With it the breaker also acts where the crops of kept views have come to
 * overlap with the anchor's a tenth more than those of all views do.
 */
export const sortViews = defineSampler({
  name: "sortViews",
  summary: "Demotes views that are less similar to their own image than its negatives are.",
  source:
    "a design after a survey of data curation for contrastive learning, arXiv:2502.08134 (2025); ranked: Hoffmann et al. 2022, arXiv:2201.11736",
  options: SortViewsOptions,
  check: checkBounds,
  usesLabels: ({ choose }) => choose === "oracle",
  reasons: { demoted: "sorted-out", weighted: "soft" },
  needs: ["manyViews"],
  crops: ({ overlap }) => overlap !== null,
  sets: ({ mode }) => (mode === "ranked" ? ["temperature", "denominator"] : []),
  warmup: 0.2,
  inputs: inputsOf,
  state: stateOf,
  metrics: {
    demotedShare: "share of the own views that are demoted; in keep and soft those that would be",
    auroc: "running mean of the share of negatives that are less similar than an own view",
    dPrime: "mean cosine of own views less that of negatives, in their pooled deviation",
    keptPercentile: "mean share of negatives that are less similar than a view that was kept",
    spreadRank:
      "effective rank of the embeddings: 1 over the running mean of the squared cosine of negatives",
    breaker: "1 while demotion rests because that rank fell or kept crops overlap more, else 0",
    keptOverlap:
      "mean overlap of the crops of kept views with the anchor's, where `overlap` is set",
    demotedOverlap: "the same of demoted views; 0 where there is none",
  },
  apply(scene, pairs, options) {
    const reading = readViews(scene, pairs, options);
    const { present, percentiles, thresholds, references } = reading;
    const history = followViews(scene.state, reading);
    const overlaps = options.overlap === null ? undefined : cropOverlaps(scene); // [N, W]
    const { may, rests, next } = watchStep(scene, history, overlaps, options);
    const own = references.ref.greaterEqual(constantLike(present, enough(options))); // [N, 1]
    const below = np.where(own, thresholds.ref, history.threshold); // [N, 1]
    const limit = overlaps ? apartLimit(overlaps, below, options.overlap!) : below;
    const [n, w] = present.shape;
    const ramp = scene.inputs.ramp.ref.astype(present.dtype); // []
    const quota = quotaOf(ramp, options.budget, n * w); // []
    const chosen = chosenViews(scene, reading, { limit, quota }, options); // [N, W]
    const demoted = chosen.mul(may.ref); // [N, W]
    const soft = np.where(may.greater(0), softWeights(reading, options), 1); // [N, W]
    const kept = present.ref.mul(np.subtract(1, demoted.ref)); // [N, W]
    const total = (x: np.Array) => np.maximum(x.sum(), 1); // []
    const crops =
      overlaps && followOverlaps(scene.state.crowding, overlaps, { present, demoted }, rests.ref);
    return {
      terms: viewTerms(
        scene.ownViews,
        refPairs(pairs),
        { demoted: demoted.ref, weights: soft },
        options,
      ),
      state: { ...history.next, ...next, ...crops?.next },
      metrics: {
        demotedShare: demoted.sum().div(total(present.ref)),
        auroc: history.auroc,
        dPrime: viewSeparation(reading),
        keptPercentile: percentiles.ref.mul(kept.ref).sum().div(total(kept)),
        spreadRank: history.spreadRank,
        breaker: rests,
        ...crops?.metrics,
      },
    };
  },
});
