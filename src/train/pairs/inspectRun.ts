import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { suggest } from "../../core/suggest.ts";
import { type Sampler, samplers } from "../../sampling/index.ts";
import type { Box, Rectangle } from "../../views/index.ts";
import type { TrainingData } from "../dataset.ts";
import { readRecordedStep, recordedSteps, type RecordedStep, type ViewRow } from "./pairFiles.ts";
import type { AnchorRow, PairRow } from "./pairRows.ts";

/** What a label says of a pair: whether it is on the side where it belongs. */
export type Verdict = "right" | "wrong";

/** An image of the set, with what is known of it. */
export type InspectedImage = { image: number; path: string; label?: string | undefined };

/** A pair as it is shown. */
export type InspectedPair = {
  /** The candidate; both parents where it is a mixture, the anchor itself as null. */
  candidate: InspectedImage | null;
  parents?: { first: InspectedImage | null; second: InspectedImage | null; share: number };
  kind: PairRow["kind"];
  role: PairRow["role"];
  weight: number; // on its side of the loss
  similarity: number; // cosine
  force: number; // slope of the anchor's loss at the similarity
  rank: number; // by similarity, from 1
  term: number; // of the objective
  reasons: string[];
  verdict?: Verdict | undefined; // only where it can be told
  /** Where the candidate is a view of this very batch. */
  shown?: { view: number; crop: Rectangle; box: Box | null; row: number } | undefined;
};

/** An anchor of a step and its candidates. Lists are cut to what was asked for; counts are of all. */
export type InspectedAnchor = InspectedImage & {
  step: number;
  epoch: number; // from 0
  space: string;
  view: number;
  loss: number; // nats
  candidates: number;
  leftOut: number; // candidates that were not written down
  shown: InspectedPair["shown"];
  positives: InspectedPair[]; // strongest pull first
  negatives: InspectedPair[]; // strongest push first
  mixtures: InspectedPair[]; // strongest push first
  changed: InspectedPair[]; // left out of the loss by a sampler, most similar first
  counts: { positives: number; negatives: number; mixtures: number; changed: number };
};

/** Pairs of a step by what happened to them. */
export type ReasonCount = {
  reason: string;
  pairs: number;
  judged: number; // pairs of which it can be told
  wrong: number; // of these, on the wrong side
};

/** A recorded step. */
export type InspectedStep = {
  step: number;
  epoch: number;
  reasons: ReasonCount[];
  anchors: InspectedAnchor[];
  views: ReadonlyMap<number, ViewRow>;
};

/** What is asked for. */
export type InspectQuery = {
  anchor?: string | undefined; // path or number of an image
  step?: number | undefined;
  top: number; // pairs of a list
};

type Known = Pick<TrainingData, "count" | "idOf" | "labels" | "classes">;

function imageFacts(data: Known) {
  return (image: number): InspectedImage => {
    const label = data.labels?.[image] ?? -1;
    return {
      image,
      path: data.idOf(image),
      ...(label < 0 ? {} : { label: data.classes?.[label] ?? String(label) }),
    };
  };
}

/**
 * Words by which samplers take out a negative because it would be of the anchor's class; one that finds no positives, as
 * `random`, takes out by chance.
 */
const cancelled = Object.values<Sampler>(samplers).flatMap((sampler) => {
  const knows = sampler.usesGroups || (sampler.detects && sampler.findsPositives);
  return knows ? (sampler.reasons.dropped ?? []) : [];
});
/** Words by which they take a positive away. */
const demoted = [
  "demoted",
  ...Object.values<Sampler>(samplers).flatMap(({ reasons }) => reasons.demoted ?? []),
];

/**
 * Judges pairs of a step. Positives and negatives are right where the labels would have them; a cancelled negative is
 * where it is of the anchor's class; a demoted view is where it shows another image (a view may, by
 * `views.falsePositives`). Of other pairs, as those outside a ring, labels say nothing: undefined, as where one is
 * unknown.
 */
export function judgeOf({ views }: RecordedStep, { labels }: Pick<Known, "labels">) {
  const sources = new Map(views.map(({ row, source }) => [row, source]));
  return (row: PairRow): Verdict | undefined => {
    const image = sources.get(row.candidateRow ?? -1) ?? row.candidate;
    if (image === null || image < 0) return undefined;
    const said = (words: readonly string[]) =>
      row.reasons.split(",").some((word) => words.includes(word));
    if (said(demoted)) return image === row.anchor ? undefined : "right";
    if (row.role === "none" && !said(cancelled)) return undefined;
    const [a, b] = [labels?.[row.anchor] ?? -1, labels?.[image] ?? -1];
    if (a < 0 || b < 0) return undefined;
    return (a === b) === (row.role !== "negative") ? "right" : "wrong";
  };
}

function pairsOf(step: RecordedStep, data: Known) {
  const facts = imageFacts(data);
  const judge = judgeOf(step, data);
  const views = new Map(step.views.map((view) => [view.row, view]));
  const shownAs = (row: number | null): InspectedPair["shown"] => {
    const view = row === null ? undefined : views.get(row);
    return view && { view: view.view, crop: view.parameters.crop, box: view.box, row: view.row };
  };
  const place = ({ space, anchorRow, column }: PairRow) => `${space} ${anchorRow} ${column}`;
  const seats = new Map(step.pairs.map((row) => [place(row), row]));
  const parent = (row: PairRow, column: number | null) => {
    if (column === null || column < 0) return null;
    const seat = seats.get(place({ ...row, column }));
    return seat?.candidate === null || seat === undefined ? null : facts(seat.candidate);
  };
  const pairOf = (row: PairRow): InspectedPair => ({
    candidate: row.candidate === null || row.candidate < 0 ? null : facts(row.candidate),
    ...(row.kind === "mixture"
      ? {
          parents: {
            first: row.first !== null && row.first < 0 ? facts(row.anchor) : parent(row, row.first),
            second: parent(row, row.second),
            share: row.share ?? 0,
          },
        }
      : {}),
    kind: row.kind,
    role: row.role,
    similarity: row.similarity,
    force: row.force,
    rank: row.rank,
    term: row.term,
    reasons: row.reasons.split(","),
    weight: row.role === "positive" ? row.positive : row.negative,
    verdict: judge(row),
    shown: shownAs(row.candidateRow),
  });
  return { pairOf, facts, shownAs, judge };
}

