import { existsSync, rmSync } from "node:fs";
import { join, relative } from "node:path";

import {
  appendResult,
  type Baseline,
  type CompareFolder,
  type FailedRun,
  type PlannedRun,
  runConfigPath,
  runFigures,
  type RunResult,
  type RunStanding,
  runTree,
} from "../../../compare/index.ts";
import { metricsLine } from "../../../train/index.ts";
import { VERSION } from "../../../core/version.ts";
import { readJsonLines, writeFileAtomic } from "../../../files/index.ts";
import type { Answer, Call } from "../../verb.ts";
import { count, duration, percent } from "../../format.ts";
import { inParallel, released, runChild } from "./child.ts";

/** What making the missing runs needs. */
export type Making = {
  readonly folder: CompareFolder;
  readonly runs: readonly PlannedRun[];
  readonly standings: readonly RunStanding[];
  readonly sources: {
    readonly data: string;
    readonly test: string | undefined;
    readonly groups: string | undefined; // a file
    readonly labels: string | undefined; // a file
  };
  readonly parallel: number;
  readonly threads: number;
  /** Called after each run with all results so far. */
  readonly each: (results: readonly RunResult[], failed: readonly FailedRun[]) => Promise<void>;
};

/** What all runs came to. */
export type Made = {
  readonly results: readonly RunResult[];
  readonly failed: readonly FailedRun[];
};

type Accuracies = Record<
  "knn" | "linear",
  { accuracy: number; balanced: number; withoutCopies?: number | null } | null | undefined
>;

const baseline = ({ knn, linear }: Accuracies): Baseline => ({
  knn: knn?.accuracy ?? null,
  linear: linear?.accuracy ?? null,
  knnBalanced: knn?.balanced ?? null,
  linearBalanced: linear?.balanced ?? null,
  ...(knn?.withoutCopies === undefined ? {} : { knnWithoutCopies: knn.withoutCopies }),
  ...(linear?.withoutCopies === undefined ? {} : { linearWithoutCopies: linear.withoutCopies }),
});

type Evaluated = Answer & {
  knn: Accuracies["knn"];
  linear: Accuracies["linear"];
  alignment: number;
  uniformity: number;
  effectiveRank: number;
  images: RunResult["images"];
  baselines: {
    chance: number | null;
    start?: Accuracies;
    untrained?: Accuracies;
    pixels?: Accuracies;
  };
};

async function resultOf(
  folder: CompareFolder,
  { arm, seed, hash, decisive, name }: PlannedRun,
  evaluated: Evaluated,
): Promise<RunResult> {
  const path = join(folder.runs, name);
  const records = await readJsonLines(join(path, "metrics.jsonl"), metricsLine);
  const { knn, linear, alignment, uniformity, effectiveRank, images, baselines } = evaluated;
  const { chance, start, untrained, pixels } = baselines;
  return {
    arm: arm.name,
    seed,
    hash,
    decisive,
    run: relative(folder.path, path),
    contrapose: VERSION,
    date: new Date().toISOString(),
    epochs: arm.plan.config.epochs,
    ...baseline({ knn, linear }),
    alignment,
    uniformity,
    effectiveRank,
    chance,
    images,
    ...runFigures(records as never[]),
    ...(pixels && {
      baselines: {
        ...(start && { start: baseline(start) }),
        ...(untrained && { untrained: baseline(untrained) }),
        pixels: baseline(pixels),
      },
    }),
  };
}

/** Trains a run, or goes on with it. */
/** The plugins of a run, as options of a call. */
const pluginsOf = ({ arm }: PlannedRun): string[] =>
  (arm.plan.config.plugins ?? []).flatMap((plugin) => ["--plugin", plugin]);

async function trainOne({ folder, runs, standings }: Making, run: PlannedRun, signal: AbortSignal) {
  const path = join(folder.runs, run.name);
  await released(path);
  if (standings[runs.indexOf(run)].kind === "begun" && existsSync(join(path, "config.json"))) {
    return runChild(["train", "--resume", path, ...pluginsOf(run)], signal);
  }
  rmSync(path, { recursive: true, force: true });
  const config = runConfigPath(folder, run);
  await writeFileAtomic(config, `${JSON.stringify(runTree(folder, run), null, 2)}\n`);
  return runChild(["train", "--config", config], signal);
}

