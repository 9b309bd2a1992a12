import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmdirSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";

import { ConfigError, DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { fileError, isLockName, lock, type Lock } from "../../files/index.ts";
import { datasetName } from "../../inference/openImages.ts"; // not the index: pack and dedupe start without the engine
import type { TrainListener } from "../events.ts";

/** Where everything of a run lies. */
export type RunFolder = {
  readonly path: string;
  readonly config: string;
  readonly metrics: string;
  readonly log: string;
  readonly checkpoints: string;
  readonly failure: string;
  readonly beforeFailure: string; // checkpoint
  readonly evaluation: string;
  readonly report: string;
  readonly reportData: string;
  readonly pairs: string;
};

/** Paths inside a run folder. */
export function runFolder(path: string): RunFolder {
  return {
    path,
    config: join(path, "config.json"),
    metrics: join(path, "metrics.jsonl"),
    log: join(path, "train.log"),
    checkpoints: join(path, "checkpoints"),
    failure: join(path, "failure.json"),
    beforeFailure: join(path, "checkpoints", "before-failure"),
    evaluation: join(path, "evaluation.json"),
    report: join(path, "report.html"),
    reportData: join(path, "report.json"),
    pairs: join(path, "pairs"),
  };
}

/** `runs/photos-simclr`, or the first of `-2`, `-3`, … that is not there yet. */
export function freshRunPath(data: string, method: string, parent = "runs"): string {
  const base = join(parent, `${datasetName(data)}-${method}`);
  for (let i = 1; ; i++) {
    const path = i === 1 ? base : `${base}-${i}`;
    if (!existsSync(path)) return path;
  }
}

const ours = [
  "config.json",
  "metrics.jsonl",
  "train.log",
  "checkpoints",
  "failure.json",
  "evaluation.json",
  "report.html",
  "report.json",
  "pairs",
  "inspect.html",
];

/** Whether a folder looks like that of a run. */
export function isRun(path: string): boolean {
  const { config, metrics } = runFolder(path);
  return existsSync(config) && existsSync(metrics);
}

const known = (name: string) => ours.includes(name) || name.startsWith("events.out.tfevents.");

/**
 * Whether a run may be made in a folder; nothing is changed. One that holds anything is refused unless
 * `overwrite`, and one that holds something else than a run always.
 */
export function checkOut(path: string, overwrite: boolean): void {
  if (!existsSync(path)) return checkWritable(path);
  if (!statSync(path).isDirectory()) {
    throw new ConfigError(`out: ${quoted(path)} is a file, expected a folder to make`);
  }
  const inside = readdirSync(path).filter((name) => !isLockName(name));
  if (inside.length > 0 && !overwrite) {
    const hint = isRun(path)
      ? `--resume ${path} goes on with it, --overwrite starts anew`
      : "choose another --out, or --overwrite";
    throw new ConfigError(`out: ${quoted(path)} exists and is not empty`, hint);
  }
  if (inside.length > 0 && !inside.some(known)) {
    throw new ConfigError(
      `out: ${quoted(path)} holds other files and no run, it is not overwritten`,
      "choose another --out",
    );
  }
  checkWritable(path);
}

/** Throws where a folder could not be made; a disk that cannot be written is known before the work. */
function checkWritable(path: string): void {
  let at = resolve(path);
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  try {
    if (!statSync(at).isDirectory()) {
      throw new ConfigError(`out: ${quoted(at)} is a file, expected a folder`);
    }
    rmdirSync(mkdtempSync(join(at, ".contrapose-"))); // permission bits alone do not tell
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

/** Keeps a run to this process; throws `ConfigError` with the number of another one that trains it. */
export function lockRun(path: string, listener: TrainListener): Promise<Lock> {
  return lock(join(path, "run"), {
    what: `run ${quoted(path)} is being trained`,
    note: (text) => listener({ kind: "note", text: `note       ${text}` }),
  });
}

/** Makes the folder of a new run, after `checkOut`. Only the files of an earlier run are removed from it. */
export function createRunFolder(path: string, overwrite: boolean): RunFolder {
  checkOut(path, overwrite);
  try {
    mkdirSync(join(path, "checkpoints"), { recursive: true });
    for (const name of readdirSync(path).filter(known)) {
      if (name !== "checkpoints") rmSync(join(path, name), { recursive: true });
    }
    for (const name of readdirSync(join(path, "checkpoints"))) {
      rmSync(join(path, "checkpoints", name), { recursive: true });
    }
  } catch (error) {
    throw fileError(error, "write", path);
  }
  return runFolder(path);
}

/** The folder of a run that exists. Throws `DataError` where there is none. */
export function existingRun(path: string): RunFolder {
  const folder = runFolder(path);
  if (!existsSync(path)) throw new DataError(`run ${quoted(path)} does not exist`);
  if (existsSync(folder.config)) return folder;
  throw new DataError(
    `${quoted(path)} is not the folder of a run: it has no config.json`,
    "give the folder that contrapose train made",
  );
}
