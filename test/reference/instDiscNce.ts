import { scoreOf } from "./ntXent.ts";
import { blended, type Matrix, unitRow, unitRows } from "./rows.ts";
import { type Expected, rowsOf, standard } from "./standard.ts";
import { exp, leaf, log, minus, over, type Scalar, scaled, shifted, sum } from "./tape.ts";

type Params = {
  temperature: number;
  noise: number[][];
  normaliser: number | null;
  bankMomentum: number;
  epsilon: number;
};
type Inputs = { embedding: Matrix; bank: Matrix; indices: number[] };

export function instDiscNce(params: Params, { embedding, bank, indices }: Inputs): Expected {
  const { temperature, noise, bankMomentum, epsilon } = params;
  const [anchors, rows] = [rowsOf(embedding), rowsOf(bank)];
  // e^{x.v/t} of each anchor with its own row, then with its noise
  const exps = anchors.map((x, i) =>
    [indices[i], ...noise[i]].map((j) => exp(scoreOf(x, rows[j], temperature))),
  );
  const all = exps.flat().map(({ value }) => value);
  const average = all.reduce((total, value) => total + value, 0) / all.length;
  const normaliser = params.normaliser ?? bank.length * average;
  const c = noise[0].length / bank.length;
  const perAnchor = exps.map(([own, ...others]): Scalar => {
    const probability = (e: Scalar) => scaled(e, 1 / normaliser);
    const guarded = (p: Scalar) => shifted(p, c + epsilon);
    const p0 = probability(own);
    const data = log(over(p0, guarded(p0)));
    const noiseTerms = others.map((e) => log(over(leaf(c), guarded(probability(e)))));
    return minus(scaled(data, -1), sum(noiseTerms));
  });
  const [fresh, old] = [unitRows(embedding), unitRows(bank)];
  return {
    ...standard(perAnchor, { embedding: anchors }),
    normaliser,
    updatedRows: fresh.map((x, i) => unitRow(blended(old[indices[i]], x, bankMomentum))),
  };
}
