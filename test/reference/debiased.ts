import { scoreOf } from "./ntXent.ts";
import { type Matrix, range } from "./rows.ts";
import { type Expected, type NestedRows, rowsOf, standard } from "./standard.ts";
import { exp, leaf, log, mean, minus, over, plus, type Scalar, scaled, sum } from "./tape.ts";

type Params = { temperature: number; tauPlus: number; anchors: "both" | "view1" };
type Inputs = { view1: Matrix; view2: Matrix; view3?: Matrix };

/** −ln(P / (P + Ng)) of one anchor. */
export type Debiased = { loss: Scalar; clamped: number };

/**
 * Ng = max((gathered − τ⁺·N·inner) / (1 − τ⁺), N·e^{−1/t}) for `gathered`, an estimate of the sum of e^s over
 * N negatives; `positive` and `inner` are exponentials of scores.
 */
export function debiasedTerm(
  gathered: Scalar,
  { positive, inner, count }: { positive: Scalar; inner: Scalar; count: number },
  { temperature, tauPlus }: { temperature: number; tauPlus: number },
): Debiased {
  if (count === 0) return { loss: leaf(0), clamped: 0 };
  const estimate = scaled(minus(gathered, scaled(inner, tauPlus * count)), 1 / (1 - tauPlus));
  const floor = count * Math.exp(-1 / temperature);
  const clamped = estimate.value < floor;
  const negatives = clamped ? leaf(floor) : estimate;
  return {
    loss: scaled(log(over(positive, plus(positive, negatives))), -1),
    clamped: clamped ? 1 : 0,
  };
}

export function debiased(params: Params, { view1, view2, view3 }: Inputs): Expected {
  const [first, second] = [rowsOf(view1), rowsOf(view2)];
  const third = view3 && rowsOf(view3);
  const rows = [...first, ...second];
  const n = first.length;
  const results = range(params.anchors === "both" ? 2 * n : n).map((i) => {
    const e = (other: (typeof rows)[number]) => exp(scoreOf(rows[i], other, params.temperature));
    const negatives = range(2 * n).filter((j) => j % n !== i % n);
    const positive = e(rows[(i + n) % (2 * n)]);
    const inner = third === undefined ? positive : mean([positive, e(third[i])]);
    const gathered = sum(negatives.map((j) => e(rows[j])));
    return debiasedTerm(gathered, { positive, inner, count: negatives.length }, params);
  });
  const differentiate: Record<string, NestedRows> = { view1: first, view2: second };
  if (third !== undefined) differentiate.view3 = third;
  return {
    ...standard(
      results.map(({ loss }) => loss),
      differentiate,
    ),
    clamped: results.map(({ clamped }) => clamped),
  };
}
