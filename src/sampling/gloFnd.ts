import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { full, zeros } from "../core/arrays.ts";
import { constantLike } from "../core/constantLike.ts";
import { rowQuantile } from "../core/rowQuantile.ts";
import { sumAt } from "../core/sumAt.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { actionOption, cancel, massOf } from "./cancel.ts";
import { defineSampler } from "./sampler.ts";

const GloFndOptions = z.strictObject({
  alpha: z
    .number()
    .positive()
    .max(1)
    .default(0.01)
    .describe("share of all images that are taken for false negatives of an image"),
  rate: z.number().min(0).max(2).default(0.05).describe("step of a threshold each time it is seen"),
  beta1: z.number().min(0).lt(1).default(0.9).describe("memory of the mean of its slopes"),
  beta2: z.number().min(0).lt(1).default(0.98).describe("memory of the mean of their squares"),
  start: z
    .enum(["quantile", "one"])
    .default("quantile")
    .describe(
      "a threshold's first value: the quantile of the first batch, or 1, above all cosines",
    ),
  massPreserving: z
    .boolean()
    .default(true)
    .describe("scales the remaining negatives to the sum of weights before"),
  action: actionOption("eliminate"),
});
type GloFndOptions = z.output<typeof GloFndOptions>;

/** What is known of the images of a batch, each [B]. */
type Learned = { threshold: np.Array; mean: np.Array; variance: np.Array; updates: np.Array };

const names = ["threshold", "mean", "variance", "updates"] as const;

/** Guards the division of a step, as released. */
const EPSILON = 1e-8;

/** Numbers of images [B] for every anchor, view by view: [N, 1]. Consumes. */
const ofAnchors = (each: np.Array, views: number): np.Array => {
  const [b] = each.shape;
  return np.broadcastTo(each.reshape([1, b]), [views, b]).reshape([views * b, 1]);
};

/** 1 where a negative is above its anchor's threshold: similarity, present [N, M] and threshold [B] to [N, M]. */
const above = (similarity: np.Array, present: np.Array, threshold: np.Array): np.Array => {
  const bar = ofAnchors(threshold, similarity.shape[0] / threshold.shape[0]); // [N, 1]
  return similarity.greater(bar).astype(present.dtype).mul(present); // [N, M]
};

/** One step of the thresholds of a batch. Lent: `similarity` and `present` [N, M]; consumes `before`. */
function learned(
  similarity: np.Array,
  present: np.Array,
  before: Learned,
  { alpha, rate, beta1, beta2 }: GloFndOptions,
): Learned {
  const [b] = before.threshold.shape;
  const views = similarity.shape[0] / b;
  const ofImages = (each: np.Array) => each.reshape([views, b]); // [A, B]
  const constant = (value: number) => constantLike(similarity, value); // []
  const count = ofImages(present.ref.sum(-1)).sum(0); // [B]
  const some = count.ref.greater(0); // [B]
  const quantile = ofImages(rowQuantile(similarity.ref, present.ref, 1 - alpha)).mean(0); // [B]
  const isFirst = before.updates.ref.equal(0); // [B]
  const hits = ofImages(above(similarity.ref, present.ref, before.threshold.ref).sum(-1)).sum(0); // [B]
  const slope = constant(alpha).sub(hits.div(np.maximum(count, 1))); // [B]
  const mean = before.mean.ref.mul(constant(beta1)).add(slope.ref.mul(constant(1 - beta1))); // [B]
  const square = np.square(slope).mul(constant(1 - beta2)); // [B]
  const variance = before.variance.ref.mul(constant(beta2)).add(square); // [B]
  const times = np.maximum(before.updates.ref, 1); // [B]
  const corrected = (x: np.Array, beta: number) =>
    beta === 0 ? x.ref : x.ref.div(np.subtract(1, np.exp(times.ref.mul(constant(Math.log(beta)))))); // [B]
  const down = np.sqrt(corrected(variance, beta2)).add(constant(EPSILON)); // [B]
  const step = corrected(mean, beta1).div(down).mul(constant(rate)); // [B]
  const moved = np.maximum(np.minimum(before.threshold.ref.sub(step), 1), -1); // [B]
  const seen = (next: np.Array, old: np.Array) => np.where(some.ref, next, old); // [B]
  const later = (next: np.Array, first: np.Array) => np.where(isFirst.ref, first, next); // [B]
  return {
    threshold: seen(later(moved, quantile), before.threshold),
    mean: seen(later(mean, before.mean.ref), before.mean),
    variance: seen(later(variance, before.variance.ref), before.variance),
    updates: seen(before.updates.ref.add(1), before.updates),
  };
}

