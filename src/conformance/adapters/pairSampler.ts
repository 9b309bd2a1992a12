import { z } from "zod";

import { type Sampler, samplers } from "../../sampling/index.ts";
import { type Adapter, defineAdapter, integers, temperature, views } from "../adapter.ts";
import { differentiated } from "../machine.ts";
import { sceneFor, termsLoss } from "../scene.ts";
import { pairsOf, stackedSimilarity, twoViewPairs, TwoViews, viewVariables } from "./twoViews.ts";

const Inputs = TwoViews.extend({
  /** One an image; −1 is unknown. */
  labels: integers.optional(),
  groups: integers.optional(),
  /** What the uniform numbers of a step are made of: [2][n][4] whole numbers and [4][2][n]. */
  multiples: views.optional(),
  waves: views.optional(),
});

/** A sampler on the pairs of two views of a batch, and `infoNce` over what it makes of them. */
const pairSampler = (sampler: Sampler): Adapter =>
  defineAdapter({
    params: z.object({ temperature, options: z.record(z.string(), z.unknown()) }),
    inputs: Inputs,
    run({ temperature: t, options }, inputs, machine) {
      const n = inputs.view1.length;
      const ofImages = (marks: number[]) => machine.integers([...marks, ...marks]); // [2n]
      const unknown = Array<number>(n).fill(-1);
      const draws = inputs.multiples !== undefined && inputs.waves !== undefined;
      const constants = {
        ...twoViewPairs(n, machine),
        ids: ofImages(unknown.map((_, image) => image)),
        labels: ofImages(inputs.labels ?? unknown),
        groups: ofImages(inputs.groups ?? unknown),
        ...(draws ? { multiples: machine.reals(inputs.multiples!.flat()) } : {}),
        ...(draws ? { waves: machine.reals(inputs.waves!.map((wave) => wave.flat())) } : {}),
      };
      return differentiated(machine, viewVariables(inputs, machine), constants, (raw, given) => {
        const similarity = stackedSimilarity(raw); // [2n, 2n]
        const { ids, groups, labels, multiples, waves } = given;
        const marks = { ids, groups, labels };
        const scene = sceneFor(similarity, {
          anchors: marks,
          candidates: marks,
          pool: 2 * n - 2,
          inputs: draws ? { multiples, waves } : {},
        });
        const { terms } = sampler.apply(scene, pairsOf(given), { ...options, warmup: 0 });
        const { positive, negative } = terms[0].pairs; // [2n, 2n]
        const made = { positive: positive.ref, negative: negative.ref };
        return { perAnchor: termsLoss(similarity, terms, { temperature: t }), ...made };
      });
    },
  });

const { groupPositives, groups, hardest, labels, nearest, oracle, random } = samplers;

/** Samplers that are a rule of a line. */
export const pairSamplers: Readonly<Record<string, Adapter>> = Object.fromEntries(
  [groupPositives, groups, hardest, labels, nearest, oracle, random].map((sampler) => [
    sampler.name,
    pairSampler(sampler),
  ]),
);
