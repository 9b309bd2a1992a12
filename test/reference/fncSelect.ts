import { descending, type Matrix, product, range, unitRows } from "./rows.ts";
import { type Expected, maskOf } from "./standard.ts";

export type SelectParams = {
  aggregation: "max" | "mean";
  topK: number | null;
  threshold: number | null;
};

/** Largest or average cosine of each candidate to the support rows of an image: unit rows given. */
export function supportScores(support: Matrix, candidates: Matrix, how: "max" | "mean"): number[] {
  return candidates.map((candidate) => {
    const cosines = support.map((row) => product(row, candidate));
    if (how === "max") return Math.max(...cosines);
    return cosines.reduce((total, cosine) => total + cosine, 0) / cosines.length;
  });
}

/** Candidates that count as false negatives, among those allowed. */
export function selected(
  scores: readonly number[],
  allowed: readonly boolean[],
  { topK, threshold }: SelectParams,
): number[] {
  if (topK === null && threshold === null) return [];
  const ranked = descending(scores).filter((c) => allowed[c]);
  const top = topK === null ? ranked : ranked.slice(0, topK);
  return threshold === null ? top : top.filter((c) => scores[c] > threshold);
}

type Inputs = { support: Matrix[]; candidates: Matrix; candidateImages?: number[] };

export function fncSelect(params: SelectParams, inputs: Inputs): Expected {
  const candidates = unitRows(inputs.candidates);
  const scores = inputs.support.map((rows) =>
    supportScores(unitRows(rows), candidates, params.aggregation),
  );
  const images = inputs.candidateImages ?? range(candidates.length).map(() => -1);
  const mask = scores.map((row, b) => {
    const allowed = images.map((image) => image !== b);
    return maskOf(selected(row, allowed, params), candidates.length);
  });
  return { scores, mask };
}
