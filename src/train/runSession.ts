import { basename, join } from "node:path";

import { VERSION } from "../core/version.ts";
import { type Lock, readJsonLines } from "../files/index.ts";
import type { Framework, HostState } from "../frameworks/index.ts";
import type { Boxes, ViewBatch } from "../views/index.ts";
import { type Exported, writeCheckpoint } from "./run/checkpoint.ts";
import type { RunConfig } from "../config/schema.ts";
import {
  describeRefresh,
  describeStart,
  firstBoxes,
  isRefreshDue,
  refreshCrops,
} from "./crops/cropRefresh.ts";
import type { TrainingData } from "./dataset.ts";
import { configHash, decisivePart } from "../config/decisive.ts";
import { epochsAt, scheduleOf } from "./time/epochs.ts";
import type { BaselineRecord, EvaluationRecord, TrainListener } from "./events.ts";
import { describeFailure, stopAt } from "./failure.ts";
import { isHealthDue, openHealthProbe } from "./health/probe.ts";
import { describeDiagnosis, watchHealth } from "./health/watch.ts";
import { keepingTime } from "./time/keepTime.ts";
import { loadedBatch } from "./loadedBatch.ts";
import { metricsLine } from "./run/metricsLine.ts";
import { type LoopParts, type Progress, runLoop } from "./loop.ts";
import { type Monitor, openMonitor } from "./monitor.ts";
import { coverageFigures } from "./crops/objectBoxes.ts";
import { openPairRecorder, type PairRecorder } from "./pairs/pairRecorder.ts";
import type { Position } from "./run/position.ts";
import { openRunFiles, type RunFiles, type RunRecord } from "./run/runFiles.ts";
import type { RunFolder } from "./run/runFolder.ts";
import type { Kept } from "./kept/openKept.ts";
import { openLoader } from "./openLoader.ts";
import { openRunLoader, type RunLoader } from "./runLoader.ts";
import { following, lastSeen } from "./run/seen.ts";
import { exportedOf, parameterCount } from "./session.ts";
import type { Start } from "../config/start.ts";
import type { Stepper, Target } from "./stepper.ts";

/** Everything that one sitting of training works with. */
export type Session = {
  config: RunConfig; // replaced where the plan changes under way
  readonly framework: Framework;
  readonly state: HostState;
  /** Boxes of a checkpoint that is gone on from. */
  readonly boxes?: Boxes | undefined;
  readonly stepper: Stepper;
  readonly target: Target;
  readonly data: TrainingData;
  readonly test: TrainingData | undefined; // held-out images to measure
  readonly start: Start | undefined; // the pretrained encoder that it began with
  readonly kept: Kept | undefined; // features, where the body of that is frozen
  readonly folder: RunFolder;
  readonly held: Lock; // of the folder
  readonly signal: AbortSignal;
  readonly listener: TrainListener;
};

/** What a sitting came to. */
export type Outcome = {
  readonly config: RunConfig; // as it came to be
  readonly epochs: number; // done
  readonly steps: number; // done
  readonly finished: boolean;
  readonly seconds: number; // of training, over all sittings
  readonly loss: number | null; // mean of the last epoch that was done, nats
  readonly chanceLoss: number; // nats
  readonly evaluation: EvaluationRecord | undefined; // the last one
  readonly baselines: BaselineRecord | undefined;
};

type Saving = { session: Session; files: RunFiles; exported: Exported; stepsPerEpoch: number };

function positionOf({ session, files, stepsPerEpoch }: Saving, progress: Progress): Position {
  const decisive = decisivePart(session.config, session.data.fingerprint);
  const { step, elapsedSeconds, best, behindStart, lossSum } = progress;
  const epoch = Math.floor(step / stepsPerEpoch);
  return {
    format: 1,
    package: VERSION,
    step,
    epoch,
    stepInEpoch: step - epoch * stepsPerEpoch,
    elapsedSeconds,
    best,
    behindStart,
    lossSum,
    lengths: files.flush(),
    configHash: configHash(decisive),
    decisive,
  };
}

async function save(saving: Saving, progress: Progress, names: readonly string[]) {
  const { session, exported } = saving;
  session.held.check();
  await session.stepper.agree?.(progress.state);
  const position = positionOf(saving, progress);
  for (const name of names) {
    const path = join(session.folder.checkpoints, name);
    await writeCheckpoint(path, progress, position, exported);
  }
  session.listener({ kind: "checkpoint", step: progress.step });
}

