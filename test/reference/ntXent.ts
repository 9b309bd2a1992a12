import type { Matrix } from "./rows.ts";
import { range } from "./rows.ts";
import { type Expected, type Row, rowsOf, standard } from "./standard.ts";
import { dot, logSumExp, minus, type Scalar, scaled } from "./tape.ts";

/** Two views of n samples, stacked; the positive of row i is row (i + n) mod 2n. */
export type TwoViews = { view1: Matrix; view2: Matrix };

/** Rows of both views, stacked, and the gradients' place for each. */
export function stacked({ view1, view2 }: TwoViews) {
  const [first, second] = [rowsOf(view1), rowsOf(view2)];
  return { rows: [...first, ...second], differentiate: { view1: first, view2: second } };
}

/** cosine / temperature of two rows. */
export const scoreOf = (a: Row, b: Row, temperature: number): Scalar =>
  scaled(dot(a.unit, b.unit), 1 / temperature);

export function ntXent(params: { temperature: number }, inputs: TwoViews): Expected {
  const { rows, differentiate } = stacked(inputs);
  const n = rows.length / 2;
  const perAnchor = range(2 * n).map((i) => {
    const others = range(2 * n).filter((j) => j !== i);
    const scores = others.map((j) => scoreOf(rows[i], rows[j], params.temperature));
    const positive = scoreOf(rows[i], rows[(i + n) % (2 * n)], params.temperature);
    return minus(logSumExp(scores), positive);
  });
  return standard(perAnchor, differentiate);
}
