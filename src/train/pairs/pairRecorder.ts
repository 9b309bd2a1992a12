import { counted } from "../../core/counted.ts";
import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { suggest } from "../../core/suggest.ts";
import type { HostRecord, HostTree } from "../../core/arrays.ts";
import { compile, type Program, type SpecTree, type TracedFunction } from "../../engine/index.ts";
import {
  asHostTree,
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
export const affordableSteps = (total: number): number =>
  Math.min(12, Math.max(2, Math.floor(total / 25)));

/** `count` of `total` steps, as far apart as can be, the first and the last among them. */
export function chosenSteps(total: number, count: number): Set<number> {
  if (count === 0) return new Set();
  if (count >= total) return new Set(Array.from({ length: total }, (_, i) => i));
  if (count === 1) return new Set([0]);
  const place = (i: number) => Math.round((i * (total - 1)) / (count - 1));
  return new Set(Array.from({ length: count }, (_, i) => place(i)));
}

/** Images among which a mistyped path is looked for at most. */
const SEARCHED = 5000;

/** Numbers of images given by path or by number. Throws `ConfigError` where there is no such image. */
export function imageNumbers(
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
const behindViews = <T extends HostRecord | Framework["batchSpec"]>(batch: T) =>
  omit(batch, "views", "learningRate", "bodyRate");

/** Whether embeddings come from the stepper's micro-batches, not from the recording program. */
const cutAtEmbeddings = (recorder: Recorder, stepper: Stepper): boolean =>
  stepper.embeddings !== undefined && recorder.contrast !== undefined;

type Running = { recorder: Recorder; program: Program };

/** Compiles the recording program when it is first needed. */
function compiling({ framework, stepper, target, listener }: Parts, count: number) {
  let running: Promise<Running> | undefined;
  const open = async (state: HostState): Promise<Running> => {
    listener({ kind: "compiling", what: "the recording of pairs" });
    const recorder = framework.recorder!(count);
    const { batchSpec } = recorder;
    const shape = [batchSpec.views.shape[0], framework.head.dimension];
    const embeddings = { dtype: "float32", shape };
    const [fn, example] = cutAtEmbeddings(recorder, stepper)
      ? [recorder.contrast, [embeddings, behindViews(batchSpec), state.sampling ?? {}]]
      : [recorder.program, [asHostTree(state), batchSpec]];
    const program = await compile(fn as TracedFunction, example as SpecTree[], target);
    return { recorder, program };
  };
  return {
    get: (state: HostState) => (running ??= open(state)),
    dispose: async () => void (await (await running)?.program.dispose()),
  };
}

/** Results of the recording program for one step. */
async function recorded(
  { recorder, program }: Running,
  { stepper }: Parts,
  state: HostState,
  batch: HostRecord,
): Promise<HostRecord> {
  if (!cutAtEmbeddings(recorder, stepper)) {
    return (await program.run(asHostTree(state), batch)) as HostRecord;
  }
  const embeddings = await stepper.embeddings!(state, batch);
  const rest: HostTree = behindViews(batch);
  return (await program.run(embeddings, rest, state.sampling ?? {})) as HostRecord;
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
      const open = await running.get(state);
      const results = await recorded(open, parts, state, open.recorder.batch(loaded, at, rows));
      const used = rows.subarray(0, chosen ? count : watched);
      const wanted = { step, epoch: Math.floor(step / perEpoch), rows: used, limit: candidates };
      const table = pairTable(open.recorder.chains, results, loaded, config.batchSize, wanted);
      open.program.recycle(results);
      const views = viewRows(batch, boxes, table.pairs, config.batchSize);
      await writeRecordedStep(folder.pairs, step, { ...table, views });
    },
    dispose: running.dispose,
  };
}
