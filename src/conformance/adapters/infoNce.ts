import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { l2Normalize } from "../../core/numerics.ts";
import { infoNce as loss } from "../../losses/index.ts";
import { defineAdapter, rows, temperature } from "../adapter.ts";
import { differentiated, type Machine, type Outputs } from "../machine.ts";
import { matrixOf } from "../nested.ts";
import {
  queryVariables,
  queueConstants,
  QueueInputs,
  queueSimilarity,
  unitQueue,
} from "./queue.ts";
import { pairsOf } from "./twoViews.ts";

type Params = { temperature: number; symmetric: boolean };

/** Each query picks its key among all keys; with `symmetric` each key its query as well. */
function inBatch(
  { temperature: t, symmetric }: Params,
  { query, key }: { query: number[][]; key: number[][] },
  machine: Machine,
): Promise<Outputs> {
  const n = query.length;
  const variables = { query: machine.reals(query, "query"), key: machine.reals(key, "key") };
  const count = symmetric ? 2 * n : n;
  const pairs = {
    positive: machine.reals(matrixOf(count, n, (i, j) => i % n === j)),
    negative: machine.reals(matrixOf(count, n, (i, j) => i % n !== j)),
  };
  return differentiated(machine, variables, pairs, (raw, constants) => {
    const there = np.matmul(l2Normalize(raw.query), l2Normalize(raw.key).transpose()); // [n, n]
    const all = symmetric ? np.concatenate([there.ref, there.transpose()], 0) : there; // [count, n]
    return { perAnchor: loss(all, pairsOf(constants), { temperature: t }) };
  });
}

/** `infoNce` on queries, keys and a queue, or on the queries and keys of a batch. */
export const infoNce = defineAdapter({
  params: z.object({
    temperature,
    negatives: z.enum(["queue", "inBatch"]),
    symmetric: z.boolean().default(false),
  }),
  inputs: QueueInputs.extend({ queue: rows.optional() }),
  run(params, { query, key, queue }, machine) {
    if (params.negatives === "inBatch") return inBatch(params, { query, key }, machine);
    const given = QueueInputs.parse({ query, key, queue });
    return differentiated(
      machine,
      queryVariables(given, machine),
      queueConstants(given, machine),
      (variables, constants) => {
        const unit = unitQueue(variables, constants);
        const similarity = queueSimilarity(unit.query, unit.key, unit.queue); // [n, 1 + K]
        const options = { temperature: params.temperature };
        return { perAnchor: loss(similarity, pairsOf(constants), options) };
      },
    );
  },
});
