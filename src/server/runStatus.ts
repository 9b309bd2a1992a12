import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

import { lockHolder, parseJsonLines } from "../files/index.ts";
import { metricsLine } from "../train/run/metricsLine.ts";
import { readPosition } from "../train/run/checkpoint.ts";
import { readRunConfig, type WrittenConfig } from "../train/run/runConfig.ts";
import { type RunFolder, runFolder } from "../train/run/runFolder.ts";
import type { RunRecord } from "../train/run/runFiles.ts";
import type { RunPlace } from "./places.ts";
import type { RunState, RunStatus } from "./wire.ts";

const TAIL = 128 * 1024; // bytes of metrics.jsonl that say how a run stands
const RECENT = 30; // steps that speed and loss are means of

/** The whole lines at the end of a file. */
function tail(path: string): string {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, TAIL));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.toString("utf8");
    const end = text.lastIndexOf("\n") + 1;
    return text.slice(size > TAIL ? text.indexOf("\n") + 1 : 0, end);
  } finally {
    closeSync(file);
  }
}

/** Records of lines that are whole; a line that is none is left out: the doctor tells of damage. */
export const recordsOf = (text: string): RunRecord[] =>
  text.split("\n").flatMap((line) => {
    try {
      return parseJsonLines(line, "metrics.jsonl", metricsLine) as RunRecord[];
    } catch {
      return [];
    }
  });

/** Whether a run came to its end. */
function isDone({ checkpoints }: RunFolder, epochs: number): boolean {
  try {
    return readPosition(join(checkpoints, "last")).epoch >= epochs;
  } catch {
    return false; // no checkpoint yet, or a damaged one
  }
}

function stateOf(folder: RunFolder, { epochs }: WrittenConfig): RunState {
  if (lockHolder(join(folder.path, "run")) !== undefined) return "training";
  if (isDone(folder, epochs)) return "done";
  return existsSync(folder.failure) ? "broken" : "interrupted";
}

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, x) => sum + x, 0) / values.length;

/** How a run stands, by the end of its records. Throws `DataError` where its config is damaged. */
export function runStatus({ id, name, path }: RunPlace): RunStatus {
  const folder = runFolder(path);
  const config = readRunConfig(folder);
  const { about, epochs, batchSize } = config;
  const records = recordsOf(tail(folder.metrics));
  const steps = records.filter((record) => record.kind === "step").slice(-RECENT);
  const evaluation = records.findLast((record) => record.kind === "evaluation");
  const [first, last] = [steps.at(0), steps.at(-1)];
  const perEpoch = Math.max(1, Math.floor(about.dataset.images / batchSize));
  const total = Math.max(epochs * perEpoch, (last?.step ?? -1) + 1);
  const state = stateOf(folder, config);
  const done = (last?.step ?? -1) + 1;
  const pace =
    first === undefined || last === undefined || last.step === first.step
      ? undefined
      : (last.elapsedSeconds - first.elapsedSeconds) / (last.step - first.step); // seconds a step
  return {
    id,
    name,
    folder: path,
    state,
    method: config.method,
    encoder: config.encoder.name,
    data: config.data,
    images: about.dataset.images,
    step: done,
    steps: total,
    epochs,
    epoch: Math.min(epochs, Math.floor(done / perEpoch)),
    loss: mean(steps.map(({ loss }) => loss)),
    chanceLoss: last?.chanceLoss,
    knn: evaluation?.knnAccuracy ?? evaluation?.viewAgreement,
    knnWhat: evaluation?.knnAccuracy === undefined ? "view agreement" : "k-NN",
    imagesPerSecond: mean(steps.map(({ imagesPerSecond }) => imagesPerSecond)),
    minutesLeft:
      state === "training" && pace !== undefined ? (pace * (total - done)) / 60 : undefined,
    started: about.started,
    changed: statSync(folder.metrics).mtimeMs,
    pairs: existsSync(folder.pairs),
  };
}
