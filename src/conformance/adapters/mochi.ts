import { lax } from "@jax-js/jax";
import { z } from "zod";

import type { HostRecord } from "../../core/arrays.ts";
import { refPairs } from "../../core/pairs.ts";
import type { ArrayRecord } from "../../core/trees.ts";
import { mixers, mochiRows } from "../../sampling/index.ts";
import { defineAdapter, integerRows, rows, temperature } from "../adapter.ts";
import { differentiated, type Machine } from "../machine.ts";
import { drawsOf, mixedLoss, picked, pickedPairs, widthOf } from "./mixing.ts";
import { queryVariables, queueConstants, QueueInputs } from "./queue.ts";

const Params = z.object({
  temperature,
  topN: z.int().min(2),
  pairs: z.array(z.array(z.tuple([z.int(), z.int()]))),
  alphas: rows,
  picks: integerRows,
  betas: rows,
});

/** The draws of a case. */
const draws = (
  { pairs, alphas, picks, betas }: z.output<typeof Params>,
  top: number,
  machine: Machine,
): HostRecord =>
  drawsOf({ ...pickedPairs(pairs, top), alphas, picks: picked(picks, top), betas }, machine);

/** The mixer `mochi` over a queue, and `infoNce` over real and synthetic rows. */
export const mochi = defineAdapter({
  params: Params,
  inputs: QueueInputs,
  async run(params, inputs, machine) {
    const [pairMixes, queryMixes] = [widthOf(params.pairs), widthOf(params.picks)];
    const options = { topN: params.topN, topShare: 1, pairMixes, queryMixes };
    const drawn = draws(params, Math.min(params.topN, inputs.queue.length), machine);
    const constants = { ...queueConstants(inputs, machine), ...drawn };
    const variables = queryVariables(inputs, machine);
    const how = { names: Object.keys(drawn), temperature: params.temperature };
    const none = { synthetic: inputs.query.map(() => []) }; // what a case without mixes expects
    const outputs = await differentiated(machine, variables, constants, (raw, given) => {
      let shown: ArrayRecord = {};
      const { perAnchor } = mixedLoss(raw, given, how, (scene, pairs) => {
        const detached = { ...scene, anchors: lax.stopGradient(scene.anchors.ref) };
        shown = mochiRows(detached, refPairs(pairs), options);
        return mixers.mochi.apply(scene, pairs, { ...options, warmup: 0 });
      });
      return { perAnchor, ...shown };
    });
    return pairMixes + queryMixes === 0 ? { ...none, ...outputs } : outputs;
  },
});
