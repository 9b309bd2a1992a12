import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { l2Normalize, LOWEST } from "../../core/numerics.ts";
import type { ArrayRecord } from "../../core/trees.ts";
import { findPositives, samplers } from "../../sampling/index.ts";
import { walk } from "../../sampling/neighbourGraph.ts";

import { defineAdapter, temperature } from "../adapter.ts";
import { differentiated, type Machine, type Outputs } from "../machine.ts";
import { matrixOf } from "../nested.ts";
import { sceneFor, termLoss } from "../scene.ts";
import { bankAfter, BankInputs } from "./instDisc.ts";
import { columnsOf } from "./members.ts";

const count = z.int().positive();
const Params = z.object({
  variant: z.enum(["set", "multiset"]),
  temperature,
  neighbours: count,
  steps: count,
  hardPositives: count,
  hardNegatives: count,
  invarianceWeight: z.number().min(0),
  bankMomentum: z.number(),
  epsilon: z.number().min(0),
});
type Params = z.output<typeof Params>;

/** The nearest other rows of every row of a bank, nearest first: unit rows [N, D] to [N, k] int32. Lent. */
function graphOf(bank: np.Array, k: number): np.Array {
  const cosine = np.matmul(bank.ref, bank.ref.transpose()); // [N, N]
  const itself = np.eye(bank.shape[0]).greater(0); // [N, N]
  return lax.topK(np.where(itself, LOWEST, cosine), k)[1];
}

/** What the walks of the sampler reach. All lent. */
function reached(similarity: np.Array, graph: np.Array, own: np.Array, params: Params) {
  const lengths = Array.from({ length: params.steps }, (_, step) => step + 1);
  const found = findPositives(similarity, graph, own, params);
  const each = lengths.map((steps) => {
    const { mask } = findPositives(similarity, graph, own, { ...params, steps });
    return mask.reshape([1, ...mask.shape]);
  });
  return {
    masks: np.concatenate(each, 0), // [l, n, N]
    walked: np.concatenate(walk(graph.ref, own.ref, params.steps), 1), // [n, L]
    columns: found.columns, // [n, L]
    hard: found.hard, // [n, L]
  };
}

type Lists = Record<"masks", number[][][]> &
  Record<"walked" | "columns" | "hard" | "cosine" | "nearest" | "negative", number[][]>;

/** Lists of rows out of masks. */
function listsOf(
  { masks, walked, columns, hard, cosine, nearest, negative }: Lists,
  params: Params,
) {
  const hardest = columns.map((row, i) =>
    row
      .filter((_, at) => hard[i][at] > 0)
      // stable: equal cosines stay in the order in which rows were found
      .sort((a, b) => cosine[i][a] - cosine[i][b]),
  );
  const steps = walked.map((_, i) => masks.map((mask) => columnsOf(mask[i])));
  return {
    ...(params.variant === "set" ? { positivesPerStep: steps } : { multiset: walked }),
    hardPositives: hardest,
    hardNegatives: nearest.map((row, i) => row.filter((column) => negative[i][column] > 0)),
  };
}

/** The sampler's terms on similarities [n, N], all lent. */
function sampled(similarity: np.Array, given: ArrayRecord, graph: np.Array, params: Params) {
  const marks = { ids: given.indices.ref, groups: given.indices.ref, labels: given.indices.ref };
  const scene = sceneFor(similarity, { anchors: marks, state: { graph: graph.ref } });
  const { variant, neighbours, steps, hardPositives, hardNegatives } = params;
  return samplers.propagate.apply(
    scene,
    { positive: given.positive, negative: given.negative },
    {
      variant,
      neighbours,
      steps,
      hardPositives,
      hardNegatives,
      weight: params.invarianceWeight,
      warmup: 0,
    },
  );
}

function outputsOf(
  params: Params,
  { embedding, bank, indices }: z.output<typeof BankInputs>,
  machine: Machine,
): Promise<Outputs> {
  const shape = [embedding.length, bank.length] as const;
  const constants = {
    bank: machine.reals(bank, "bank"),
    indices: machine.integers(indices, "indices"),
    positive: machine.reals(matrixOf(...shape, (i, j) => j === indices[i])),
    negative: machine.reals(matrixOf(...shape, (i, j) => j !== indices[i])),
  };
  const variables = { embedding: machine.reals(embedding, "embedding") };
  const options = {
    temperature: params.temperature,
    positives: "inside" as const,
    epsilon: params.variant === "multiset" ? params.epsilon : 0,
  };
  return differentiated(machine, variables, constants, (raw, given) => {
    const stored = l2Normalize(given.bank); // [N, D]
    const similarity = np.matmul(l2Normalize(raw.embedding), stored.ref.transpose()); // [n, N]
    const graph = graphOf(stored, params.neighbours); // [N, k]
    const detached = lax.stopGradient(similarity.ref); // [n, N]
    const { terms, state } = sampled(similarity, given, graph, params);
    const [instance, invariance] = terms;
    const negative = invariance.pairs.negative.ref; // [n, N]
    const lossInstance = termLoss(similarity, instance, options); // [n]
    const lossInvariance = termLoss(similarity, invariance, options); // [n]
    return {
      perAnchor: lossInstance.ref.add(lossInvariance.ref.mul(invariance.weight!)),
      lossInstance,
      lossInvariance,
      negative,
      cosine: detached.ref,
      ...reached(detached, graph, given.indices, params),
      neighbours: graph,
      nearest: lax.topK(detached, params.hardNegatives)[1], // [n, M]
      refreshedNeighbours: state!.graph.slice(given.indices), // [n, k]
    };
  });
}

/** The sampler `propagate` over a bank with the whole graph of its rows, and `infoNce` over its terms. */
export const invariancePropagation = defineAdapter({
  params: Params,
  inputs: BankInputs,
  async run(params, inputs, machine) {
    const outputs = await outputsOf(params, inputs, machine);
    return {
      ...outputs,
      ...listsOf(outputs as Lists, params),
      updatedRows: await bankAfter(inputs, params.bankMomentum, machine),
    };
  },
});
