import { selected, type SelectParams, supportScores } from "./fncSelect.ts";
import { scoreOf } from "./ntXent.ts";
import { type Matrix, range, unitRows } from "./rows.ts";
import { type Expected, maskOf, type Row, rowsOf, standard } from "./standard.ts";
import { leaf, logSumExp, mean, minus, type Scalar } from "./tape.ts";

type Params = SelectParams & {
  form: "batch" | "memory" | "candidates";
  temperature: number;
  strategy: "attract" | "eliminate";
};
type Inputs = {
  views: Matrix[];
  keys: Matrix[];
  memory: Matrix;
  labels?: number[];
  anchor: Matrix;
  positive: Matrix;
  support: Matrix[];
  candidates: Matrix;
};

type Anchor = {
  /** Scores of the own positives. */
  own: Scalar[];
  /** Scores of the false negatives found. */
  found: Scalar[];
  /** Scores of all other candidates. */
  rest: Scalar[];
};

function anchorLoss({ own, found, rest }: Anchor, strategy: Params["strategy"]): Scalar {
  const positives = strategy === "attract" ? [...own, ...found] : own;
  if (positives.length === 0) return leaf(0);
  const total = logSumExp([...positives, ...rest]);
  return mean(positives.map((s) => minus(total, s)));
}

/** How well the mask finds candidates of the same label. */
function detection(mask: number[][], labels: number[]) {
  const images = labels.length;
  let [chosen, right, same, others] = [0, 0, 0, 0];
  mask.forEach((row, b) =>
    row.forEach((on, column) => {
      if (column % images === b) return;
      const alike = labels[column % images] === labels[b] ? 1 : 0;
      chosen += on;
      right += on * alike;
      same += alike;
      others += 1;
    }),
  );
  return {
    selected: chosen,
    truePositive: right,
    precision: chosen === 0 ? null : right / chosen,
    recall: same === 0 ? null : right / same,
    baseRate: others === 0 ? null : same / others,
  };
}

/** Views of a batch against columns that begin with V·B views of its images, view-major. */
function ofViews(params: Params, anchors: Row[][], columns: Row[], numbers: Matrix): Expected {
  const [V, B] = [anchors.length, anchors[0].length];
  const imageOf = (column: number) => (column < V * B ? column % B : -1);
  const chosen = range(B).map((b) => {
    const support = range(V).map((v) => numbers[v * B + b]);
    const scores = supportScores(support, numbers, params.aggregation);
    const allowed = range(columns.length).map((column) => imageOf(column) !== b);
    return new Set(selected(scores, allowed, params));
  });
  const perAnchor = anchors.flatMap((images, v) =>
    images.map((anchor, b) => {
      const others = range(columns.length).filter((column) => column !== v * B + b);
      const scores = (keep: (column: number) => boolean) =>
        others.filter(keep).map((column) => scoreOf(anchor, columns[column], params.temperature));
      const own = scores((column) => imageOf(column) === b);
      const found = scores((column) => chosen[b].has(column));
      const rest = scores((column) => imageOf(column) !== b && !chosen[b].has(column));
      return anchorLoss({ own, found, rest }, params.strategy);
    }),
  );
  const values = perAnchor.map(({ value }) => value);
  const average = (list: number[]) => list.reduce((total, x) => total + x, 0) / list.length;
  return {
    ...standard(perAnchor, { views: anchors }),
    mask: chosen.map((columnsOf) => maskOf(columnsOf, columns.length)),
    perView: range(V).map((v) => average(values.slice(v * B, (v + 1) * B))),
  };
}

function batchForm(params: Params, { views, labels }: Inputs): Expected {
  const rows = views.map(rowsOf);
  const result = ofViews(params, rows, rows.flat(), unitRows(views.flat()));
  if (labels === undefined) return result;
  return { ...result, detection: detection(result.mask as number[][], labels) };
}

function memoryForm(params: Params, { views, keys, memory }: Inputs): Expected {
  const columns = [...keys.flat(), ...memory];
  return ofViews(params, views.map(rowsOf), rowsOf(columns), unitRows(columns));
}

function candidatesForm(params: Params, inputs: Inputs): Expected {
  const [anchors, positives] = [rowsOf(inputs.anchor), rowsOf(inputs.positive)];
  const candidates = rowsOf(inputs.candidates);
  const numbers = unitRows(inputs.candidates);
  const chosen = inputs.support.map((support) => {
    const scores = supportScores(unitRows(support), numbers, params.aggregation);
    const allowed = candidates.map(() => true);
    return new Set(selected(scores, allowed, params));
  });
  const perAnchor = anchors.map((anchor, b) => {
    const scores = (keep: (column: number) => boolean) =>
      range(candidates.length)
        .filter(keep)
        .map((column) => scoreOf(anchor, candidates[column], params.temperature));
    const own = [scoreOf(anchor, positives[b], params.temperature)];
    const found = scores((column) => chosen[b].has(column));
    const rest = scores((column) => !chosen[b].has(column));
    return anchorLoss({ own, found, rest }, params.strategy);
  });
  return {
    ...standard(perAnchor, { anchor: anchors, positive: positives, candidates }),
    mask: chosen.map((columns) => maskOf(columns, candidates.length)),
  };
}

export function fnc(params: Params, inputs: Inputs): Expected {
  if (params.form === "batch") return batchForm(params, inputs);
  return params.form === "memory" ? memoryForm(params, inputs) : candidatesForm(params, inputs);
}
