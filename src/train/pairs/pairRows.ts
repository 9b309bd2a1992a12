import type { HostArray, HostRecord } from "../../core/arrays.ts";
import {
  type LoadedBatch,
  ofChain,
  type RecordedChain,
  type RecordedLink,
} from "../../frameworks/index.ts";

/** One candidate of a recorded anchor, in one term of its loss. */
export type PairRow = {
  step: number; // from 0
  space: string; // chain of samplers, one for each matrix of similarities
  anchorRow: number; // of the batch's views: a · B + b is view a of image b
  anchor: number; // image
  term: number; // of the objective; only some samplers split it
  column: number;
  kind: "view" | "key" | "prediction" | "queue" | "bank" | "mixture";
  candidate: number | null; // image; null for a mixture
  candidateRow: number | null; // of the batch's views; null for what earlier steps left
  role: "positive" | "negative" | "none";
  positive: number; // weight
  negative: number; // weight
  similarity: number; // cosine
  force: number; // slope of the anchor's loss at the similarity; negative pulls, positive pushes
  rank: number; // by similarity among the anchor's candidates, from 1
  reasons: string; // words of the samplers that changed the pair, with commas; else "kept"
  first: number | null; // column of a mixture's first parent, −1 for the anchor itself
  second: number | null;
  share: number | null; // of the first parent
};

/** One recorded anchor. */
export type AnchorRow = {
  step: number;
  epoch: number; // from 0
  space: string;
  anchorRow: number;
  anchor: number; // image
  view: number;
  loss: number; // nats
  terms: string; // JSON: weight and options of the loss of each term
  candidates: number; // all of them
  leftOut: number; // candidates that have no rows, those with the least force
};

/** A term as `AnchorRow.terms` writes it. */
export type TermSaid = { weight: number; temperature?: number; denominator?: string };

/** Which pairs of a step are wanted. */
export type Wanted = { step: number; epoch: number; rows: Int32Array; limit: number };

type Matrix = { at(row: number, column: number): number };

const matrix = ({ data, shape }: HostArray): Matrix => ({
  at: (row, column) => (column < shape[1] ? data[row * shape[1] + column] : 0),
});

type Side = { positive: Matrix; negative: Matrix };
const side = (arrays: HostRecord, name: string): Side => ({
  positive: matrix(arrays[`${name}.positive`]),
  negative: matrix(arrays[`${name}.negative`]),
});

/** The word for what a sampler did to a pair, given its weights before and after; undefined for nothing. */
function reasonOf(
  reasons: RecordedLink["reasons"],
  before: { positive: number; negative: number },
  after: { positive: number; negative: number },
): string | undefined {
  if (before.positive === after.positive && before.negative === after.negative) return undefined;
  if (before.positive === 0 && after.positive > 0) return reasons.promoted ?? "promoted";
  if (before.positive > 0 && after.positive === 0) return reasons.demoted ?? "demoted";
  if (before.negative > 0 && after.negative === 0) return reasons.dropped ?? "dropped";
  return reasons.weighted ?? "weighted";
}

type Seat = Pick<PairRow, "kind" | "candidate" | "candidateRow">;

/** What stands in each column for an anchor. */
function seatsOf(chain: RecordedChain, ids: HostArray, loaded: LoadedBatch, batchSize: number) {
  const imageOf = (row: number) => loaded.ids[row % loaded.ids.length];
  const starts: number[] = [];
  let width = 0;
  for (const { count } of chain.columns) {
    starts.push(width);
    width += count;
  }
  return (anchorRow: number, column: number): Seat => {
    if (column >= width) return { kind: "mixture", candidate: null, candidateRow: null };
    const block = starts.findLastIndex((start) => start <= column);
    const { kind, view, own } = chain.columns[block];
    if (view === undefined) return { kind, candidate: ids.data[column], candidateRow: null };
    const anchorView = Math.floor(anchorRow / batchSize);
    const image = own ? anchorRow % batchSize : column - starts[block];
    const row = (view === "other" ? 1 - anchorView : view) * batchSize + image;
    return { kind, candidate: imageOf(row), candidateRow: row };
  };
}

type Arrays = {
  recorded: HostRecord;
  stages: Side[];
  terms: (Side & { weight: HostArray | undefined })[];
  width: number; // M + S
};

function arraysOf(chain: RecordedChain, all: HostRecord): Arrays {
  const recorded = ofChain(all, chain.key);
  return {
    recorded,
    stages: [...chain.links.keys(), chain.links.length].map((i) => side(recorded, `stage${i}`)),
    terms: chain.overrides().map((_, t) => ({
      ...side(recorded, `term${t}`),
      weight: recorded[`term${t}.weight`],
    })),
    width: recorded.similarity.shape[1],
  };
}

const weightsAt = ({ positive, negative }: Side, r: number, j: number) => ({
  positive: positive.at(r, j),
  negative: negative.at(r, j),
});