function failing(saving: Saving): LoopParts["fail"] {
  return async (before, batch, figures) => {
    const { folder, config, data } = saving.session;
    await save(saving, before, [basename(folder.beforeFailure)]);
    const at = {
      step: before.step,
      learningRate: scheduleOf(config, saving.stepsPerEpoch)(before.step),
    };
    const failure = describeFailure(folder, at, batch, figures, (index) => data.idOf(index));
    const error = stopAt(failure, folder.failure);
    saving.files.log(error.message);
    return error;
  };
}

function announce(session: Session, firstStep: number, stepsPerEpoch: number): void {
  const { config, framework, data, folder, listener } = session;
  const parameters = parameterCount(framework.encoder);
  const all = session.start === undefined ? parameters : parameterCount(session.start.network);
  listener({
    kind: "start",
    config,
    run: folder.path,
    images: data.count,
    labelled: data.labels !== undefined,
    stepsPerEpoch,
    parameters,
    frozen: config.adapter === undefined ? all - parameters : 0,
    firstStep,
  });
}

/** Makes boxes anew when they are due, and goes on with batches that follow them. */
function refreshing({ session, files }: Saving, loader: RunLoader): LoopParts["refresh"] {
  const { listener } = session;
  const { views } = session.config;
  return async (progress, epoch) => {
    const planned = epochsAt(session.config, progress.step - 1);
    if (!isRefreshDue(epoch, views, planned)) return;
    const { boxes, record } = await refreshCrops(session, progress, epoch);
    progress.boxes = boxes;
    await session.stepper.batchesFrom?.(progress.step, planned, boxes);
    await loader.reopen(progress.step, boxes);
    files.record(record);
    const text = describeRefresh(record, views.crop);
    files.log(text);
    listener({ kind: "note", text });
  };
}

/** What a run wrote before it goes on; nothing where that cannot be read, as training does not need it. */
const earlierRecords = ({ metrics }: RunFolder): Promise<RunRecord[]> =>
  readJsonLines(metrics, metricsLine).catch(() => []);

/** What the encoder has to beat: measured and written down before the first step, later read. */
async function baselinesOf(
  { session, files }: Saving,
  monitor: Monitor,
  progress: Progress,
  earlier: readonly RunRecord[],
): Promise<BaselineRecord | undefined> {
  const { step, state } = progress;
  const isNew = step === 0 && session.config.evaluation.every > 0;
  const baselines = isNew
    ? await monitor.baselines(state)
    : earlier.find((record) => record.kind === "baselines");
  if (baselines === undefined) return undefined;
  if (isNew) files.record(baselines);
  session.listener({ kind: "baselines", record: baselines });
  if (session.start !== undefined) progress.bar = baselines.balancedStart ?? null;
  progress.best ??= progress.bar;
  return baselines;
}

/** A batch with all its views: where this process has some rows only, the others are made here too. */
async function withAllViews<R>(
  session: Session,
  { batch, ...at }: { batch: ViewBatch; stepsPerEpoch: number; boxes: Boxes | undefined },
  use: (whole: ViewBatch) => Promise<R>,
): Promise<R> {
  if (batch.places === undefined) return use(batch);
  const config = { ...session.config, workers: 0 };
  const loader = openLoader({ ...session, config }, { ...at, step: batch.step });
  try {
    return await use((await loader.next())!);
  } finally {
    await loader.close();
  }
}

/** Looks at a run when that is due, and tells where its verdict changes. */
async function examining({ session, files, stepsPerEpoch }: Saving, earlier: readonly RunRecord[]) {
  const { config, framework, data, target, listener } = session;
  const watch = watchHealth(config, () => session.config.epochs * stepsPerEpoch);
  for (const record of earlier) watch.see(record);
  const probe = openHealthProbe(framework, data, target, listener);
  const look: LoopParts["look"] = async (before, progress, batch) => {
    const { state, step, elapsedSeconds } = progress;
    if (!isHealthDue(step, epochsAt(session.config, step) * stepsPerEpoch)) return undefined;
    const at = { epoch: Math.floor(step / stepsPerEpoch), step, elapsedSeconds };
    return withAllViews(session, { batch, stepsPerEpoch, boxes: progress.boxes }, (whole) =>
      probe.look({ before, after: state, batch: whole, at }),
    );
  };
  const judge: LoopParts["judge"] = (record) => {
    files.record(record);
    const diagnosis = watch.see(record);
    if (diagnosis === undefined) return;
    const text = describeDiagnosis(diagnosis);
    files.log(text);
    listener({ kind: "note", text });
  };
  const record: LoopParts["record"] = (one) => {
    session.held.check();
    files.record(one);
    watch.see(one);
  };
  const see = (one: RunRecord) => void watch.see(one);
  return { look, judge, record, see, dispose: () => probe.dispose() };
}

