import { lax } from "@jax-js/jax";
import { z } from "zod";

import { samplers } from "../../sampling/index.ts";
import { defineAdapter, temperature } from "../adapter.ts";
import { differentiated } from "../machine.ts";
import { sceneFor, termsLoss } from "../scene.ts";
import { pairsOf, stackedSimilarity, twoViewPairs, TwoViews, viewVariables } from "./twoViews.ts";

const numbers = z.array(z.number());

/** The sampler `gloFnd` on two views of all images, and `infoNce` over what it leaves. */
export const gloFnd = defineAdapter({
  params: z.object({ temperature, options: z.record(z.string(), z.unknown()) }),
  inputs: TwoViews.extend({
    threshold: numbers,
    mean: numbers,
    variance: numbers,
    updates: numbers,
  }),
  run({ temperature: t, options }, { view1, view2, ...state }, machine) {
    const n = view1.length;
    const ids = view1.map((_, image) => image);
    const constants = {
      ...twoViewPairs(n, machine),
      ids: machine.integers([...ids, ...ids]), // [2n]
      ...Object.fromEntries(
        Object.entries(state).map(([name, values]) => [name, machine.reals(values, name)]),
      ),
    };
    const variables = viewVariables({ view1, view2 }, machine);
    return differentiated(machine, variables, constants, (raw, given) => {
      const similarity = stackedSimilarity(raw); // [2n, 2n]
      const marks = { ids: given.ids, groups: given.ids.ref, labels: given.ids.ref };
      const seen = lax.stopGradient(similarity.ref).reshape([2, n, 2 * n]);
      const scene = sceneFor(similarity, {
        anchors: marks,
        candidates: marks,
        support: seen,
        pool: 2 * n - 2,
        state: Object.fromEntries(Object.keys(state).map((name) => [name, given[name]])),
      });
      const sampled = samplers.gloFnd.apply(scene, pairsOf(given), { ...options, warmup: 0 });
      const { positive, negative } = sampled.terms[0].pairs; // [2n, 2n]
      const made = { positive: positive.ref, negative: negative.ref };
      const perAnchor = termsLoss(similarity, sampled.terms, { temperature: t }); // [2n]
      return { perAnchor, ...made, threshold: sampled.state!.threshold };
    });
  },
});
