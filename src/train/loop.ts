import { ContraposeError } from "../core/errors.ts";
import type { HostState, LoadedBatch, StepAt } from "../frameworks/index.ts";
import type { Boxes, ViewBatch, ViewLoader } from "../views/index.ts";
import type { RunConfig } from "../config/schema.ts";
import { epochsAt, scheduleOf, shareAt, smoothed } from "./time/epochs.ts";
import type { EvaluationRecord, StepRecord, TrainListener } from "./events.ts";
import type { HealthRecord } from "./health/records.ts";
import type { Stepper } from "./stepper.ts";

/** Where training stands; the loop changes it step by step. */
export type Progress = {
  state: HostState;
  boxes: Boxes | undefined; // of contrastive crops, from the last time they were made
  step: number; // steps done
  elapsedSeconds: number;
  best: number | null;
  bar: number | null; // score of the pretrained encoder that it began with, where that was measured
  behindStart: boolean; // whether the last measurement was below it
  lossSum: number; // over the steps of the current epoch
};

/** What a loop is made of. */
export type LoopParts = {
  readonly config: RunConfig; // as it is now
  readonly stepper: Stepper;
  readonly loader: Pick<ViewLoader, "next" | "waitedMs">;
  /** A batch with what is known of its images. */
  loaded(batch: ViewBatch): LoadedBatch;
  readonly stepsPerEpoch: number;
  readonly chanceLoss: number;
  readonly signal: AbortSignal;
  readonly listener: TrainListener;
  /** Writes down pairs of the step that comes next, where that is due. */
  recordPairs(at: Progress, batch: ViewBatch, loaded: LoadedBatch, next: StepAt): Promise<void>;
  /** What is measured of a batch beside the step's own figures. */
  observe(batch: ViewBatch): Record<string, number>;
  /** Looks at the health of the run, where that is due after a step. */
  look(before: HostState, progress: Progress, batch: ViewBatch): Promise<HealthRecord | undefined>;
  /** Writes down what was looked at, and tells where it changes the verdict. */
  judge(record: HealthRecord): void;
  /** Makes the boxes of crops anew where that is due after an epoch; batches then follow them. */
  refresh(progress: Progress, epoch: number): Promise<void>;
  /** Writes a record to the run's files. */
  record(record: StepRecord | EvaluationRecord): void;
  /** Saves the state; `best` also under that name. */
  save(progress: Progress, names: readonly string[]): Promise<void>;
  /** Measures the encoder between epochs. */
  evaluate(progress: Progress, epoch: number): Promise<EvaluationRecord>;
  /** Changes the plan where the run would take much longer than it may; before each step. */
  keepTime(progress: Progress): Promise<void>;
  /** Called with the state before a step that gave something that is no number. */
  fail(
    before: Progress,
    batch: ViewBatch,
    figures: Record<string, number>,
  ): Promise<ContraposeError>;
};

/** Names of figures that are not finite. */
export const notFinite = (figures: Record<string, number>): string[] =>
  Object.entries(figures).flatMap(([name, value]) => (Number.isFinite(value) ? [] : [name]));

function clock(parts: LoopParts, progress: Progress) {
  const { loader, stepsPerEpoch } = parts;
  const secondsPerStep = smoothed(30);
  const waitPerStep = smoothed(30);
  let [last, waited] = [performance.now(), loader.waitedMs];
  /** Restarts the watch without counting the time since the last step as a step's. */
  const skip = () => {
    const now = performance.now();
    progress.elapsedSeconds += (now - last) / 1000;
    [last, waited] = [now, loader.waitedMs];
  };
  const tick = () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    const [mean, wait] = [secondsPerStep(seconds), waitPerStep((loader.waitedMs - waited) / 1000)];
    progress.elapsedSeconds += seconds;
    [last, waited] = [now, loader.waitedMs];
    return {
      imagesPerSecond: Number((parts.config.batchSize / mean).toFixed(2)),
      waitShare: Number((wait / mean).toFixed(4)),
      memoryMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
      elapsedSeconds: Number(progress.elapsedSeconds.toFixed(3)),
      secondsLeft: mean * (parts.config.epochs * stepsPerEpoch - progress.step),
    };
  };
  return { tick, skip };
}

/** Names under which the state is saved after an epoch; a better score is kept in `progress`. */
function namesToSave(
  { checkpoint: { keepEvery } }: RunConfig,
  progress: Progress,
  at: { epoch: number; isLast: boolean; score: number | undefined; late: boolean },
): string[] {
  const { epoch, isLast, score, late } = at;
  const last = late || isLast ? ["last"] : [];
  const better = score !== undefined && (progress.best === null || score > progress.best);
  if (better) progress.best = score;
  const kept = keepEvery > 0 && (epoch % keepEvery === 0 || isLast);
  const number = `epoch-${String(epoch).padStart(4, "0")}`;
  return [...(kept ? [number] : []), ...(better ? ["best"] : []), ...last];
}

