import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { HostRecord } from "../../core/arrays.ts";
import { refPairs } from "../../core/pairs.ts";
import { infoNce } from "../../losses/index.ts";
import { mixers, mochiRows } from "../../sampling/index.ts";
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
  pairs: z.array(z.array(z.tuple([z.int(), z.int()]))),
  alphas: rows,
  picks: integerRows,
  betas: rows,
});

/** Columns of a matrix, which may have no row. */
const widthOf = (matrix: readonly (readonly unknown[])[]): number => matrix.at(0)?.length ?? 0;

/** Positions in the list of hardest rows, as the uniform numbers that pick them. */
function draws(
  { pairs, alphas, picks, betas }: z.output<typeof Params>,
  top: number,
  machine: Machine,
): HostRecord {
  const middle = (place: number, count: number) => (place + 0.5) / count;
  // the second of a pair is drawn as its distance from the first, 1 … top − 1
  const distance = ([a, b]: [number, number]) => middle(((b - a + top) % top) - 1, top - 1);
  const all = {
    first: pairs.map((list) => list.map(([a]) => middle(a, top))),
    second: pairs.map((list) => list.map(distance)),
    alphas,
    picks: picks.map((list) => list.map((place) => middle(place, top))),
    betas,
  };
  const some = Object.entries(all).filter(([, matrix]) => widthOf(matrix) > 0);
  return Object.fromEntries(some.map(([name, matrix]) => [name, machine.reals(matrix, name)]));
}

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
    const none = { synthetic: inputs.query.map(() => []) }; // what a case without mixes expects
    const outputs = await differentiated(machine, variables, constants, (raw, given) => {
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
      const detached = { ...scene, anchors: lax.stopGradient(unit.query.ref) };
      const shown = mochiRows(detached, refPairs(pairs), options);
      const mixed = mixers.mochi.apply(scene, refPairs(pairs), { ...options, warmup: 0 });
      const nobody = np.zeros(mixed.negative.shape).astype(similarity.dtype); // [n, S]
      const all = {
        positive: np.concatenate([pairs.positive, nobody], 1), // [n, 1 + K + S]
        negative: np.concatenate([pairs.negative, mixed.negative], 1), // [n, 1 + K + S]
      };
      const widened = np.concatenate([similarity.ref, mixed.similarity], 1); // [n, 1 + K + S]
      return { perAnchor: infoNce(widened, all, { temperature: params.temperature }), ...shown };
    });
    return pairMixes + queryMixes === 0 ? { ...none, ...outputs } : outputs;
  },
});
