import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { Epsilon } from "../core/ranges.ts";
import { decayOf, decayOptions, defineOptimiser } from "./optimiser.ts";

/**
 * a ← β₁a + (1 − β₁)g; b ← β₂b + (1 − β₂)g²; p ← (1 − η·λ)·p − η · (a / (1 − β₁ᵗ)) / (√(b / (1 − β₂ᵗ)) + ε)
 */
export const adamw = defineOptimiser({
  name: "adamw",
  summary: "Adam with weight decay apart from the gradient.",
  source:
    "Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2, with λ scaled by η as in PyTorch",
  options: z.strictObject({
    beta1: z.number().min(0).lt(1).default(0.9).describe("decay of the mean gradient"),
    beta2: z.number().min(0).lt(1).default(0.999).describe("decay of the mean squared gradient"),
    epsilon: Epsilon.default(1e-8).describe("added to the root in the divisor"),
    ...decayOptions,
  }),
  slots: () => ["first", "second"],
  counts: true,
  step({ parameter, gradient, slots, learningRate, spec, count }, options) {
    const { beta1, beta2, epsilon } = options;
    const t = count!;
    const correct1 = np.subtract(1, np.exp(t.ref.mul(Math.log(Math.max(beta1, 1e-30))))); // 1 − β₁ᵗ
    const correct2 = np.subtract(1, np.exp(t.mul(Math.log(Math.max(beta2, 1e-30))))); // 1 − β₂ᵗ
    const first = slots.first.mul(beta1).add(gradient.ref.mul(1 - beta1));
    const second = slots.second.mul(beta2).add(np.square(gradient).mul(1 - beta2));
    const root = np.sqrt(second.ref.mul(np.reciprocal(correct2))).add(epsilon);
    const direction = first.ref.mul(np.reciprocal(correct1)).div(root);
    const decay = decayOf(spec, options);
    const kept =
      decay === 0 ? parameter : parameter.mul(np.subtract(1, learningRate.ref.mul(decay)));
    return { parameter: kept.sub(direction.mul(learningRate)), slots: { first, second } };
  },
});