type Doctor = Awaited<ReturnType<typeof examining>>;
type Tools = {
  loader: RunLoader;
  monitor: Monitor;
  recorder: PairRecorder | undefined;
  doctor: Doctor;
  listener: TrainListener;
};

/** What the loop of a sitting is made of. */
function loopParts(
  saving: Saving,
  { loader, monitor, recorder, doctor, listener }: Tools,
): LoopParts {
  const { session, files, stepsPerEpoch } = saving;
  const { framework, data, stepper, signal } = session;
  return {
    get config() {
      return session.config;
    },
    stepper,
    loader,
    stepsPerEpoch,
    signal,
    listener,
    chanceLoss: framework.chanceLoss(),
    loaded: (batch) => loadedBatch(batch, data),
    recordPairs: async (...step) => recorder?.before(...step),
    observe: (batch) => coverageFigures(data, batch),
    refresh: refreshing(saving, loader),
    record: doctor.record,
    look: doctor.look,
    judge: doctor.judge,
    save: (at, names) => save(saving, at, names),
    evaluate: (at, epoch) => monitor.evaluate(at, epoch),
    keepTime: keepingTime(session, stepsPerEpoch, (text) => files.log(text)),
    fail: failing(saving),
  };
}

function progressAt({ state, boxes, config, data }: Session, from: Position | undefined): Progress {
  const { step = 0, best = null, elapsedSeconds = 0, lossSum = 0 } = from ?? {};
  const { behindStart = false } = from ?? {};
  return {
    state,
    step,
    best,
    elapsedSeconds,
    lossSum,
    behindStart,
    bar: null, // known once baselines are
    boxes: boxes ?? firstBoxes(config.views, data),
  };
}

/** Trains from a position, or from the start, until done or interrupted. Frees what the session holds. */
export async function runSession(session: Session, from: Position | undefined): Promise<Outcome> {
  const { config, framework, data, stepper, folder, start } = session;
  const stepsPerEpoch = Math.floor(data.count / config.batchSize);
  const progress = progressAt(session, from);
  const files = openRunFiles(folder, from);
  const loader = openRunLoader(
    (step, boxes) => openLoader(session, { step, stepsPerEpoch, boxes, rows: stepper.rows }),
    ...([progress.step, progress.boxes] as const),
  );
  await stepper.batchesFrom?.(progress.step, config.epochs, progress.boxes);
  let doctor: Doctor | undefined;
  const monitor = await openMonitor(session, session.target);
  const recorder = openPairRecorder(session);
  try {
    const { seen, listener } = following(session, files);
    const exported = exportedOf(config, framework, session.state, data.dataset, start);
    const saving: Saving = { session, files, exported, stepsPerEpoch };
    const earlier = await earlierRecords(folder);
    doctor = await examining(saving, earlier);
    files.log(from === undefined ? "start" : `go on from step ${from.step}`);
    announce(session, progress.step, stepsPerEpoch);
    const crops = describeStart(session);
    if (crops !== undefined) listener({ kind: "note", text: crops });
    const baselines = await baselinesOf(saving, monitor, progress, earlier);
    if (baselines !== undefined) doctor.see(baselines);
    const parts = loopParts(saving, { loader, monitor, recorder, doctor, listener });
    const finished = await runLoop(parts, progress);
    files.log(finished ? "done" : `interrupted after step ${progress.step}`);
    const [steps, seconds] = [progress.step, progress.elapsedSeconds];
    const epochs = Math.floor(steps / stepsPerEpoch);
    const last = await lastSeen(seen, folder, epochs);
    const [now, { chanceLoss }] = [session.config, parts];
    const done = { config: now, epochs, steps, finished, seconds, chanceLoss, baselines };
    return { ...done, ...last };
  } finally {
    files.close();
    await Promise.all([
      loader.close(),
      stepper.dispose(),
      monitor.dispose(),
      recorder?.dispose(),
      doctor?.dispose(),
    ]);
  }
}
