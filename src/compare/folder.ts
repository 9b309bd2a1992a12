import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { z } from "zod";

import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { parseAs } from "../core/json.ts";
import {
  appendLine,
  isLockName,
  makeFolder,
  readJsonLines,
  writeFileAtomic,
} from "../files/index.ts";
import { runResult, type RunResult } from "./result.ts";

/** Paths inside the folder of a comparison. */
export type CompareFolder = {
  readonly path: string;
  readonly state: string; // comparison.json, by which such a folder is known
  readonly results: string; // a line a finished run
  readonly runs: string;
  readonly configs: string;
  readonly page: string;
  readonly text: string;
  readonly data: string;
};

/** What was settled when a comparison began, and holds for all its runs. */
export type CompareState = {
  readonly format: 1;
  readonly contrapose: string; // version
  readonly parallel: number; // runs at once
  readonly threads: number; // of each
  /** Measured seconds of an epoch by the hash of a config, at the same load as the runs. */
  readonly secondsPerEpoch: Readonly<Record<string, number>>;
};

const compareState: z.ZodType<CompareState> = z.looseObject({
  format: z.literal(1),
  contrapose: z.string(),
  parallel: z.int().min(1),
  threads: z.int().min(1),
  secondsPerEpoch: z.record(z.string(), z.number()),
});

/** Paths inside a folder. */
export function compareFolder(path: string): CompareFolder {
  return {
    path,
    state: join(path, "comparison.json"),
    results: join(path, "results.jsonl"),
    runs: join(path, "runs"),
    configs: join(path, "configs"),
    page: join(path, "compare.html"),
    text: join(path, "compare.md"),
    data: join(path, "compare.json"),
  };
}

/** Refuses a place that holds something else than a comparison; nothing is changed. */
export function checkCompareFolder({ path, state }: CompareFolder): void {
  if (!existsSync(path)) return;
  if (!statSync(path).isDirectory()) {
    throw new ConfigError(`compare: ${quoted(path)} is a file, expected a folder`);
  }
  const begun = ["runs", "configs", "speed"]; // made before the state is written
  if (
    existsSync(state) ||
    readdirSync(path).every((name) => begun.includes(name) || isLockName(name))
  )
    return;
  throw new ConfigError(
    `compare: ${quoted(path)} holds other files and no comparison`,
    "choose another --out",
  );
}

/** The state of a comparison that was begun; undefined where there is none. */
export function readState({ state }: CompareFolder): CompareState | undefined {
  if (!existsSync(state)) return undefined;
  const hint = "remove it; finished runs are found again";
  return parseAs(compareState, readFileSync(state, "utf8"), { where: quoted(state), hint });
}

/** Writes the state, and makes the folder where there is none. */
export async function writeState(folder: CompareFolder, state: CompareState): Promise<void> {
  for (const path of [folder.path, folder.runs, folder.configs]) makeFolder(path);
  await writeFileAtomic(folder.state, `${JSON.stringify(state, null, 2)}\n`);
}

/** All results, later lines last. */
export async function readResults({ results }: CompareFolder): Promise<RunResult[]> {
  return existsSync(results) ? readJsonLines(results, runResult) : [];
}

/** Forgets the results of runs that are to be made again. */
export async function forgetResults(
  folder: CompareFolder,
  isForgotten: (result: RunResult) => boolean,
): Promise<void> {
  const kept = (await readResults(folder)).filter((result) => !isForgotten(result));
  await writeFileAtomic(folder.results, kept.map((one) => `${JSON.stringify(one)}\n`).join(""));
}

/** Adds the result of a finished run. */
export const appendResult = ({ results }: CompareFolder, result: RunResult): void =>
  appendLine(results, result);
