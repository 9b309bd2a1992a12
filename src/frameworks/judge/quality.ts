import { lax, numpy as np } from "@jax-js/jax";

import { LOWEST } from "../../core/numerics.ts";
import type { Marks, Pairs } from "../../core/pairs.ts";
import type { ArrayRecord } from "../../core/trees.ts";
import type { Detection } from "../pairs/chain.ts";

/** Anchors of a step that sampling is measured on at most: a few tell as much as all, and cost nothing. */
const MEASURED = 64;

const SUM = "sum.";

/** 1 where both marks are known and equal (`same`), and where both are known: each [n, M]. */
function labelled(anchors: np.Array, candidates: np.Array, dtype: np.Array["dtype"]) {
  const column = anchors.reshape([-1, 1]); // [n, 1]
  const row = candidates.reshape([1, -1]); // [1, M]
  const flag = (condition: np.Array) => condition.astype(dtype);
  const known = flag(column.ref.greaterEqual(0)).mul(flag(row.ref.greaterEqual(0))); // [n, M]
  const same = flag(column.equal(row)).mul(known.ref); // [n, M]
  return { known, same };
}

/** The first rows of a matrix, as constants: [N, M] to [n, M]. Consumes. */
const measuredRows = (x: np.Array): np.Array =>
  lax.stopGradient(x.slice([0, Math.min(MEASURED, x.shape[0])]));

/**
 * How many negatives carry the loss, and how similar they are, by their share of the force on the anchor: the
 * softmax of [N, M] cosines at a temperature, under weights [N, M]. Of the first anchors; 0 for those without negatives, as
 * before a queue has keys. Consumes both.
 */
export function hardnessOf(cosine: np.Array, weights: np.Array, temperature: number): ArrayRecord {
  const [similarity, negative] = [measuredRows(cosine), measuredRows(weights)];
  const present = negative.ref.greater(0); // [n, M]
  const logit = np.where(present, similarity.ref.mul(1 / temperature), LOWEST); // [n, M]
  const highest = logit.ref.max(-1, { keepdims: true }); // [n, 1]
  const weight = np.exp(logit.sub(highest)).mul(negative); // [n, M]
  const total = np.maximum(weight.ref.sum(-1, { keepdims: true }), 1e-12); // [n, 1]
  const share = weight.div(total); // [n, M]
  const squares = np.square(share.ref).sum(-1); // [n], 0 without negatives
  const some = squares.ref.greater(0); // [n]
  const inverse = np.reciprocal(np.where(some.ref, squares, 1)); // [n]
  return {
    effectiveNegatives: np.where(some, inverse, 0).mean(), // candidates
    hardness: share.mul(similarity).sum(-1).mean(), // cosine
  };
}

/**
 * What the samplers did to the pairs `before`, on the first anchors of the step. `after` are the pairs of
 * the first term, `found` [N, M] the positives of all terms together, `detection` what samplers took for false
 * negatives. Sums of pairs, from which `samplingQuality` makes shares outside the program. All lent.
 */