/** What checkpoints are compared by: the balanced accuracy of k-NN, without labels the loss. */
export const scoreOf = ({ knnBalanced }: Pick<EvaluationRecord, "knnBalanced">, loss: number) =>
  knnBalanced ?? -loss;

/** After an epoch: measures and saves what is due, tells. Whether `last` was saved. */
async function endEpoch(
  parts: LoopParts,
  progress: Progress,
  last: StepRecord & { secondsLeft: number },
  late: boolean,
): Promise<boolean> {
  const { config, stepsPerEpoch, listener } = parts;
  const epoch = progress.step / stepsPerEpoch;
  const { every } = config.evaluation;
  const isLast = epoch === epochsAt(config, progress.step - 1);
  const due = every > 0 && (epoch % every === 0 || isLast);
  const evaluation = due ? await parts.evaluate(progress, epoch) : undefined;
  if (evaluation !== undefined) parts.record(evaluation);
  await parts.refresh(progress, epoch);
  const meanLoss = progress.lossSum / stepsPerEpoch;
  progress.lossSum = 0;
  const score = evaluation && scoreOf(evaluation, meanLoss);
  if (score !== undefined) progress.behindStart = progress.bar !== null && score < progress.bar;
  const names = namesToSave(config, progress, { epoch, isLast, score, late });
  if (names.length > 0) await parts.save(progress, names);
  const { secondsLeft, ...figures } = last;
  listener({ kind: "epoch", record: { ...figures, loss: meanLoss }, evaluation, secondsLeft });
  return names.includes("last");
}

/** One step; the state after it is in `progress`. Returns its record. */
async function oneStep(parts: LoopParts, progress: Progress, batch: ViewBatch) {
  const { config, stepper, stepsPerEpoch, chanceLoss } = parts;
  const before = progress.state;
  const rate = scheduleOf(config, stepsPerEpoch)(progress.step);
  const share = shareAt(config, progress.step, stepsPerEpoch);
  const at = { learningRate: rate, step: progress.step, progress: share };
  const loaded = parts.loaded(batch);
  await parts.recordPairs(progress, batch, loaded, at);
  const { state, figures } = await stepper.step(before, loaded, at);
  if (notFinite(figures).length > 0) throw await parts.fail(progress, batch, figures);
  progress.state = state;
  const health = await parts.look(before, progress, batch);
  stepper.recycle(before);
  const { loss, ...others } = figures;
  const { step } = progress;
  progress.step++;
  progress.lossSum += loss;
  const epoch = Math.floor(step / stepsPerEpoch);
  const record = { kind: "step" as const, epoch, step, loss, chanceLoss, learningRate: rate };
  return { figures: { ...record, ...others }, health };
}

/**
 * Trains until the epochs are done or the signal is given; true where they are done. After a signal the
 * state has been saved.
 */
export async function runLoop(parts: LoopParts, progress: Progress): Promise<boolean> {
  const { loader, stepsPerEpoch, signal, listener } = parts;
  const watch = clock(parts, progress);
  let saved = performance.now();
  while (progress.step < parts.config.epochs * stepsPerEpoch) {
    if (signal.aborted) {
      watch.skip();
      await parts.save(progress, ["last"]);
      return false;
    }
    await parts.keepTime(progress);
    const batch = await loader.next();
    if (batch === undefined) throw new ContraposeError("the views ended before the epochs did");
    const { figures, health } = await oneStep(parts, progress, batch);
    const { secondsLeft, ...times } = watch.tick();
    const record: StepRecord = { ...figures, ...parts.observe(batch), ...times };
    parts.record(record);
    if (health !== undefined) parts.judge(health);
    const stepInEpoch = progress.step % stepsPerEpoch;
    listener({ kind: "step", record, stepInEpoch: stepInEpoch || stepsPerEpoch, secondsLeft });
    const late = performance.now() - saved > parts.config.checkpoint.seconds * 1000;
    if (stepInEpoch > 0 && !late) continue;
    let savedNow = late;
    if (stepInEpoch > 0) await parts.save(progress, ["last"]);
    else savedNow = await endEpoch(parts, progress, { ...record, secondsLeft }, late);
    watch.skip();
    if (savedNow) saved = performance.now();
  }
  return true;
}
