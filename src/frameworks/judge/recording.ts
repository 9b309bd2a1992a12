import { lax, numpy as np } from "@jax-js/jax";

import { type Marks, type Pairs, refPairs, type Term } from "../../core/pairs.ts";
import type { ArrayRecord } from "../../core/trees.ts";
import type { Parents } from "../../sampling/index.ts";
import type { Chain } from "../pairs/chain.ts";
import type { LossOverrides, Parts } from "../parts.ts";

const RECORDED = "pairs.";

/** The results of a step that are recorded pairs. */
export const recordedOnly = (metrics: ArrayRecord): ArrayRecord =>
  Object.fromEntries(Object.entries(metrics).filter(([name]) => name.startsWith(RECORDED)));

/** Rows of [N, …]. Both are lent. */
const rowsOf = (x: np.Array, rows: np.Array): np.Array => lax.stopGradient(x.ref.slice(rows.ref));

/** The losses [N] of each term, its weight included. Lent: `similarity`; consumes the terms. */
export function anchorLosses(
  parts: Pick<Parts, "loss">,
  similarity: np.Array,
  terms: readonly Term[],
): np.Array[] {
  return terms.map(({ pairs, weight, temperature, denominator }) => {
    const losses = parts.loss(similarity.ref, pairs, { temperature, denominator }); // [N]
    return weight === undefined ? losses : losses.mul(lax.stopGradient(weight));
  });
}

/** The pairs of the recorded rows before the first sampler and after each of them. */
export type Stages = { observe: (terms: readonly Term[]) => void; all: () => Pairs[] };

/** Keeps the pairs of rows as they change. Where a sampler split the objective, a pair counts as in its strongest term. */
export function stagesOf(before: Pairs, rows: np.Array): Stages {
  const kept: Pairs[] = [];
  const strongest = (terms: readonly { pairs: Pairs }[], side: keyof Pairs) =>
    terms.map(({ pairs }) => rowsOf(pairs[side], rows)).reduce((a, b) => np.maximum(a, b)); // [R, M]
  const observe = (terms: readonly { pairs: Pairs }[]) => {
    kept.push({ positive: strongest(terms, "positive"), negative: strongest(terms, "negative") });
  };
  observe([{ pairs: before }]);
  return { observe, all: () => kept };
}

type Seen = {
  similarity: np.Array; // [N, M + S]
  terms: readonly Term[];
  stages: Stages;
  candidates: Marks;
  parents?: Parents | undefined;
  batch: ArrayRecord;
};

/** Arrays of one chain under its name. All of `seen` is lent. */
export function recordedPairs(
  { recording }: Parts,
  { key }: Chain,
  { similarity, terms, stages, candidates, parents, batch: { rows } }: Seen,
): ArrayRecord {
  recording?.overrides.set(
    key,
    terms.map(({ temperature, denominator }) => ({ temperature, denominator })),
  );
  const arrays: ArrayRecord = {
    similarity: rowsOf(similarity, rows), // [R, M + S]
    ids: candidates.ids.ref, // [M]
  };
  terms.forEach(({ pairs, weight }, t) => {
    arrays[`term${t}.positive`] = rowsOf(pairs.positive, rows); // [R, M + S]
    arrays[`term${t}.negative`] = rowsOf(pairs.negative, rows); // [R, M + S]
    if (weight !== undefined) arrays[`term${t}.weight`] = rowsOf(weight, rows); // [R]
  });
  stages.all().forEach(({ positive, negative }, i) => {
    arrays[`stage${i}.positive`] = positive; // [R, M]
    arrays[`stage${i}.negative`] = negative; // [R, M]
  });
  if (parents !== undefined) {
    for (const name of ["first", "second", "share"] as const) {
      arrays[`mixture.${name}`] = rowsOf(parents[name], rows); // [R, S]
    }
  }
  return named(key, arrays);
}

/** Arrays of one chain under its name. */
export const named = <T>(key: string, arrays: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => [`${RECORDED}${key}.${name}`, array]),
  );

/** Recorded arrays of one chain, without its name. */
export const ofChain = <T>(
  recorded: Readonly<Record<string, T>>,
  key: string,
): Record<string, T> => {
  const start = `${RECORDED}${key}.`;
  return Object.fromEntries(
    Object.entries(recorded).flatMap(([name, array]) =>
      name.startsWith(start) ? [[name.slice(start.length), array] as const] : [],
    ),
  );
};

/** The terms of a recorded chain again, with the options that were noted when it was traced. Lent. */
export function termsOf(arrays: ArrayRecord, overrides: readonly LossOverrides[]): Term[] {
  return overrides.map((said, t) => ({
    ...said,
    pairs: refPairs({
      positive: arrays[`term${t}.positive`],
      negative: arrays[`term${t}.negative`],
    }),
    weight: arrays[`term${t}.weight`]?.ref,
  }));
}
