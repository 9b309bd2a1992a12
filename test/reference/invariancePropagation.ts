import { scoreOf } from "./ntXent.ts";
import { ascending, blended, descending, type Matrix, product, range, unitRows } from "./rows.ts";
import { type Expected, rowsOf, standard } from "./standard.ts";
import { exp, leaf, log, over, plus, type Scalar, scaled, shifted, sum } from "./tape.ts";

type Params = {
  variant: "set" | "multiset";
  temperature: number;
  neighbours: number;
  steps: number;
  hardPositives: number;
  hardNegatives: number;
  invarianceWeight: number;
  bankMomentum: number;
  epsilon: number;
};
type Inputs = { embedding: Matrix; bank: Matrix; indices: number[] };

/** What was found for one anchor, rows of the bank. */
type Found = { positives: number[]; negatives: number[]; listed: number[][] | number[] };

/** Everything within `steps` edges of `start`, itself left out, after each step; ascending. */
function reached(graph: number[][], start: number, steps: number): number[][] {
  const seen = new Set([start]);
  let edge = [start];
  return range(steps).map(() => {
    edge = edge.flatMap((row) => graph[row]).filter((row) => !seen.has(row));
    edge = [...new Set(edge)];
    edge.forEach((row) => seen.add(row));
    return [...seen].filter((row) => row !== start).sort((a, b) => a - b);
  });
}

/** Neighbours of the last layer's entries, layer by layer, repeats kept. */
function walked(graph: number[][], start: number, steps: number): number[] {
  let layer = [start];
  return range(steps).flatMap(() => (layer = layer.flatMap((row) => graph[row])));
}

/** The entries of a list with the lowest cosine, ascending. */
function lowest(list: number[], cosine: number[], count: number): number[] {
  return ascending(list.map((row) => cosine[row]))
    .slice(0, count)
    .map((place) => list[place]);
}

type Anchor = { i: number; cosine: number[]; nearest: number[]; graph: number[][] };

function find({ i, cosine, nearest, graph }: Anchor, params: Params): Found {
  if (params.variant === "multiset") {
    const list = walked(graph, i, params.steps);
    return {
      positives: lowest(list, cosine, params.hardPositives),
      negatives: nearest.filter((row) => row !== i),
      listed: list,
    };
  }
  const steps = reached(graph, i, params.steps);
  const all = steps.at(-1) ?? [];
  return {
    positives: lowest(all, cosine, params.hardPositives),
    negatives: nearest.filter((row) => row !== i && !all.includes(row)),
    listed: steps,
  };
}

type Terms = { instance: Scalar; invariance: Scalar };

/** −ln(a / b + ε) */
const surprise = (a: Scalar, b: Scalar, epsilon: number) =>
  scaled(log(shifted(over(a, b), epsilon)), -1);

function terms(e: Scalar[], { i, nearest }: Anchor, found: Found, params: Params): Terms {
  const total = (rows: number[]) => sum(rows.map((row) => e[row]));
  const hard = total(found.positives);
  if (params.variant === "multiset") {
    const { epsilon } = params;
    return {
      instance: surprise(e[i], total(nearest), epsilon),
      invariance: surprise(hard, total(found.negatives), epsilon),
    };
  }
  const near = nearest.includes(i) ? nearest : [...nearest, i];
  const empty = found.negatives.length === 0 || found.positives.length === 0;
  const both = total([...found.positives, ...found.negatives]);
  return {
    instance: surprise(e[i], total(near), 0),
    invariance: empty ? leaf(0) : surprise(hard, both, 0),
  };
}

/** The k + 1 nearest rows, the first k of them; where row i is one of these, the last stands for it. */
function refreshed(cosine: number[], i: number, k: number): number[] {
  const near = descending(cosine).slice(0, k + 1);
  return near.slice(0, k).map((row) => (row === i ? near[k] : row));
}

export function invariancePropagation(params: Params, inputs: Inputs): Expected {
  const { neighbours: k, hardNegatives, invarianceWeight, temperature } = params;
  const { indices } = inputs;
  const [anchors, rows] = [rowsOf(inputs.embedding), rowsOf(inputs.bank)];
  const [fresh, bank] = [unitRows(inputs.embedding), unitRows(inputs.bank)];
  const graph = bank.map((row, a) =>
    descending(bank.map((other) => product(row, other)))
      .filter((other) => other !== a)
      .slice(0, k),
  );
  const each = fresh.map((row, b): Anchor => {
    const cosine = bank.map((other) => product(row, other));
    return { i: indices[b], cosine, nearest: descending(cosine).slice(0, hardNegatives), graph };
  });
  const found = each.map((anchor) => find(anchor, params));
  const both = anchors.map((anchor, b) => {
    const e = rows.map((row) => exp(scoreOf(anchor, row, temperature)));
    return terms(e, each[b], found[b], params);
  });
  const perAnchor = both.map(({ instance, invariance }) =>
    plus(instance, scaled(invariance, invarianceWeight)),
  );
  const listed = params.variant === "set" ? "positivesPerStep" : "multiset";
  return {
    ...standard(perAnchor, { embedding: anchors }),
    neighbours: graph,
    nearest: each.map(({ nearest }) => nearest),
    [listed]: found.map((one) => one.listed),
    hardPositives: found.map(({ positives }) => positives),
    hardNegatives: found.map(({ negatives }) => negatives),
    refreshedNeighbours: each.map(({ cosine, i }) => refreshed(cosine, i, k)),
    lossInstance: both.map(({ instance }) => instance.value),
    lossInvariance: both.map(({ invariance }) => invariance.value),
    updatedRows: fresh.map((row, b) => blended(bank[indices[b]], row, params.bankMomentum)),
  };
}
