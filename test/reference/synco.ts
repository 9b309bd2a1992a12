import { scoreOf } from "./ntXent.ts";
import { descending, type Matrix, product, unitRow, unitRows } from "./rows.ts";
import { type Expected, rowsOf, standard } from "./standard.ts";
import { logSumExp, minus } from "./tape.ts";

type Params = {
  temperature: number;
  topN: number;
  interpolated: { picks: number[][]; alphas: number[][] };
  extrapolated: { picks: number[][]; betas: number[][] };
  mixed: { pairs: number[][][]; gammas: number[][] };
  noisy: { picks: number[][]; noise: number[][]; sigma: number };
  perturbed: { picks: number[][]; delta: number };
  adversarial: { picks: number[][]; eta: number };
};
type Inputs = { query: Matrix; key: Matrix; queue: Matrix };

/** unit(a·x + b·y) */
const sum = (a: number, x: readonly number[], b: number, y: readonly number[]): number[] =>
  unitRow(x.map((value, i) => a * value + b * y[i]));

/** The six kinds of one anchor q, in the order lines, mixed, noisy, adversarial. */
function syntheticRows(params: Params, i: number, q: number[], hard: number[][]): number[][] {
  const { interpolated, extrapolated, mixed, noisy, perturbed, adversarial } = params;
  return [
    ...interpolated.picks[i].map((place, s) => {
      const alpha = interpolated.alphas[i][s];
      return sum(alpha, q, 1 - alpha, hard[place]);
    }),
    ...extrapolated.picks[i].map((place, s) => {
      const beyond = hard[place].map((value, e) => value - q[e]);
      return sum(1, hard[place], extrapolated.betas[i][s], beyond);
    }),
    ...perturbed.picks[i].map((place) => sum(1, hard[place], perturbed.delta, q)),
    ...mixed.pairs[i].map(([a, b], s) => {
      const gamma = mixed.gammas[i][s];
      return sum(gamma, hard[a], 1 - gamma, hard[b]);
    }),
    ...noisy.picks[i].map((place, s) => sum(1, hard[place], noisy.sigma, noisy.noise[s])),
    ...adversarial.picks[i].map((place) => sum(1, hard[place], adversarial.eta, q.map(Math.sign))),
  ];
}

/** The synthetic rows of every query. */
export function syntheticOf(params: Params, { query, queue }: Inputs): Matrix[] {
  const [q, u] = [unitRows(query), unitRows(queue)];
  return q.map((row, i) => {
    const hardest = descending(u.map((other) => product(row, other))).slice(0, params.topN);
    return syntheticRows(
      params,
      i,
      row,
      hardest.map((place) => u[place]),
    );
  });
}

export function synco(params: Params, inputs: Inputs): Expected {
  const { query, key, queue } = inputs;
  const { temperature } = params;
  const [queries, keys, others] = [rowsOf(query), rowsOf(key), rowsOf(queue)];
  const q = unitRows(query);
  const synthetic = syntheticOf(params, inputs);
  const perAnchor = queries.map((anchor, i) => {
    const positive = scoreOf(anchor, keys[i], temperature);
    const negatives = [...others, ...rowsOf(synthetic[i])];
    const scores = negatives.map((row) => scoreOf(anchor, row, temperature));
    return minus(logSumExp([positive, ...scores]), positive);
  });
  const cosine = synthetic.map((rows, i) => rows.map((row) => product(q[i], row)));
  return { ...standard(perAnchor, { query: queries }), cosine };
}
