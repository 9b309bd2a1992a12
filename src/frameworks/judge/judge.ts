import { lax, numpy as np } from "@jax-js/jax";

import { type Pairs, refPairs, type Term } from "../../core/pairs.ts";
import { type ArrayRecord } from "../../core/trees.ts";
import type { Parents } from "../../sampling/index.ts";
import { type Chain, inputsOf, type Outlook, runChain } from "../pairs/chain.ts";
import { pairMetrics } from "./contrast.ts";
import type { Parts } from "../parts.ts";
import { anchorLosses, recordedPairs, stagesOf } from "./recording.ts";
import { hardnessOf, samplingSums } from "./quality.ts";

/** Similarities with what samplers and a mixer may ask of them. Arrays are consumed. */
export type Contest = Omit<Outlook, "similarity" | "ranking"> & {
  /** [N, M] cosine, with gradient. */
  similarity: np.Array;
  /** [N, M] cosine of a slower encoder, where there is one. */
  ranking?: np.Array;
  /** What a mixer mixes: unit rows [N, E] with gradient, and constants [K, E] from column `offset` on. */
  mixing?: { anchors: np.Array; rows: np.Array; offset: number };
};

/** The objective and what was measured on the way. `sampling` is the next state of the chain. */
export type Judged = { loss: np.Array; sampling: ArrayRecord; metrics: ArrayRecord };

type Extended = {
  similarity: np.Array;
  terms: Term[];
  metrics: ArrayRecord;
  parents?: Parents | undefined;
};

/** Similarities and terms with the columns of synthetic candidates behind the real ones. */
function mixed(
  { mixer }: Chain,
  { mixing }: Contest,
  similarity: np.Array,
  terms: Term[],
  { batch, recorded }: { batch: ArrayRecord; recorded: boolean },
): Extended {
  if (mixer === undefined || mixing === undefined) return { similarity, terms, metrics: {} };
  const { active, ...inputs } = inputsOf(mixer, batch);
  const scene = { ...mixing, similarity, active, inputs };
  const extra = mixer.part.apply(scene, refPairs(terms[0].pairs), mixer.options);
  const parents = recorded
    ? mixer.part.parents?.(scene, refPairs(terms[0].pairs), mixer.options)
    : undefined;
  const widened = terms.map((term): Term => {
    const { positive, negative } = term.pairs;
    const none = np.zeros(extra.negative.shape).astype(negative.dtype); // [N, S]
    return {
      ...term,
      pairs: {
        positive: np.concatenate([positive, none], 1), // [N, M + S]
        negative: np.concatenate([negative, extra.negative.ref], 1), // [N, M + S]
      },
    };
  });
  return {
    similarity: np.concatenate([similarity, extra.similarity], 1), // [N, M + S]
    terms: widened,
    metrics: extra.metrics ?? {},
    parents,
  };
}

/** Mean over the anchors of Σ weight · loss over the terms. */
function objective(parts: Parts, similarity: np.Array, terms: readonly Term[]): np.Array {
  // means before the sum: jax-js 0.1.25 fails on the mean of a sum of two
  const each = anchorLosses(parts, similarity, terms).map((losses) => losses.mean()); // [] each
  return each.reduce((sum, term) => sum.add(term)); // []
}

/** Chain, mixer and loss over one matrix of similarities. Consumes `contest` and `pairs`. */
export function judge(
  parts: Parts,
  chain: Chain,
  contest: Contest,
  pairs: Pairs,
  given: { batch: ArrayRecord; state: ArrayRecord },
): Judged {
  const detached = lax.stopGradient(contest.similarity.ref); // [N, M]
  const ranking = contest.ranking === undefined ? detached : lax.stopGradient(contest.ranking);
  const outlook: Outlook = { ...contest, similarity: detached, ranking };
  const before = refPairs(pairs);
  const stages = parts.recording && stagesOf(before, given.batch.rows);
  const chained = runChain(chain, outlook, pairs, given, stages?.observe);
  const after = refPairs(chained.terms[0].pairs);
  const found = chained.terms
    .map(({ pairs: { positive } }) => positive.ref)
    .reduce((sum, positive) => sum.add(positive)); // [N, M]
  const recorded = parts.recording !== undefined;
  const full = mixed(chain, contest, contest.similarity, chained.terms, {
    batch: given.batch,
    recorded,
  });
  const [first] = full.terms;
  const measured = parts.metrics
    ? {
        ...pairMetrics(full.similarity.ref, refPairs(first.pairs)),
        ...samplingSums(contest, before, { ...after, found }, chained.detection),
        ...hardnessOf(full.similarity.ref, first.pairs.negative.ref, parts.negativeTemperature),
        ...parts.measureLoss(full.similarity.ref, refPairs(first.pairs)),
        ...chained.metrics,
        ...full.metrics,
      }
    : {};
  const pairsSeen = stages
    ? recordedPairs(parts, chain, {
        ...full,
        stages,
        candidates: contest.candidates,
        batch: given.batch,
      })
    : {};
  return {
    loss: objective(parts, full.similarity, full.terms),
    sampling: chained.state,
    metrics: { ...measured, ...pairsSeen },
  };
}
