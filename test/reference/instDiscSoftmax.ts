import { scoreOf } from "./ntXent.ts";
import type { Matrix } from "./rows.ts";
import { type Expected, rowsOf, standard } from "./standard.ts";
import { logSumExp, minus } from "./tape.ts";

type Inputs = { embedding: Matrix; bank: Matrix; indices: number[] };

export function instDiscSoftmax(params: { temperature: number }, inputs: Inputs): Expected {
  const [anchors, bank] = [rowsOf(inputs.embedding), rowsOf(inputs.bank)];
  const perAnchor = anchors.map((x, i) => {
    const scores = bank.map((v) => scoreOf(x, v, params.temperature));
    return minus(logSumExp(scores), scores[inputs.indices[i]]);
  });
  return standard(perAnchor, { embedding: anchors });
}
