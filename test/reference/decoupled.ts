import { scoreOf, stacked, type TwoViews } from "./ntXent.ts";
import { range } from "./rows.ts";
import { type Expected, standard } from "./standard.ts";
import {
  exp,
  held,
  leaf,
  logSumExp,
  minus,
  over,
  type Scalar,
  scaled,
  sum,
  times,
} from "./tape.ts";

type Params = {
  temperature: number;
  weighting: "none" | "vonMises";
  sigma: number | null;
  detachWeights: boolean;
};

/** 2 − n · softmax of the cosines of the pairs over sigma. */
function vonMises(cosines: Scalar[], sigma: number): Scalar[] {
  const exps = cosines.map((cosine) => exp(scaled(cosine, 1 / sigma)));
  const total = sum(exps);
  return exps.map((e) => minus(leaf(2), scaled(over(e, total), cosines.length)));
}

export function decoupled(params: Params, inputs: TwoViews): Expected {
  const { rows, differentiate } = stacked(inputs);
  const n = rows.length / 2;
  const cosines = range(n).map((b) => scoreOf(rows[b], rows[b + n], 1));
  const given = params.weighting === "none" ? cosines.map(() => leaf(1)) : undefined;
  const weights = given ?? vonMises(cosines, params.sigma!);
  const perAnchor = range(2 * n).map((i) => {
    const negatives = range(2 * n).filter((j) => j % n !== i % n);
    if (negatives.length === 0) return leaf(0);
    const scores = negatives.map((j) => scoreOf(rows[i], rows[j], params.temperature));
    const weight = params.detachWeights ? held(weights[i % n]) : weights[i % n];
    const positive = scoreOf(rows[i], rows[(i + n) % (2 * n)], params.temperature);
    return minus(logSumExp(scores), times(weight, positive));
  });
  const listed = given === undefined ? { weights: weights.map(({ value }) => value) } : {};
  return { ...standard(perAnchor, differentiate), ...listed };
}
