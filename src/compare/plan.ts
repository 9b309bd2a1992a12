import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { z } from "zod";

import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { parseJson } from "../core/json.ts";
import { VERSION } from "../core/version.ts";
import { type ConfigTree, configHash, differences, planRun, type RunPlan } from "../train/index.ts";
import type { Start, TrainingData } from "../train/index.ts";
import { fileName } from "./arms.ts";
import type { CompareFolder } from "./folder.ts";
import type { RunResult } from "./result.ts";

/** An arm with its whole config and what that comes to on the images. */
export type PlannedArm = {
  readonly name: string;
  readonly file: string; // its name in names of files
  readonly tree: ConfigTree; // with data and epochs, without seed and out
  readonly plan: RunPlan;
};

/** One run that the comparison needs. */
export type PlannedRun = {
  readonly arm: PlannedArm;
  readonly seed: number;
  readonly name: string; // of its folder
  readonly hash: string;
  readonly decisive: ConfigTree;
};

/** What is there of a run. */
export type RunStanding =
  | { readonly kind: "done"; readonly result: RunResult }
  | { readonly kind: "begun" | "new" }
  | { readonly kind: "changed"; readonly how: string };

/** Images of a comparison. */
export type CompareData = {
  readonly train: TrainingData;
  readonly test: TrainingData | undefined;
  readonly start?: Start | undefined; // the pretrained encoder that all runs begin with
};

/** An arm on its images. Throws `ConfigError` under the arm's name where it cannot be trained. */
export function planArm(
  name: string,
  file: string,
  tree: ConfigTree,
  { train, start }: CompareData,
): PlannedArm {
  try {
    return { name, file, tree, plan: planRun(tree, train, start) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const text = error.message.replace(/^train: /, "");
    throw new ConfigError(`compare: ${name}: ${text}`, error.hint, { cause: error });
  }
}

/** Names of arms as names of files, each a different one. */
export function fileNames(names: readonly string[]): string[] {
  const plain = names.map(fileName);
  return plain.map((name, i) => (plain.indexOf(name) === i ? name : `${name}-${i + 1}`));
}

/** Every run, the seed outermost: whenever one stops, arms have about as many seeds as each other. */
export function planRuns(
  arms: readonly PlannedArm[],
  seeds: readonly number[],
  { test }: CompareData,
): PlannedRun[] {
  return seeds.flatMap((seed) =>
    arms.map((arm) => {
      const more = { seed, testImages: test?.fingerprint ?? null, contrapose: VERSION };
      const decisive: ConfigTree = { ...arm.plan.decisive, ...more };
      return { arm, seed, name: `${arm.file}-seed${seed}`, decisive, hash: configHash(decisive) };
    }),
  );
}

type Written = ConfigTree & { about: { hash: string; decisive: ConfigTree } };

/** The config of a run as `train` is given it; `about` says what it was planned as. */
export function runTree(folder: CompareFolder, { arm, seed, name, hash, decisive }: PlannedRun) {
  const out = join(folder.runs, name);
  return { ...arm.tree, seed, out, about: { hash, decisive } } satisfies Written;
}

/** Where the config of a run is written. */
export const runConfigPath = ({ configs }: CompareFolder, { name }: PlannedRun): string =>
  join(configs, `${name}.json`);

const planned = z.object({
  about: z.object({ hash: z.string(), decisive: z.record(z.string(), z.unknown()) }),
});

function writtenFor(folder: CompareFolder, run: PlannedRun): Written["about"] | undefined {
  const path = runConfigPath(folder, run);
  if (!existsSync(path)) return undefined;
  try {
    return planned.safeParse(parseJson(readFileSync(path, "utf8"))).data?.about;
  } catch {
    return undefined; // cut short before the run began
  }
}

/** What is there of a run: its result, a folder to go on with, or a run of the same name with other settings. */
export function standingOf(
  folder: CompareFolder,
  run: PlannedRun,
  results: readonly RunResult[],
): RunStanding {
  const same = results.filter(({ arm, seed }) => arm === run.arm.name && seed === run.seed);
  const result = same.findLast(({ hash }) => hash === run.hash);
  if (result !== undefined) return { kind: "done", result };
  const about = writtenFor(folder, run);
  if (about !== undefined && about.hash !== run.hash) {
    return { kind: "changed", how: differences(run.decisive, about.decisive).join("; ") };
  }
  const begun = existsSync(join(folder.runs, run.name, "config.json"));
  return { kind: begun && about !== undefined ? "begun" : "new" };
}

/** Refuses runs that are there with other settings, naming the first of them. */
export function refuseChanged(
  runs: readonly PlannedRun[],
  standings: readonly RunStanding[],
  { path }: CompareFolder,
): void {
  const at = standings.findIndex(({ kind }) => kind === "changed");
  const standing = standings[at];
  if (standing?.kind !== "changed") return;
  const others = standings.filter(({ kind }) => kind === "changed").length - 1;
  const more = others > 0 ? ` (and ${others} more runs differ)` : "";
  throw new ConfigError(
    `compare: the run ${runs[at].name} in ${quoted(path)} has other settings: ${standing.how}${more}`,
    "repeat the settings it was made with, choose another --out, or --overwrite makes these runs again",
  );
}
