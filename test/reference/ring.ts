import { scoreOf } from "./ntXent.ts";
import { descending, type Matrix, product, unitRows } from "./rows.ts";
import { type Expected, rowsOf, standard } from "./standard.ts";
import { logSumExp, mean, minus, type Scalar } from "./tape.ts";

type Params = {
  temperature: number;
  outer: number;
  inner: number;
  dynamicInner: boolean;
  draws: number[][] | null;
  neighbourViews: "none" | "logSumExp" | "mean";
};
type Inputs = { query: Matrix; key: Matrix; queue: Matrix };

function numerator(how: Params["neighbourViews"], positive: Scalar, nearest: Scalar[]): Scalar {
  if (how === "none") return positive;
  return how === "mean" ? mean([positive, ...nearest]) : logSumExp([positive, ...nearest]);
}

export function ring(params: Params, { query, key, queue }: Inputs): Expected {
  const { temperature, draws } = params;
  const count = queue.length;
  const outer = Math.trunc(params.outer * count);
  const inner = Math.trunc(params.inner * (params.dynamicInner ? outer : count));
  const [queries, keys, others] = [rowsOf(query), rowsOf(key), rowsOf(queue)];
  const [q, u] = [unitRows(query), unitRows(queue)];
  const order = q.map((row) => descending(u.map((other) => product(row, other))));
  const members = order.map((ranks) => ranks.slice(inner, outer));
  const perAnchor = queries.map((anchor, i) => {
    const scoreWith = (j: number) => scoreOf(anchor, others[j], temperature);
    const chosen = draws === null ? members[i] : draws[i].map((place) => members[i][place]);
    const positive = scoreOf(anchor, keys[i], temperature);
    const nearest = order[i].slice(0, inner).map(scoreWith);
    const total = logSumExp([positive, ...chosen.map(scoreWith)]);
    return minus(total, numerator(params.neighbourViews, positive, nearest));
  });
  return { ...standard(perAnchor, { query: queries }), members };
}
