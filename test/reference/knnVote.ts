import { descending, type Matrix, product, range, unitRows } from "./rows.ts";
import type { Expected } from "./standard.ts";

type Params = { neighbours: number; temperature: number; classes: number };
type Inputs = { bank: Matrix; labels: number[]; query: Matrix };

export function knnVote(params: Params, { bank, labels, query }: Inputs): Expected {
  const rows = unitRows(bank);
  const results = unitRows(query).map((q) => {
    const cosines = rows.map((row) => product(q, row));
    const neighbours = descending(cosines).slice(0, params.neighbours);
    const votes = range(params.classes).map(() => 0);
    for (const row of neighbours) votes[labels[row]] += Math.exp(cosines[row] / params.temperature);
    const similarities = neighbours.map((row) => cosines[row]);
    return { neighbours, similarities, votes, prediction: descending(votes)[0] };
  });
  return {
    neighbours: results.map(({ neighbours }) => neighbours),
    similarities: results.map(({ similarities }) => similarities),
    votes: results.map(({ votes }) => votes),
    predictions: results.map(({ prediction }) => prediction),
  };
}
