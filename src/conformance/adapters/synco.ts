import { z } from "zod";

import type { HostRecord } from "../../core/arrays.ts";
import { mixers } from "../../sampling/index.ts";
import { defineAdapter, integerRows, rows, temperature } from "../adapter.ts";
import { differentiated, type Machine } from "../machine.ts";
import { drawsOf, mixedLoss, picked, pickedPairs, widthOf } from "./mixing.ts";
import { queryVariables, queueConstants, QueueInputs } from "./queue.ts";

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

/** The draws of a case. */
function draws(params: Params, top: number, machine: Machine): HostRecord {
  const { interpolated, extrapolated, mixed, noisy, perturbed, adversarial } = params;
  return drawsOf(
    {
      interpolatedPicks: picked(interpolated.picks, top),
      interpolatedShares: interpolated.alphas,
      extrapolatedPicks: picked(extrapolated.picks, top),
      extrapolatedShares: extrapolated.betas,
      ...pickedPairs(mixed.pairs, top),
      alphas: mixed.gammas,
      noisyPicks: picked(noisy.picks, top),
      noise: noisy.noise,
      perturbedPicks: picked(perturbed.picks, top),
      adversarialPicks: picked(adversarial.picks, top),
    },
    machine,
  );
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
    const drawn = draws(params, Math.min(params.topN, inputs.queue.length), machine);
    const constants = { ...queueConstants(inputs, machine), ...drawn };
    const how = { names: Object.keys(drawn), temperature: params.temperature };
    return differentiated(machine, queryVariables(inputs, machine), constants, (raw, given) => {
      const { perAnchor, similarity } = mixedLoss(raw, given, how, (scene, pairs) =>
        mixers.synco.apply(scene, pairs, options),
      );
      return { perAnchor, cosine: similarity };
    });
  },
});
