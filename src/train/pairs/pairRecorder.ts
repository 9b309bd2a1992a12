import { counted } from "../../core/counted.ts";
import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { suggest } from "../../core/suggest.ts";
import type { HostRecord, HostTree } from "../../core/arrays.ts";
import { compile, type Program, type TracedFunction } from "../../engine/index.ts";
import {
  asHostTree,
  type EmbeddedBatch,
  type Framework,
  type HostState,
  type LoadedBatch,
  type Recorder,
  type StepAt,
} from "../../frameworks/index.ts";
import { boxAt, type Boxes, type ViewBatch } from "../../views/index.ts";
import type { RunConfig } from "../../config/schema.ts";
import type { TrainingData } from "../dataset.ts";
import { epochsAt } from "../time/epochs.ts";
import type { TrainListener } from "../events.ts";
import { omit } from "../../config/layers.ts";
import type { Progress } from "../loop.ts";
import { writeRecordedStep, type ViewRow } from "./pairFiles.ts";
import { type PairRow, pairTable } from "./pairRows.ts";
import type { RunFolder } from "../run/runFolder.ts";
import type { Stepper, Target } from "../stepper.ts";

/** Records pairs of steps into the folder of a run. */
export type PairRecorder = {
  /** Records the step that comes next, where it is one to record. Changes nothing of what is given. */
  before(
    { state, boxes }: Pick<Progress, "state" | "boxes">,
    batch: ViewBatch,
    loaded: LoadedBatch,
    at: StepAt,
  ): Promise<void>;
  dispose(): Promise<void>;
};

type Parts = {
  readonly config: RunConfig; // read before each step: its plan may change
  readonly framework: Framework;
  readonly stepper: Stepper;
  readonly target: Target;
  readonly data: Pick<TrainingData, "count" | "idOf">;
  readonly folder: Pick<RunFolder, "pairs">;
  readonly listener: TrainListener;
};

/** Steps to record where none are asked for: they cost about half a step each. */
const affordableSteps = (total: number): number =>
  Math.min(12, Math.max(2, Math.floor(total / 25)));

/** `count` of `total` steps, as far apart as can be, the first and the last among them. */
function chosenSteps(total: number, count: number): Set<number> {
  if (count === 0) return new Set();
  if (count >= total) return new Set(Array.from({ length: total }, (_, i) => i));
  if (count === 1) return new Set([0]);
  const place = (i: number) => Math.round((i * (total - 1)) / (count - 1));
  return new Set(Array.from({ length: count }, (_, i) => place(i)));
}

/** Images among which a mistyped path is looked for at most. */
const SEARCHED = 5000;

/** Numbers of images given by path or by number. Throws `ConfigError` where there is no such image. */
function imageNumbers(
  wanted: readonly (string | number)[],
  { count, idOf }: Pick<TrainingData, "count" | "idOf">,
  where: string,
): number[] {
  if (wanted.length === 0) return [];
  const paths = new Map(Array.from({ length: count }, (_, i) => [idOf(i), i]));
  return wanted.map((one) => {
    const found = paths.get(String(one)) ?? (/^\d+$/.test(String(one)) ? Number(one) : undefined);
    if (found !== undefined && found < count) return found;
    const near = count <= SEARCHED ? suggest(String(one), [...paths.keys()]) : undefined;
    throw new ConfigError(
      `${where}: there is no image ${quoted(one)} in the dataset of ${counted(count, "image")}`,
      near === undefined ? `give a path such as ${quoted(idOf(0))}` : `did you mean ${near}?`,
    );
  });
}

/** What a program behind the embeddings takes of a batch. */
const keptOf = ({ memory = {}, sampling = {} }: HostState): HostTree[] => [memory, sampling];
const behindViews = <T extends HostRecord | Framework["batchSpec"]>(batch: T) =>
  omit(batch, "views", "learningRate", "bodyRate");

type Running = { recorder: Recorder; program: Program };

