import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { l2Normalize } from "../../core/numerics.ts";
import { infoNce } from "../../losses/index.ts";
import { nearestAnchors } from "../../frameworks/index.ts";
import { defineAdapter, rows, temperature } from "../adapter.ts";
import { differentiated } from "../machine.ts";
import { matrixOf } from "../nested.ts";

/** The nearest row of a queue stands for each projection and picks the prediction of the other view. */
export const nnclr = defineAdapter({
  params: z.object({ temperature, symmetric: z.boolean() }),
  inputs: z.object({
    projection1: rows,
    projection2: rows,
    prediction1: rows,
    prediction2: rows,
    queue: rows,
  }),
  run({ temperature: t, symmetric }, inputs, machine) {
    const n = inputs.projection1.length;
    const array = (name: keyof typeof inputs) => machine.reals(inputs[name], name);
    const variables = {
      prediction2: array("prediction2"),
      ...(symmetric ? { prediction1: array("prediction1") } : {}),
    };
    const count = symmetric ? 2 * n : n;
    const constants = {
      projection1: array("projection1"),
      projection2: array("projection2"),
      queue: array("queue"),
      positive: machine.reals(matrixOf(count, n, (i, j) => i % n === j)),
      negative: machine.reals(matrixOf(count, n, (i, j) => i % n !== j)),
    };
    return differentiated(machine, variables, constants, (raw, given) => {
      const queue = l2Normalize(given.queue); // [K, D]
      const direction = (projection: np.Array, prediction: np.Array) => {
        const similarity = np.matmul(l2Normalize(projection), queue.ref.transpose()); // [n, K]
        const { nearest, rows: anchors } = nearestAnchors(similarity, queue.ref); // [n], [n, D]
        return { nearest, scores: np.matmul(anchors, l2Normalize(prediction).transpose()) }; // [n, n]
      };
      const pairs = { positive: given.positive, negative: given.negative };
      const there = direction(given.projection1, raw.prediction2);
      if (!symmetric) {
        return {
          perAnchor: infoNce(there.scores, pairs, { temperature: t }),
          nearest1: there.nearest,
        };
      }
      const back = direction(given.projection2, raw.prediction1);
      const scores = np.concatenate([there.scores, back.scores], 0); // [2n, n]
      return {
        perAnchor: infoNce(scores, pairs, { temperature: t }),
        nearest1: there.nearest,
        nearest2: back.nearest,
      };
    });
  },
});