const byForce = (a: PairRow, b: PairRow) =>
  Math.abs(b.force) - Math.abs(a.force) || a.rank - b.rank;
const byRank = (a: PairRow, b: PairRow) => a.rank - b.rank;

function anchorOf(
  row: AnchorRow,
  pairs: readonly PairRow[],
  read: ReturnType<typeof pairsOf>,
  top: number,
): InspectedAnchor {
  const { step, epoch, space, view, loss, candidates, leftOut } = row;
  const where = (test: (pair: PairRow) => boolean, order: typeof byForce) =>
    pairs.filter(test).toSorted(order);
  const lists = {
    positives: where(({ role }) => role === "positive", byForce),
    negatives: where(({ role, kind }) => role === "negative" && kind !== "mixture", byForce),
    mixtures: where(({ role, kind }) => role === "negative" && kind === "mixture", byForce),
    changed: where(({ role, kind }) => role === "none" && kind !== "mixture", byRank),
  };
  const shown = Object.entries(lists).map(([name, list]) => [
    name,
    list.slice(0, top).map((pair) => read.pairOf(pair)),
  ]);
  const counts = Object.entries(lists).map(([name, list]) => [name, list.length]);
  return {
    step,
    epoch,
    space,
    view,
    loss,
    candidates,
    leftOut,
    ...read.facts(row.anchor),
    shown: read.shownAs(row.anchorRow),
    ...(Object.fromEntries(shown) as Record<keyof typeof lists, InspectedPair[]>),
    counts: Object.fromEntries(counts) as InspectedAnchor["counts"],
  };
}

/** How often each word was said, in the order of frequency. */
function reasonCounts(pairs: readonly PairRow[], judge: ReturnType<typeof judgeOf>): ReasonCount[] {
  const counts = new Map<string, ReasonCount>();
  for (const row of pairs) {
    const verdict = judge(row);
    const words =
      row.reasons === "kept"
        ? [`kept ${row.role === "none" ? "out" : row.role}`]
        : row.reasons.split(",");
    for (const reason of words) {
      const count = counts.get(reason) ?? { reason, pairs: 0, judged: 0, wrong: 0 };
      count.pairs++;
      if (verdict !== undefined) count.judged++;
      if (verdict === "wrong") count.wrong++;
      counts.set(reason, count);
    }
  }
  return [...counts.values()].sort((a, b) => b.pairs - a.pairs);
}

function wantedSteps(folder: string, step: number | undefined): number[] {
  const all = recordedSteps(folder);
  if (all.length === 0) {
    throw new DataError(
      "inspect: the run has no recorded pairs",
      "train with record.steps above 0 (--set record.steps=12)",
    );
  }
  if (step === undefined) return all;
  if (all.includes(step)) return [step];
  throw new DataError(
    `inspect: step ${step} was not recorded, only ${all.join(", ")}`,
    "leave --step out for all of them",
  );
}

/** The image that is asked for. Throws `DataError` where it is no image, or was recorded in no step. */
function wantedImage(asked: string, data: Known, recorded: ReadonlySet<number>): number {
  const paths = new Map([...recorded].map((image) => [data.idOf(image), image]));
  const image = paths.get(asked) ?? (/^\d+$/.test(asked) ? Number(asked) : undefined);
  if (image !== undefined && recorded.has(image)) return image;
  const near = suggest(asked, [...paths.keys()]);
  const some = [...paths.keys()].slice(0, 3).join(", ");
  throw new DataError(
    `inspect: ${quoted(asked)} is no anchor of a recorded step`,
    near === undefined
      ? `recorded are ${some} and others; record.images in the config follows an image`
      : `did you mean ${near}?`,
  );
}

/** Reads what was recorded of a run, for the steps and the anchor that are asked for. */
export async function inspectRun(
  folder: string,
  data: Known,
  { anchor, step, top }: InspectQuery,
): Promise<InspectedStep[]> {
  const steps = wantedSteps(folder, step);
  const recorded = new Map<number, RecordedStep>();
  for (const at of steps) recorded.set(at, await readRecordedStep(folder, at));
  const anchors = new Set(
    [...recorded.values()].flatMap((all) => all.anchors.map((row) => row.anchor)),
  );
  const only = anchor === undefined ? undefined : wantedImage(anchor, data, anchors);
  return steps.flatMap((at) => {
    const found = recorded.get(at)!;
    const rows = found.anchors.filter((row) => only === undefined || row.anchor === only);
    if (rows.length === 0) return [];
    const read = pairsOf(found, data);
    const chosen = new Set(rows.map((row) => row.anchorRow));
    const pairs = found.pairs.filter((row) => chosen.has(row.anchorRow));
    return {
      step: at,
      epoch: rows[0].epoch,
      reasons: reasonCounts(pairs, read.judge),
      anchors: rows.map((row) => {
        const own = pairs.filter(
          (pair) => pair.anchorRow === row.anchorRow && pair.space === row.space,
        );
        return anchorOf(row, own, read, top);
      }),
      views: new Map(found.views.map((view) => [view.row, view])),
    };
  });
}