/** The samplers' words for a pair. */
function wordsOf(chain: RecordedChain, { stages }: Arrays, r: number, j: number): string[] {
  return chain.links.flatMap(({ reasons }, i) => {
    const [before, after] = [stages[i], stages[i + 1]].map((stage) => weightsAt(stage, r, j));
    return reasonOf(reasons, before, after) ?? [];
  });
}

/** Columns that are candidates of the r-th recorded anchor: a weight before the samplers, or after them. */
function candidatesOf({ stages, terms, width }: Arrays, r: number): number[] {
  const some = ({ positive, negative }: Side, j: number) =>
    positive.at(r, j) !== 0 || negative.at(r, j) !== 0;
  return Array.from({ length: width }, (_, j) => j).filter(
    (j) => some(stages[0], j) || terms.some((term) => some(term, j)),
  );
}

/** Rank by similarity of each column, from 1; ties go to the lower column. */
function ranksOf(columns: readonly number[], similarity: Matrix, r: number): Map<number, number> {
  const order = columns.toSorted((a, b) => similarity.at(r, b) - similarity.at(r, a) || a - b);
  return new Map(order.map((column, i) => [column, i + 1]));
}

/** Columns with those that attract first, then by the size of their force, then by rank. */
function strongestFirst(
  columns: readonly number[],
  { recorded, stages, terms }: Arrays,
  r: number,
  ranks: ReadonlyMap<number, number>,
): number[] {
  const force = matrix(recorded.force);
  const attracts = (j: number) =>
    stages[0].positive.at(r, j) > 0 || terms.some(({ positive }) => positive.at(r, j) > 0);
  return columns.toSorted(
    (a, b) =>
      Number(attracts(b)) - Number(attracts(a)) ||
      Math.abs(force.at(r, b)) - Math.abs(force.at(r, a)) ||
      ranks.get(a)! - ranks.get(b)!,
  );
}

type Table = { anchors: AnchorRow[]; pairs: PairRow[] };

/** Rows of one recorded anchor. */
function anchorTable(
  chain: RecordedChain,
  arrays: Arrays,
  seat: (anchorRow: number, column: number) => Seat,
  { step, epoch, rows, limit }: Wanted,
  at: { r: number; image: number; batchSize: number },
): Table {
  const { r, image, batchSize } = at;
  const { recorded, terms } = arrays;
  const [similarity, force] = [matrix(recorded.similarity), matrix(recorded.force)];
  const columns = candidatesOf(arrays, r);
  const ranks = ranksOf(columns, similarity, r);
  const kept = strongestFirst(columns, arrays, r, ranks).slice(0, limit);
  const common = { step, space: chain.key, anchorRow: rows[r], anchor: image };
  const pairs = kept.flatMap((column) => {
    const words = wordsOf(chain, arrays, r, column);
    const place = seat(rows[r], column);
    const mixed = place.kind === "mixture";
    const parent = (name: string) => {
      const { data, shape } = recorded[`mixture.${name}`];
      return data[r * shape[1] + column - recorded.ids.data.length];
    };
    const all = terms.map((term, t) => ({ t, ...weightsAt(term, r, column) }));
    const used = all.filter(({ positive, negative }) => positive !== 0 || negative !== 0);
    return (used.length > 0 ? used : all.slice(0, 1)).map(({ t, positive, negative }): PairRow => ({
      ...common,
      term: t,
      column,
      ...place,
      role: positive > 0 ? "positive" : negative > 0 ? "negative" : "none",
      positive,
      negative,
      similarity: similarity.at(r, column),
      force: force.at(r, column),
      rank: ranks.get(column)!,
      reasons: mixed ? "mixed" : words.length === 0 ? "kept" : words.join(","),
      first: mixed ? parent("first") : null,
      second: mixed ? parent("second") : null,
      share: mixed ? parent("share") : null,
    }));
  });
  const said = chain.overrides().map(({ temperature, denominator }, t): TermSaid => ({
    weight: terms[t].weight?.data[r] ?? 1,
    ...(temperature === undefined ? {} : { temperature }),
    ...(denominator === undefined ? {} : { denominator }),
  }));
  const anchor: AnchorRow = {
    ...common,
    epoch,
    view: Math.floor(rows[r] / batchSize),
    loss: recorded.loss.data[r],
    terms: JSON.stringify(said),
    candidates: columns.length,
    leftOut: columns.length - kept.length,
  };
  return { anchors: [anchor], pairs };
}

/** Rows of all recorded anchors of a step; `all` are the results of the recording program. */
export function pairTable(
  chains: readonly RecordedChain[],
  all: HostRecord,
  loaded: LoadedBatch,
  batchSize: number,
  wanted: Wanted,
): Table {
  const tables = chains.flatMap((chain) => {
    const arrays = arraysOf(chain, all);
    const seat = seatsOf(chain, arrays.recorded.ids, loaded, batchSize);
    return Array.from(wanted.rows, (row, r) => {
      const image = loaded.ids[row % loaded.ids.length];
      return anchorTable(chain, arrays, seat, wanted, { r, image, batchSize });
    });
  });
  return {
    anchors: tables.flatMap(({ anchors }) => anchors),
    pairs: tables.flatMap(({ pairs }) => pairs),
  };
}
