import { z } from "zod";

import { refPairs } from "../../core/pairs.ts";
import { samplers } from "../../sampling/index.ts";
import { defineAdapter, integerRows, temperature } from "../adapter.ts";
import { differentiated } from "../machine.ts";
import { sceneFor, termsLoss } from "../scene.ts";
import { membersOf } from "./members.ts";
import {
  queryVariables,
  queueConstants,
  QueueInputs,
  queueSimilarity,
  unitQueue,
} from "./queue.ts";
import { pairsOf } from "./twoViews.ts";

const share = z.number().min(0).max(1);

/** Places in a ring of `size` members as the uniform numbers that pick them. */
const uniformFor = (draws: number[][], size: number): number[][] =>
  draws.map((places) => places.map((place) => (place + 0.5) / size));

/** The sampler `ring` over a queue, and `infoNce` over what it leaves. */
export const ring = defineAdapter({
  params: z.object({
    temperature,
    outer: share,
    inner: share,
    dynamicInner: z.boolean(),
    draws: integerRows.nullable(),
    neighbourViews: z.enum(["none", "logSumExp", "mean"]),
  }),
  inputs: QueueInputs,
  async run({ temperature: t, draws, neighbourViews, ...cuts }, inputs, machine) {
    const pool = inputs.queue.length;
    const outer = Math.trunc(cuts.outer * pool);
    const size = outer - Math.trunc(cuts.inner * (cuts.dynamicInner ? outer : pool));
    const constants = {
      ...queueConstants(inputs, machine),
      ...(draws === null ? {} : { draws: machine.reals(uniformFor(draws, size), "draws") }),
    };
    const variables = queryVariables(inputs, machine);
    const positives = neighbourViews === "logSumExp" ? "inside" : "outside";
    const outputs = await differentiated(machine, variables, constants, (raw, given) => {
      const unit = unitQueue(raw, given);
      const similarity = queueSimilarity(unit.query, unit.key, unit.queue); // [n, 1 + K]
      const pairs = pairsOf(given);
      const options = { ...cuts, anneal: 0, warmup: 0 };
      const whole = samplers.ring.apply(sceneFor(similarity, { pool }), refPairs(pairs), options);
      const chosen = samplers.ring.apply(
        sceneFor(similarity, { pool, inputs: draws === null ? {} : { draws: given.draws } }),
        pairs,
        { ...options, draws: draws?.[0].length ?? null, neighbourViews },
      );
      return {
        perAnchor: termsLoss(similarity, chosen.terms, { temperature: t, positives }),
        cosine: similarity.ref.slice([], [1]), // [n, K]
        kept: whole.terms[0].pairs.negative.slice([], [1]), // [n, K]
      };
    });
    return { ...outputs, members: membersOf(outputs.kept, outputs.cosine) };
  },
});