export function samplingSums(
  seen: { anchors: Marks; candidates: Marks },
  before: Pairs,
  after: Pairs & { found: np.Array },
  detection: Detection | undefined,
): ArrayRecord {
  const { dtype, shape } = after.negative;
  const n = Math.min(MEASURED, shape[0]);
  const rows = (x: np.Array) => measuredRows(x.ref); // [n, M]
  const is = rows(after.negative);
  const possible = rows(detection?.before ?? before.negative);
  const left = rows(detection?.after ?? detection?.before ?? before.negative);
  const [wasPositive, isPositive] = [rows(before.positive), rows(after.positive)];
  const labels = labelled(seen.anchors.labels.ref.slice([0, n]), seen.candidates.labels.ref, dtype);
  const flag = (condition: np.Array) => condition.astype(dtype);
  const present = flag(possible.greater(0)); // [n, M]
  const dropped = present.ref.mul(np.subtract(1, flag(left.greater(0)))); // [n, M]
  const attracted = flag(wasPositive.greater(0)); // [n, M]
  const attracts = flag(isPositive.greater(0)); // [n, M]
  const found = flag(rows(after.found).greater(0)); // [n, M], in any term
  const promoted = found.mul(np.subtract(1, attracted.ref)); // [n, M]
  const demoted = attracted.ref.mul(np.subtract(1, attracts)); // [n, M]
  const ids = labelled(seen.anchors.ids.ref.slice([0, n]), seen.candidates.ids.ref, dtype);
  const wrong = ids.known.sub(ids.same); // [n, M], another image than the anchor's
  const sums = (name: string, weight: np.Array): ArrayRecord => ({
    [`${SUM}${name}Known`]: weight.ref.mul(labels.known.ref).sum(),
    [`${SUM}${name}Same`]: weight.mul(labels.same.ref).sum(),
  });
  return {
    ...sums("possible", present),
    ...sums("used", is),
    ...sums("dropped", dropped),
    ...sums("promoted", promoted),
    [`${SUM}positiveWrong`]: attracted.mul(wrong.ref).sum(),
    [`${SUM}demotedAll`]: demoted.ref.sum(),
    [`${SUM}demotedWrong`]: demoted.mul(wrong).sum(),
  };
}

/** What `samplingQuality` adds, with what it means. */
export const qualityMetrics = {
  effectiveNegatives:
    "negatives that carry the loss, 1 / Σ p² of their shares p of the force on an anchor; mixtures included",
  hardness: "mean cosine of the negatives by their shares of the force; mixtures included",
  falseNegativeRate: "share of possible negatives that have the anchor's label: the base rate",
  falseNegatives: "share of the negatives used, by weight, that have the anchor's label",
  detectionPrecision: "share of what was taken for false negatives that has the anchor's label",
  detectionRecall: "share of the negatives with the anchor's label that were taken for false ones",
  detectionLift: "detectionPrecision over falseNegativeRate; 1 is chance",
  positivePurity:
    "share of the positives that samplers found, or of the neighbours of nnclr, that have the anchor's label",
  demotionPrecision: "share of the demoted views that show another image, where that is known",
  demotionRecall: "share of the views that show another image that were demoted",
} as const;

/** How well views of other images among the positives were found; only where some were slipped in. */
function demotions(figures: Record<string, number>): Record<string, number | undefined> {
  const [wrong, all, found] = ["positiveWrong", "demotedAll", "demotedWrong"].map(
    (name) => figures[`${SUM}${name}`] ?? 0,
  );
  if (wrong === 0) return {};
  return {
    demotionPrecision: all > 0 ? found / all : undefined,
    demotionRecall: found / wrong,
  };
}

/** Figures of a step with shares in place of sums; a share of nothing is left out. */
export function samplingQuality(figures: Record<string, number>): Record<string, number> {
  const kept = Object.entries(figures).filter(([name]) => !name.startsWith(SUM));
  const share = (name: string) => {
    const known = figures[`${SUM}${name}Known`] ?? 0;
    return known > 0 ? figures[`${SUM}${name}Same`] / known : undefined;
  };
  const base = share("possible");
  const precision = share("dropped");
  const all = figures[`${SUM}possibleSame`] ?? 0;
  const touched = (figures[`${SUM}droppedKnown`] ?? 0) > 0;
  const shares = {
    falseNegativeRate: base,
    falseNegatives: share("used"),
    detectionPrecision: precision,
    detectionRecall: touched && all > 0 ? figures[`${SUM}droppedSame`] / all : undefined,
    detectionLift: base && precision !== undefined ? precision / base : undefined,
    positivePurity: share("promoted"),
    ...demotions(figures),
  };
  const known = Object.entries(shares).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(kept), ...(Object.fromEntries(known) as Record<string, number>) };
}
