import { scoreOf } from "./ntXent.ts";
import type { Matrix } from "./rows.ts";
import { type Expected, type Row, rowsOf, standard } from "./standard.ts";
import { logSumExp, minus, type Scalar } from "./tape.ts";

type Params = { temperature: number; negatives: "queue" | "inBatch"; symmetric: boolean };
type Inputs = { query: Matrix; key: Matrix; queue?: Matrix };

function withQueue({ temperature }: Params, { query, key, queue }: Inputs): Expected {
  const [queries, keys, others] = [rowsOf(query), rowsOf(key), rowsOf(queue!)];
  const perAnchor = queries.map((q, i) => {
    const positive = scoreOf(q, keys[i], temperature);
    const negatives = others.map((u) => scoreOf(q, u, temperature));
    return minus(logSumExp([positive, ...negatives]), positive);
  });
  return standard(perAnchor, { query: queries });
}

/** Each anchor picks its own candidate among all of the other side. */
function picks(anchors: Row[], candidates: Row[], temperature: number): Scalar[] {
  return anchors.map((anchor, i) => {
    const scores = candidates.map((candidate) => scoreOf(anchor, candidate, temperature));
    return minus(logSumExp(scores), scores[i]);
  });
}

function inBatch({ temperature, symmetric }: Params, { query, key }: Inputs): Expected {
  const [queries, keys] = [rowsOf(query), rowsOf(key)];
  const there = picks(queries, keys, temperature);
  const back = symmetric ? picks(keys, queries, temperature) : [];
  return standard([...there, ...back], { query: queries, key: keys });
}

export function infoNce(params: Params, inputs: Inputs): Expected {
  return params.negatives === "queue" ? withQueue(params, inputs) : inBatch(params, inputs);
}
