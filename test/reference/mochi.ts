import { scoreOf } from "./ntXent.ts";
import { blended, descending, type Matrix, product, unitRows } from "./rows.ts";
import { type Expected, rowsOf, standard } from "./standard.ts";
import { logSumExp, minus } from "./tape.ts";

type Params = {
  temperature: number;
  topN: number;
  pairs: number[][][];
  alphas: number[][];
  picks: number[][];
  betas: number[][];
};
type Inputs = { query: Matrix; key: Matrix; queue: Matrix };

export function mochi(params: Params, { query, key, queue }: Inputs): Expected {
  const { temperature, topN, pairs, alphas, picks, betas } = params;
  const [queries, keys, others] = [rowsOf(query), rowsOf(key), rowsOf(queue)];
  const [q, u] = [unitRows(query), unitRows(queue)];
  const topIndices = q.map((row) =>
    descending(u.map((other) => product(row, other))).slice(0, topN),
  );
  const synthetic = q.map((row, i) => {
    const at = (place: number) => u[topIndices[i][place]];
    const ofPairs = pairs[i].map(([a, b], s) => blended(at(a), at(b), alphas[i][s]));
    const ofQuery = picks[i].map((place, s) => blended(row, at(place), betas[i][s]));
    return [...ofPairs, ...ofQuery];
  });
  const perAnchor = queries.map((anchor, i) => {
    const positive = scoreOf(anchor, keys[i], temperature);
    const negatives = [...others, ...rowsOf(synthetic[i])];
    const scores = negatives.map((row) => scoreOf(anchor, row, temperature));
    return minus(logSumExp([positive, ...scores]), positive);
  });
  return { ...standard(perAnchor, { query: queries }), topIndices, synthetic };
}
