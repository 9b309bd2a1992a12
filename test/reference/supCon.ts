import { scoreOf } from "./ntXent.ts";
import { type Matrix, range } from "./rows.ts";
import { type Expected, type NestedRows, rowsOf, standard } from "./standard.ts";
import { leaf, logSumExp, mean, minus, type Scalar, scaled, shifted } from "./tape.ts";

type Params = {
  temperature: number;
  baseTemperature: number;
  variant: "out" | "in" | "logSum";
  anchors: "all" | "view1";
};
type Inputs = { view1: Matrix; view2?: Matrix; labels: number[] };

function term(variant: Params["variant"], total: Scalar, positives: Scalar[]): Scalar {
  if (variant === "out") return mean(positives.map((s) => minus(total, s)));
  const together = minus(total, logSumExp(positives));
  return variant === "in" ? shifted(together, Math.log(positives.length)) : together;
}

export function supCon(params: Params, { view1, view2, labels }: Inputs): Expected {
  const first = rowsOf(view1);
  const second = view2 && rowsOf(view2);
  const rows = [...first, ...(second ?? [])];
  const n = first.length;
  const perAnchor = range(params.anchors === "all" ? rows.length : n).map((i) => {
    const others = range(rows.length).filter((j) => j !== i);
    const scoreWith = (j: number) => scoreOf(rows[i], rows[j], params.temperature);
    const positives = others.filter((j) => labels[j % n] === labels[i % n]).map(scoreWith);
    if (positives.length === 0) return leaf(0);
    const total = logSumExp(others.map(scoreWith));
    const factor = params.temperature / params.baseTemperature;
    return scaled(term(params.variant, total, positives), factor);
  });
  const differentiate: Record<string, NestedRows> = { view1: first };
  if (second !== undefined) differentiate.view2 = second;
  return standard(perAnchor, differentiate);
}
