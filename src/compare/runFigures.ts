import { DataError } from "../core/errors.ts";
import type { CropRecord, EvaluationRecord, StepRecord } from "../train/index.ts";

type RunRecord = StepRecord | EvaluationRecord | CropRecord;

/** What a run's metrics.jsonl says of its cost and of its sampling. */
export type RunFigures = {
  readonly steps: number;
  readonly seconds: number; // of training, over all sittings
  readonly memoryMiB: number; // the most that the process took
  readonly loss: number; // nats, mean of the last epoch
  readonly chanceLoss: number; // nats
  readonly boxRefreshes: number; // times that every image was encoded to find its crops
  /** Means over the last third of the steps of all that samplers, losses and views measured. */
  readonly sampling: Readonly<Record<string, number>>;
};

/** Figures of a step that are no sampling. */
const plain = [
  ...["kind", "epoch", "step", "loss", "chanceLoss", "learningRate", "positiveSimilarity"],
  ...["negativeSimilarity", "accuracy", "featureStd", "gradientNorm", "imagesPerSecond"],
  ...["waitShare", "memoryMiB", "elapsedSeconds"],
];

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Means of the figures of some steps, each over those that have it. */
function samplingMeans(steps: readonly StepRecord[]): Record<string, number> {
  const names = new Set(steps.flatMap((step) => Object.keys(step)));
  const entries = [...names].flatMap((name): [string, number][] => {
    if (plain.includes(name)) return [];
    const values = steps.flatMap(({ [name]: value }) => (typeof value === "number" ? [value] : []));
    return values.length === 0 ? [] : [[name, meanOf(values)]];
  });
  return Object.fromEntries(entries);
}

/** Figures of a run from the records of its metrics.jsonl. Throws `DataError` where no step is among them. */
export function runFigures(records: readonly RunRecord[]): RunFigures {
  const steps = records.filter((record): record is StepRecord => record.kind === "step");
  const last = steps.at(-1);
  if (last === undefined) throw new DataError("compare: the run has no step in its metrics.jsonl");
  const ofLastEpoch = steps.filter(({ epoch }) => epoch === last.epoch);
  return {
    steps: steps.length,
    seconds: records.at(-1)!.elapsedSeconds,
    memoryMiB: steps.reduce((most, { memoryMiB }) => Math.max(most, memoryMiB), 0),
    loss: meanOf(ofLastEpoch.map(({ loss }) => loss)),
    chanceLoss: last.chanceLoss,
    boxRefreshes: records.filter(({ kind }) => kind === "crops").length,
    sampling: samplingMeans(steps.slice(Math.floor((2 * steps.length) / 3))),
  };
}

/** How much of a run has to be seen before its speed counts: steps and seconds, or the most seconds. */
export type EnoughSeen = {
  readonly steps: number;
  readonly seconds: number;
  readonly most: number;
};

/** What a run's steps but the first say of its speed. Undefined until enough of them are done. */
export function speedOf(records: readonly RunRecord[], enough: EnoughSeen) {
  const steps = records.filter((record): record is StepRecord => record.kind === "step").slice(2);
  const [first, last] = [steps.at(0), steps.at(-1)];
  if (first === undefined || last === undefined || steps.length < 3) return undefined;
  const seconds = last.elapsedSeconds - first.elapsedSeconds;
  const seen = steps.length >= enough.steps && seconds >= enough.seconds;
  if (!seen && seconds < enough.most) return undefined;
  return {
    secondsPerStep: seconds / (steps.length - 1),
    memoryMiB: Math.max(...steps.map(({ memoryMiB }) => memoryMiB)),
  };
}
