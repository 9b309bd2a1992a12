import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { HostRecord } from "../../core/arrays.ts";
import { refPairs } from "../../core/pairs.ts";
import { infoNce } from "../../losses/index.ts";
import { mixers } from "../../sampling/index.ts";
import { defineAdapter, integerRows, rows, temperature } from "../adapter.ts";
import { differentiated, type Machine } from "../machine.ts";
import {
  queryVariables,
  queueConstants,
  QueueInputs,
  queueSimilarity,
  unitQueue,
} from "./queue.ts";
import { pairsOf } from "./twoViews.ts";

const Params = z.object({
  temperature,
  topN: z.int().min(2),
  interpolated: z.object({ picks: integerRows, alphas: rows }),
  extrapolated: z.object({ picks: integerRows, betas: rows }),
  mixed: z.object({ pairs: z.array(z.array(z.tuple([z.int(), z.int()]))), gammas: rows }),
  noisy: z.object({ picks: integerRows, noise: rows, sigma: z.number() }),
  perturbed: z.object({ picks: integerRows, delta: z.number() }),
  adversarial: z.object({ picks: integerRows, eta: z.number() }),
});
type Params = z.output<typeof Params>;

const widthOf = (matrix: readonly (readonly unknown[])[]): number => matrix.at(0)?.length ?? 0;

/** Places in the list of hardest rows, as the uniform numbers that pick them, and all other draws. */
function drawsOf(params: Params, top: number, machine: Machine): HostRecord {
  const { interpolated, extrapolated, mixed, noisy, perturbed, adversarial } = params;
  const middle = (place: number, count: number) => (place + 0.5) / count;
  const places = (picks: number[][]) => picks.map((row) => row.map((place) => middle(place, top)));
  // the second of a pair is drawn as its distance from the first, 1 … top − 1
  const distance = ([a, b]: [number, number]) => middle(((b - a + top) % top) - 1, top - 1);
  const all = {
    interpolatedPicks: places(interpolated.picks),
    interpolatedShares: interpolated.alphas,
    extrapolatedPicks: places(extrapolated.picks),
    extrapolatedShares: extrapolated.betas,
    first: mixed.pairs.map((row) => row.map(([a]) => middle(a, top))),
    second: mixed.pairs.map((row) => row.map(distance)),
    alphas: mixed.gammas,
    noisyPicks: places(noisy.picks),
    noise: noisy.noise,
    perturbedPicks: places(perturbed.picks),
    adversarialPicks: places(adversarial.picks),
  };
  const some = Object.entries(all).filter(([, matrix]) => widthOf(matrix) > 0);
  return Object.fromEntries(some.map(([name, matrix]) => [name, machine.reals(matrix, name)]));
}

/** The mixer `synco` over a queue, and `infoNce` over real and synthetic rows. */
export const synco = defineAdapter({
  params: Params,
  inputs: QueueInputs,
  run(params, inputs, machine) {
    const options = {
      topN: params.topN,
      topShare: 1,
      interpolated: widthOf(params.interpolated.picks),
      extrapolated: widthOf(params.extrapolated.picks),
      mixed: widthOf(params.mixed.pairs),
      noisy: widthOf(params.noisy.picks),
      perturbed: widthOf(params.perturbed.picks),
      adversarial: widthOf(params.adversarial.picks),
      sigma: params.noisy.sigma,
      delta: params.perturbed.delta,
      eta: params.adversarial.eta,
      warmup: 0,
    };
    const drawn = drawsOf(params, Math.min(params.topN, inputs.queue.length), machine);
    const constants = { ...queueConstants(inputs, machine), ...drawn };
    return differentiated(machine, queryVariables(inputs, machine), constants, (raw, given) => {
      const unit = unitQueue(raw, given);
      const similarity = queueSimilarity(unit.query.ref, unit.key, unit.queue.ref); // [n, 1 + K]
      const pairs = pairsOf(given);
      const scene = {
        anchors: unit.query,
        rows: unit.queue,
        offset: 1,
        similarity,
        active: np.array(1, { dtype: similarity.dtype }),
        inputs: Object.fromEntries(Object.keys(drawn).map((name) => [name, given[name]])),
      };
      const mixed = mixers.synco.apply(scene, refPairs(pairs), options);
      const nobody = np.zeros(mixed.negative.shape).astype(similarity.dtype); // [n, S]
      const all = {
        positive: np.concatenate([pairs.positive, nobody], 1), // [n, 1 + K + S]
        negative: np.concatenate([pairs.negative, mixed.negative], 1), // [n, 1 + K + S]
      };
      const widened = np.concatenate([similarity.ref, mixed.similarity.ref], 1); // [n, 1 + K + S]
      const perAnchor = infoNce(widened, all, { temperature: params.temperature }); // [n]
      return { perAnchor, cosine: mixed.similarity };
    });
  },
});