/** Compiles the recording program when it is first needed: behind the stepper's own embeddings where it has them. */
function compiling({ framework, stepper, target, listener }: Parts, count: number) {
  let running: Promise<Running> | undefined;
  const open = async (state: HostState, embedded?: EmbeddedBatch["embedded"]): Promise<Running> => {
    listener({ kind: "compiling", what: "the recording of pairs" });
    const recorder = framework.recorder!(count);
    const { batchSpec } = recorder;
    const [fn, example] = embedded
      ? [recorder.contrast, [{ ...embedded }, behindViews(batchSpec), ...keptOf(state)]]
      : [recorder.program, [asHostTree(state), batchSpec]];
    const program = await compile(fn as TracedFunction, example, target);
    return { recorder, program };
  };
  return {
    /** Results of the recording program for one step. */
    async record(state: HostState, loaded: LoadedBatch, at: StepAt, rows: Int32Array) {
      const embedded = await stepper.embedded?.(state, loaded, at);
      const { recorder, program } = await (running ??= open(state, embedded));
      const results = embedded
        ? await program.run(
            { ...embedded },
            behindViews(recorder.beside(loaded, at, rows)),
            ...keptOf(state),
          )
        : await program.run(asHostTree(state), recorder.batch(loaded, at, rows));
      return {
        recorder,
        results: results as HostRecord,
        done: () => program.recycle(results),
      };
    },
    dispose: async () => void (await (await running)?.program.dispose()),
  };
}

/** Views of the batch that rows speak of. */
function viewRows(
  batch: ViewBatch,
  boxes: Boxes | undefined,
  pairs: readonly PairRow[],
  batchSize: number,
): ViewRow[] {
  const rows = new Set(pairs.flatMap(({ anchorRow, candidateRow }) => [anchorRow, candidateRow]));
  return [...rows]
    .filter((row) => row !== null)
    .sort((a, b) => a - b)
    .map((row) => {
      const [view, b] = [Math.floor(row / batchSize), row % batchSize];
      const parameters = batch.parameters(view, b);
      const source = batch.sources[row];
      const box = boxes === undefined ? null : boxAt(boxes, source);
      return { row, view, image: batch.ids[b], source, parameters, box };
    });
}

/** Rows of a batch to record: first views, those of watched images first. */
function rowsOf(ids: Int32Array, watched: ReadonlySet<number>, count: number) {
  const all = Array.from(ids, (_, b) => b);
  const first = all.filter((b) => watched.has(ids[b]));
  const order = [...first, ...all.filter((b) => !watched.has(ids[b]))];
  return { rows: Int32Array.from(order.slice(0, count)), watched: Math.min(first.length, count) };
}

/** Opens the recorder of a run; undefined where nothing is to be recorded. */
export function openPairRecorder(parts: Parts): PairRecorder | undefined {
  const { config, framework, data, folder } = parts;
  const { steps, anchors, candidates, images } = config.record;
  if (framework.recorder === undefined || (steps === 0 && images.length === 0)) return undefined;
  const perEpoch = Math.floor(data.count / config.batchSize);
  const isChosen = (step: number) => {
    const total = epochsAt(parts.config, step) * perEpoch;
    return chosenSteps(total, steps ?? affordableSteps(total)).has(step);
  };
  const watching = new Set(imageNumbers(images, data, "record.images"));
  const count = Math.min(anchors, config.batchSize);
  const running = compiling(parts, count);
  return {
    async before({ state, boxes }, batch, loaded, at) {
      const { rows, watched } = rowsOf(batch.ids, watching, count);
      const { step } = at;
      const chosen = isChosen(step);
      if (!chosen && watched === 0) return;
      const { recorder, results, done } = await running.record(state, loaded, at, rows);
      const used = rows.subarray(0, chosen ? count : watched);
      const wanted = { step, epoch: Math.floor(step / perEpoch), rows: used, limit: candidates };
      const table = pairTable(recorder.chains, results, loaded, config.batchSize, wanted);
      done();
      const views = viewRows(batch, boxes, table.pairs, config.batchSize);
      await writeRecordedStep(folder.pairs, step, { ...table, views });
    },
    dispose: running.dispose,
  };
}
