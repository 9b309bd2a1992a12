import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { constantLike } from "../core/constantLike.ts";
import type { Pairs } from "../core/pairs.ts";
import { actionOption, cancel, massOf, ratio } from "./cancel.ts";
import { sameMark } from "./sameMark.ts";
import { defineSampler, type Scene } from "./sampler.ts";
import { fieldInputs, uniformField } from "./uniformField.ts";

type Quality = { precision: number; recall: number };

const isExact = ({ precision, recall }: Quality) => precision === 1 && recall === 1;

/**
 * What an oracle of that quality picks among negatives, [N, M]: same-label ones with probability `recall`, others of
 * known label with the probability q at which T·recall / (T·recall + F·q) is `precision`, for T same-label
 * and F other negatives of the anchor. Lent: the scene and `negative`.
 */
function noisy(scene: Scene, same: np.Array, negative: np.Array, { precision, recall }: Quality) {
  const { dtype } = negative;
  const count = (mask: np.Array) => mask.sum(-1, { keepdims: true }); // [N, 1]
  const known = (marks: np.Array) => marks.ref.greaterEqual(0).astype(dtype); // [N] or [M]
  const { anchors, candidates, inputs } = scene;
  const bothKnown = known(anchors.labels)
    .reshape([-1, 1])
    .mul(known(candidates.labels).reshape([1, -1])); // [N, M]
  const present = negative.ref.greater(0).astype(dtype); // [N, M]
  const right = same.mul(present.ref); // [N, M]
  const wrong = bothKnown.mul(present).sub(right.ref); // [N, M]
  const wanted = count(right.ref).mul(constantLike(same, (recall * (1 - precision)) / precision)); // [N, 1]
  const chance = ratio(wanted, count(wrong.ref)); // [N, 1]
  const draw = uniformField(inputs, negative); // [N, M]
  const hit = draw.ref.less(recall).astype(dtype).mul(right); // [N, M]
  return hit.add(draw.less(chance).astype(dtype).mul(wrong)); // [N, M]
}

/**
 * True negatives only: what a perfect detector of false negatives would do, as the ceiling of all that detect
 * them without labels. Images of unknown label (−1) are left alone.
 *
 * Fewer negatives also mean a smaller denominator. `massPreserving` scales the remaining weights by
 * N_before / N_after, which leaves that aside; report both. With `precision` and `recall` below 1 it becomes a
 * noisy oracle that errs at random: the curve of accuracy over the quality of detection. Both hold for the mean of
 * many draws; a precision so low that there are not enough wrong candidates picks them all.
 */
export const oracle = defineSampler({
  name: "oracle",
  summary: "Drops negatives with the anchor's label: the ceiling of false-negative detection.",
  source: "the oracle of Huynh et al. 2022, arXiv:2011.11765; mass: arXiv:2502.20612 (2025)",
  options: z.strictObject({
    action: actionOption("eliminate"),
    massPreserving: z
      .boolean()
      .default(false)
      .describe("scales the remaining negatives to the sum of weights before"),
    precision: z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe("share of what it picks that has the anchor's label"),
    recall: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe("share of the negatives with the anchor's label that it picks"),
  }),
  detects: true,
  findsPositives: true,
  reasons: { dropped: "same-label", promoted: "same-label", weighted: "rescaled" },
  needs: ["labels"],
  inputs: (options, sizes) =>
    isExact(options) ? { spec: {}, make: () => ({}) } : fieldInputs(sizes),
  apply(scene, pairs, { action, massPreserving, ...quality }): Pairs {
    const before = pairs.negative;
    const same = sameMark(scene.anchors.labels, scene.candidates.labels, before); // [N, M]
    const picked = isExact(quality) ? same : noisy(scene, same, before, quality); // [N, M]
    const { positive, negative } = cancel({ ...pairs, negative: before.ref }, picked, action);
    return { positive, negative: massPreserving ? massOf(negative, before) : negative };
  },
});
