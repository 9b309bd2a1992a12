import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { l2Normalize } from "../../core/numerics.ts";
import { infoNce, instanceLogNormaliser, instanceNce } from "../../losses/index.ts";
import { lookUp, updateBank } from "../../memory/index.ts";
import { defineAdapter, integerRows, integers, rows, temperature } from "../adapter.ts";
import { differentiated, type Machine } from "../machine.ts";
import { matrixOf } from "../nested.ts";
import { pairsOf } from "./twoViews.ts";

/** Raw embeddings [n][D] of the images with these rows of a bank [N][D]. */
export const BankInputs = z.object({ embedding: rows, bank: rows, indices: integers });

/** Rows of the bank after a step, one for each embedding. Outside the gradient, as in a framework. */
export async function bankAfter(
  { embedding, bank, indices }: z.output<typeof BankInputs>,
  momentum: number,
  machine: Machine,
): Promise<unknown> {
  const update = (fresh: np.Array, stored: np.Array, ids: np.Array) => {
    const after = updateBank(l2Normalize(stored), ids.ref, l2Normalize(fresh), momentum); // [N, D]
    return { rows: lookUp(after, ids) }; // [n, D]
  };
  const args = [machine.reals(embedding), machine.reals(bank), machine.integers(indices)];
  return (await machine.run(update, ...args)).rows;
}

/** `instanceNce` over a bank, with the bank's rows after the step. */
export const instDiscNce = defineAdapter({
  params: z.object({
    temperature,
    noise: integerRows,
    normaliser: z.number().positive().nullable(),
    bankMomentum: z.number(),
    epsilon: z.number(),
  }),
  inputs: BankInputs,
  async run({ noise, normaliser, bankMomentum, ...options }, inputs, machine) {
    const { embedding, bank, indices } = inputs;
    const drawn = noise.map((list, i) => [indices[i], ...list]);
    const constants = {
      bank: machine.reals(bank, "bank"),
      drawn: machine.integers(drawn, "noise"),
      ...(normaliser === null ? {} : { logNormaliser: machine.reals(Math.log(normaliser)) }),
    };
    const settings = { ...options, count: bank.length };
    const variables = { embedding: machine.reals(embedding, "embedding") };
    const outputs = await differentiated(machine, variables, constants, (raw, given) => {
      const unit = l2Normalize(raw.embedding); // [n, D]
      const [n, d] = unit.shape;
      const candidates = lookUp(l2Normalize(given.bank), given.drawn); // [n, 1 + k, D]
      const similarity = unit.reshape([n, 1, d]).mul(candidates).sum(-1); // [n, 1 + k]
      const estimate = () => instanceLogNormaliser(lax.stopGradient(similarity.ref), settings); // []
      const logNormaliser = given.logNormaliser ?? estimate(); // []
      return { perAnchor: instanceNce(similarity, logNormaliser.ref, settings), logNormaliser };
    });
    return {
      ...outputs,
      normaliser: Math.exp(outputs.logNormaliser as number), // beyond float32 at low temperatures
      updatedRows: await bankAfter(inputs, bankMomentum, machine),
    };
  },
});

/** `infoNce` over a bank: each image picks its own row. */
export const instDiscSoftmax = defineAdapter({
  params: z.object({ temperature }),
  inputs: BankInputs,
  run(options, { embedding, bank, indices }, machine) {
    const shape = [embedding.length, bank.length] as const;
    const constants = {
      bank: machine.reals(bank, "bank"),
      positive: machine.reals(matrixOf(...shape, (i, j) => j === indices[i])),
      negative: machine.reals(matrixOf(...shape, (i, j) => j !== indices[i])),
    };
    const variables = { embedding: machine.reals(embedding, "embedding") };
    return differentiated(machine, variables, constants, (raw, given) => {
      const stored = l2Normalize(given.bank); // [N, D]
      const similarity = np.matmul(l2Normalize(raw.embedding), stored.transpose()); // [n, N]
      return { perAnchor: infoNce(similarity, pairsOf(given), options) };
    });
  },
});
