import { z } from "zod";

import { decayOf, decayOptions, defineOptimiser } from "./optimiser.ts";

/** v ← m·v + (g + λ·p); p ← p − η·v, or p − η·(g + λ·p + m·v) with Nesterov's look-ahead. */
export const sgd = defineOptimiser({
  name: "sgd",
  summary: "Gradient descent with momentum.",
  source: "Sutskever et al. 2013, with the learning rate outside the momentum as in PyTorch",
  options: z.strictObject({
    momentum: z.number().min(0).lt(1).default(0.9).describe("share of the last step that is kept"),
    nesterov: z.boolean().default(false).describe("look ahead along the momentum"),
    ...decayOptions,
  }),
  slots: ({ momentum }) => (momentum === 0 ? [] : ["momentum"]),
  step({ parameter, gradient, slots, learningRate, spec }, options) {
    const { momentum, nesterov } = options;
    const decay = decayOf(spec, options);
    const slope = decay === 0 ? gradient : gradient.add(parameter.ref.mul(decay));
    if (momentum === 0) return { parameter: parameter.sub(slope.mul(learningRate)), slots: {} };
    const velocity = slots.momentum.mul(momentum).add(nesterov ? slope.ref : slope);
    const direction = nesterov ? slope.add(velocity.ref.mul(momentum)) : velocity.ref;
    return {
      parameter: parameter.sub(direction.mul(learningRate)),
      slots: { momentum: velocity },
    };
  },
});
