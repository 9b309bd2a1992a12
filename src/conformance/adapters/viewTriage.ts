import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { HostRecord } from "../../core/arrays.ts";
import { l2Normalize } from "../../core/numerics.ts";
import { refPairs } from "../../core/pairs.ts";
import { randomStream } from "../../core/random.ts";
import { type ArrayRecord, refArrays } from "../../core/trees.ts";
import { ownViewValues, readViews, samplers } from "../../sampling/index.ts";
import { defineAdapter, temperature, views } from "../adapter.ts";
import { differentiated, type Machine } from "../machine.ts";
import { matrixOf } from "../nested.ts";
import { sceneFor, termsLoss } from "../scene.ts";
import { pairsOf } from "./twoViews.ts";

const { sortViews } = samplers;

const share = z.number().min(0).max(1);
const count = z.int().min(0);
const Params = z.object({
  temperature,
  mode: z.enum(["keep", "drop", "soft", "ranked", "negative"]),
  quantile: share,
  maxDemoted: count,
  minKeep: count,
  budget: share,
  alpha: share,
  rankTemperature: temperature,
  softCentre: share,
  softTemperature: temperature,
  allPositivesInDenominator: z.boolean(),
});
type Params = z.output<typeof Params>;

/** Options of the sampler: everything at once, and nothing left to chance. */
function optionsOf(params: Params) {
  const { mode, quantile, maxDemoted, minKeep, budget, alpha, rankTemperature } = params;
  const { softCentre, softTemperature } = params;
  return {
    mode,
    quantile,
    maxDemoted,
    minKeep,
    budget,
    alpha,
    rankTemperature,
    softCentre,
    softTemperature,
    aurocGate: 0,
    minNegatives: 0,
    unbounded: true,
    choose: "lowest" as const,
    support: null,
    explore: 0,
    ramp: 0,
    warmup: 0,
    overlap: null,
    rankFall: 1,
  };
}

/** References of B images against V views of all of them, view-major: pairs and own views [B, V·B]. */
function gridOf([V, B]: [number, number], machine: Machine): HostRecord {
  const mask = (entry: (i: number, j: number) => boolean) =>
    machine.reals(matrixOf(B, V * B, entry));
  const own = Array.from({ length: V - 1 }, (_, v) => [
    `own.${v}`,
    mask((i, j) => j === (v + 1) * B + i),
  ]);
  return {
    positive: mask((i, j) => j >= B && j % B === i),
    negative: mask((i, j) => j % B !== i),
    ...(Object.fromEntries(own) as HostRecord),
  };
}

/** Cosine of the first view of every image to all views: raw [V, B, D] to [B, V·B]. Consumes. */
function referenceCosine(raw: np.Array): np.Array {
  const [V, B, D] = raw.shape;
  const unit = l2Normalize(raw.reshape([V * B, D])); // [V·B, D]
  return np.matmul(unit.ref.slice([0, B]), unit.transpose());
}

/** Arrays of a record whose names start with a word and a dot, under the rest of their names. */
const under = (word: string, record: ArrayRecord): ArrayRecord =>
  Object.fromEntries(
    Object.entries(record).flatMap(([name, array]) =>
      name.startsWith(`${word}.`) ? [[name.slice(word.length + 1), array]] : [],
    ),
  );

/** The sampler `sortViews` on the views of a batch, and `infoNce` over its terms. */
export const viewTriage = defineAdapter({
  params: Params,
  inputs: z.object({ views, rankingViews: views.optional() }),
  run(params, { views: given, rankingViews }, machine) {
    const [V, B] = [given.length, given[0].length];
    const options = optionsOf(params);
    const sizes = { anchors: B, candidates: V * B, images: B, datasetSize: B, width: 4 };
    const step = { progress: 0.5, stream: randomStream(0, "viewTriage") };
    const named = (word: string, record: HostRecord): HostRecord =>
      Object.fromEntries(Object.entries(record).map(([name, array]) => [`${word}.${name}`, array]));
    const constants = {
      ...gridOf([V, B], machine),
      ...named("input", sortViews.inputs!(options, sizes).make(step)),
      ...named("state", sortViews.state!(options, sizes)),
      ...(rankingViews ? { ranking: machine.reals(rankingViews, "rankingViews") } : {}),
    };
    const variables = { views: machine.reals(given, "views") };
    return differentiated(machine, variables, constants, (raw, fixed) => {
      const similarity = referenceCosine(raw.views); // [B, V·B]
      const ranking = fixed.ranking === undefined ? similarity : referenceCosine(fixed.ranking);
      const scene = sceneFor(similarity, {
        ranking: lax.stopGradient(ranking.ref), // [B, V·B]
        ownViews: Object.values(under("own", fixed)),
        inputs: under("input", fixed),
        state: under("state", fixed),
      });
      const pairs = pairsOf(fixed);
      const termsIn = (mode: Params["mode"]) =>
        sortViews.apply({ ...scene, state: refArrays(scene.state) }, refPairs(pairs), {
          ...options,
          mode,
        }).terms;
      /** Weights of the own views, [B, V − 1], in a mode whose only term weighs them. */
      const ownWeights = (mode: Params["mode"]) => {
        const [{ pairs: made }] = termsIn(mode);
        return ownViewValues(scene.ownViews, made.positive); // [B, V − 1]
      };
      const { scores, percentiles, thresholds } = readViews(scene, pairs, options);
      const terms = termsIn(params.mode);
      const denominator = params.allPositivesInDenominator ? ("all" as const) : ("own" as const);
      const perAnchor = termsLoss(similarity, terms, {
        temperature: params.temperature,
        denominator,
      });
      return {
        perAnchor,
        scores,
        percentiles,
        thresholds: thresholds.reshape([B]),
        demoted: np.subtract(1, ownWeights("drop")), // [B, V − 1]
        ...(params.mode === "soft" ? { weights: ownWeights("soft") } : {}),
      };
    });
  },
});
