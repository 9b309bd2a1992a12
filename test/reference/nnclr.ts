import { scoreOf } from "./ntXent.ts";
import { descending, type Matrix, product, unitRows } from "./rows.ts";
import { type Expected, type Row, rowsOf, standard } from "./standard.ts";
import { logSumExp, minus, type Scalar } from "./tape.ts";

type Params = { temperature: number; symmetric: boolean };
type Inputs = {
  projection1: Matrix;
  projection2: Matrix;
  prediction1: Matrix;
  prediction2: Matrix;
  queue: Matrix;
};

const nearestOf = (projection: Matrix, queue: Matrix): number[] =>
  unitRows(projection).map(
    (row) => descending(unitRows(queue).map((other) => product(row, other)))[0],
  );

/** Each neighbour picks the prediction of its own sample. */
const direction = (neighbours: Row[], predictions: Row[], temperature: number): Scalar[] =>
  neighbours.map((neighbour, b) => {
    const scores = predictions.map((row) => scoreOf(neighbour, row, temperature));
    return minus(logSumExp(scores), scores[b]);
  });

export function nnclr({ temperature, symmetric }: Params, inputs: Inputs): Expected {
  const queue = rowsOf(inputs.queue);
  const [one, two] = [rowsOf(inputs.prediction1), rowsOf(inputs.prediction2)];
  const nearest1 = nearestOf(inputs.projection1, inputs.queue);
  const nearest2 = nearestOf(inputs.projection2, inputs.queue);
  const pick = (places: number[]) => places.map((place) => queue[place]);
  const there = direction(pick(nearest1), two, temperature);
  if (!symmetric) return { ...standard(there, { prediction2: two }), nearest1 };
  const back = direction(pick(nearest2), one, temperature);
  const differentiate = { prediction1: one, prediction2: two };
  return { ...standard([...there, ...back], differentiate), nearest1, nearest2 };
}
