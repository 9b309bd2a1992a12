import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { decayOf, decayOptions, defineOptimiser } from "./optimiser.ts";

/**
 * g' = g + λ·p; r = trust · ‖p‖ / ‖g'‖; v ← m·v + r·g'; p ← p − η·v
 *
 * Biases and normalisation take no part in the adaptation (r = 1); r = 1 too where a norm is 0.
 */
export const lars = defineOptimiser({
  name: "lars",
  summary: "Momentum with a learning rate adapted to each layer; for large batches.",
  source: "You et al. 2017, arXiv:1708.03888, algorithm 1",
  options: z.strictObject({
    momentum: z.number().min(0).lt(1).default(0.9).describe("share of the last step that is kept"),
    trust: z
      .number()
      .min(1e-12)
      .max(1e4)
      .default(0.001)
      .describe("size of a step as a share of the layer's norm, per unit of learning rate"),
    ...decayOptions,
  }),
  slots: () => ["momentum"],
  step({ parameter, gradient, slots, learningRate, spec }, options) {
    const decay = decayOf(spec, options);
    const slope = decay === 0 ? gradient : gradient.add(parameter.ref.mul(decay));
    const scaled = spec.decay
      ? slope.ref.mul(trustRatio(parameter.ref, slope, options.trust))
      : slope;
    const velocity = slots.momentum.mul(options.momentum).add(scaled);
    return {
      parameter: parameter.sub(velocity.ref.mul(learningRate)),
      slots: { momentum: velocity },
    };
  },
});

function trustRatio(parameter: np.Array, slope: np.Array, trust: number): np.Array {
  const weightNorm = np.sqrt(np.square(parameter).sum()); // []
  const slopeNorm = np.sqrt(np.square(slope).sum()); // []
  const usable = weightNorm.ref.mul(slopeNorm.ref).greater(0); // []
  const divisor = np.where(usable.ref, slopeNorm, 1); // []
  return np.where(usable, weightNorm.mul(trust).div(divisor), 1); // []
}