function evaluateOne(
  { folder, runs, sources, threads }: Making,
  run: PlannedRun,
  signal: AbortSignal,
) {
  const test = sources.test === undefined ? [] : ["--test", sources.test];
  const groups = sources.groups === undefined ? [] : ["--groups", sources.groups];
  const labels = sources.labels === undefined ? [] : ["--labels", sources.labels];
  const isFirst = run === runs[0]; // what learned nothing is the same for all
  const path = join(folder.runs, run.name);
  // the method is asked for, not what a run gives that ends behind its start
  const asked = run.arm.plan.config.from === undefined ? path : join(path, "checkpoints", "last");
  return runChild(
    [
      ...["evaluate", asked, "--train", sources.data, ...test, ...groups, ...labels],
      ...["--threads", String(threads), "--quiet", ...(isFirst ? [] : ["--no-baselines"])],
      ...pluginsOf(run),
    ],
    signal,
  );
}

/** Trains and measures one run. A sentence where that failed, undefined where it was interrupted. */
async function makeOne(
  making: Making,
  run: PlannedRun,
  signal: AbortSignal,
): Promise<RunResult | string | undefined> {
  const trained = await trainOne(making, run, signal);
  if (signal.aborted) return undefined;
  if (trained.answer === undefined) return trained.error;
  const evaluated = await evaluateOne(making, run, signal);
  if (signal.aborted) return undefined;
  if (evaluated.answer === undefined) return evaluated.error;
  return resultOf(making.folder, run, evaluated.answer as Evaluated);
}

function describe({ knn, linear, uniformity, seconds }: RunResult): string {
  const accuracies =
    knn === null
      ? `uniformity ${uniformity.toFixed(2)}`
      : `k-NN ${percent(knn)}, linear ${linear === null ? "–" : percent(linear)}`;
  return `${accuracies}, trained in ${duration(seconds)}`;
}

const title = ({ arm, seed }: PlannedRun): string => `${arm.name} seed ${seed}`;

/** Makes all runs that are missing, a few at a time, and keeps the result of each as it comes. */
export async function makeRuns(making: Making, { printer, signal }: Call): Promise<Made> {
  const { folder, runs, standings, parallel, each } = making;
  const results = standings.flatMap((standing) =>
    standing.kind === "done" ? [standing.result] : [],
  );
  const failed: FailedRun[] = [];
  const missing = runs.filter((_, i) => standings[i].kind !== "done");
  const width = Math.max(...runs.map((run) => title(run).length));
  const started = performance.now();
  const running = new Set<PlannedRun>();
  const note = (run: PlannedRun, text: string) => {
    const place = `${count(results.length + failed.length)} of ${count(runs.length)}`;
    printer.note(`${place.padEnd(11)}${title(run).padEnd(width)}   ${text}`);
  };
  const redraw = () => {
    const made = missing.length - (runs.length - results.length - failed.length);
    const left = ((performance.now() - started) / 1000 / made) * (missing.length - made);
    const about = made > 0 && left > 0 ? `, about ${duration(left)} left` : "";
    const names = [...running].map(title).join(", ");
    printer.redraw(printer.colours.dim(names === "" ? "" : `running ${names}${about}`));
  };
  await inParallel(missing, parallel, signal, async (run) => {
    running.add(run);
    redraw();
    const made = await makeOne(making, run, signal);
    running.delete(run);
    if (typeof made === "string") {
      failed.push({ arm: run.arm.name, seed: run.seed, error: made });
      note(run, `failed: ${made}`);
    } else if (made !== undefined) {
      appendResult(folder, made);
      results.push(made);
      note(run, describe(made));
    }
    if (made !== undefined) await each(results, failed);
    redraw();
  });
  return { results, failed };
}
