import { scoreOf } from "./ntXent.ts";
import { type Matrix, range } from "./rows.ts";
import { type Expected, rowsOf, standard } from "./standard.ts";
import { logSumExp, mean, minus } from "./tape.ts";

type Params = { temperature: number; augmentations: number };
type Inputs = { query: Matrix[]; keys: Matrix[][]; queue: Matrix[] };

export function looc({ temperature, augmentations }: Params, inputs: Inputs): Expected {
  const spaces = augmentations + 1;
  const query = inputs.query.map(rowsOf); // [space][sample]
  const keys = inputs.keys.map((views) => views.map(rowsOf)); // [key view][space][sample]
  const queue = inputs.queue.map(rowsOf); // [space][row]
  const terms = query[0].map((_, b) =>
    range(spaces).map((h) => {
      const scoreWith = (row: (typeof queue)[0][0]) => scoreOf(query[h][b], row, temperature);
      const own = (h === 0 ? [0] : range(spaces)).map((view) => scoreWith(keys[view][h][b]));
      const target = scoreWith(keys[h][h][b]);
      return minus(logSumExp([...own, ...queue[h].map(scoreWith)]), target);
    }),
  );
  const perAnchor = terms.map(mean);
  return {
    ...standard(perAnchor, { query }),
    spaceTerms: terms.map((row) => row.map(({ value }) => value)),
  };
}