/** State [D] with the rows `ids` [B] moved from `before` to `after`. Consumes all but `ids`. */
function stored(state: ArrayRecord, ids: np.Array, before: Learned, after: Learned): ArrayRecord {
  return Object.fromEntries(
    names.map((name) => {
      const change = after[name].sub(before[name]).astype(state[name].dtype); // [B]
      return [name, state[name].ref.add(sumAt(state[name], ids.ref, change))]; // [D]
    }),
  );
}

/**
 * A threshold λᵢ for every image of the whole set, learned on the way, above which a candidate is a false negative:
 * the minimum of
 *
 *     α·λᵢ + meanⱼ max(sᵢⱼ − λᵢ, 0)
 *
 * is the (1 − α)-quantile of the image's cosines to all images. Each time the image is in a batch its λ takes
 * one step against the slope α − (share of its negatives above λ), so that a batch needs no quantile of its own and what
 * it finds is global. Thresholds learn from the first step of the run and are used after the warm-up.
 *
 * - Steps are those of the released program, Adam's with β₁ 0.9, β₂ 0.98 and a rate of 0.05, clipped to [−1, 1]; its
 *   correction for the start counts epochs from the first of the run, here the steps of the image itself.
 *   Whether the paper's text has plain or adaptive steps could not be checked.
 * - λ starts at the quantile of the first batch, or at 1; the released program knows both.
 * - The weights that remain are scaled to their sum before, as released: fewer negatives leave the denominator as it is.
 * - With several anchor views their shares are averaged. Candidates of a queue count as those of a batch.
 *   Candidates are views, not images.
 *
 * State, all [D] over the images of the set and all in the checkpoint: threshold, mean and variance of slopes, updates.
 */
export const gloFnd = defineSampler({
  name: "gloFnd",
  summary: "Drops negatives above a threshold that is learned for every image.",
  source: "Balmaseda et al. 2025, arXiv:2502.20612 (GloFND), steps as released",
  options: GloFndOptions,
  detects: true,
  findsPositives: true,
  reasons: { dropped: "above-threshold", promoted: "above-threshold", weighted: "rescaled" },
  warmup: 0.1,
  state: ({ start }, { datasetSize }) => ({
    threshold: full([datasetSize], 1),
    mean: zeros([datasetSize]),
    variance: zeros([datasetSize]),
    updates: full([datasetSize], start === "one" ? 1 : 0),
  }),
  metrics: {
    thresholdMean: "mean cosine that a candidate must exceed to be a false negative",
    selectedShare: "share of the negatives that exceed it, also during the warm-up",
  },
  apply({ similarity, support, anchors, state }, { positive, negative }, options) {
    const { dtype } = similarity;
    const ids = anchors.ids.ref.slice([0, support.shape[1]]); // [B]
    const present = negative.ref.greater(0).astype(dtype); // [N, M]
    const known = () =>
      Object.fromEntries(
        names.map((name) => [name, state[name].ref.slice(ids.ref).astype(dtype)]),
      ) as Learned; // each [B]
    const after = learned(similarity, present, known(), options);
    const picked = above(similarity.ref, present.ref, after.threshold.ref); // [N, M]
    const metrics = {
      thresholdMean: after.threshold.ref.mean(),
      selectedShare: picked.ref.sum().div(np.maximum(present.sum(), 1)),
    };
    const next = stored(state, ids, known(), after);
    const before = negative.ref; // [N, M]
    const pairs = cancel({ positive, negative }, picked, options.action);
    const kept = options.massPreserving ? massOf(pairs.negative, before) : pairs.negative; // [N, M]
    return { terms: [{ pairs: { ...pairs, negative: kept } }], state: next, metrics };
  },
});
