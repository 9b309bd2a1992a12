import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { l2Normalize } from "../../core/numerics.ts";
import type { ArrayRecord } from "../../core/trees.ts";
import { falseNegativeMask, supportScores } from "../../sampling/index.ts";
import { defineAdapter, integers, rows, views } from "../adapter.ts";
import { matrixOf } from "../nested.ts";

/** Which scores are taken for false negatives. */
export const SelectParams = z.object({
  aggregation: z.enum(["max", "mean"]),
  topK: z.int().min(0).nullable(),
  threshold: z.number().nullable(),
});

/** Cosine of support views [n, S, D] to candidates [M, D]: [S, n, M]. Unit rows given; consumes both. */
export function supportCosine(support: np.Array, candidates: np.Array): np.Array {
  const [n, s, d] = support.shape;
  const flat = support.transpose([1, 0, 2]).reshape([s * n, d]); // [S·n, D]
  return np.matmul(flat, candidates.transpose()).reshape([s, n, -1]); // [S, n, M]
}

/** What the sampler `falseNegatives` scores and selects. */
export const fncSelect = defineAdapter({
  params: SelectParams,
  inputs: z.object({ support: views, candidates: rows, candidateImages: integers.optional() }),
  run({ aggregation, ...rules }, { support, candidates, candidateImages }, machine) {
    const shape = [support.length, candidates.length] as const;
    const constants = {
      support: machine.reals(support, "support"),
      candidates: machine.reals(candidates, "candidates"),
      negative: machine.reals(matrixOf(...shape, (b, c) => candidateImages?.[c] !== b)),
    };
    return machine.run((given: ArrayRecord) => {
      const cosine = supportCosine(l2Normalize(given.support), l2Normalize(given.candidates));
      const scores = supportScores(cosine, aggregation, support.length); // [n, M]
      const all = { ...rules, quantile: null };
      return { mask: falseNegativeMask(scores.ref, given.negative, all), scores };
    }, constants);
  },
});
