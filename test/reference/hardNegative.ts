import { debiasedTerm } from "./debiased.ts";
import { scoreOf, stacked, type TwoViews } from "./ntXent.ts";
import { range } from "./rows.ts";
import { type Expected, standard } from "./standard.ts";
import { exp, held, logSumExp, minus, plus, type Scalar, scaled } from "./tape.ts";

type Params = { temperature: number; tauPlus: number; beta: number; detachWeights: boolean };

/** N · Σ w·e^s / Σ w with w = e^{βs}, in logarithms, for β/t may be large. */
function gather(scores: Scalar[], { beta, detachWeights }: Params): Scalar {
  const logWeights = scores.map((s) => scaled(detachWeights ? held(s) : s, beta));
  const weighted = logSumExp(scores.map((s, j) => plus(s, logWeights[j])));
  return scaled(exp(minus(weighted, logSumExp(logWeights))), scores.length);
}

export function hardNegative(params: Params, inputs: TwoViews): Expected {
  const { rows, differentiate } = stacked(inputs);
  const n = rows.length / 2;
  const results = range(2 * n).map((i) => {
    const scoreWith = (j: number) => scoreOf(rows[i], rows[j], params.temperature);
    const negatives = range(2 * n).filter((j) => j % n !== i % n);
    const positive = exp(scoreWith((i + n) % (2 * n)));
    const gathered = gather(negatives.map(scoreWith), params);
    const rest = { positive, inner: positive, count: negatives.length };
    return debiasedTerm(gathered, rest, params);
  });
  return {
    ...standard(
      results.map(({ loss }) => loss),
      differentiate,
    ),
    clamped: results.map(({ clamped }) => clamped),
  };
}
