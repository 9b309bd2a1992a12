import { rmSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";

import {
  checkCompareFolder,
  compareFolder,
  type CompareData,
  type CompareFolder,
  type CompareState,
  type Comparison,
  factsOf,
  type FailedRun,
  forgetResults,
  planArm,
  type PlannedArm,
  type PlannedRun,
  planRuns,
  readResults,
  readState,
  refuseChanged,
  renderMarkdown,
  runConfigPath,
  type RunResult,
  type RunStanding,
  standingOf,
  summarise,
  tablesOf,
  writeState,
} from "../../compare/index.ts";
import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { VERSION } from "../../core/version.ts";
import { lock, writeFileAtomic } from "../../files/index.ts";
import { renderComparison } from "../../report/index.ts";
import { type ConfigTree, overlay } from "../../train/index.ts";
import { columns, counted, figure, leftColumns } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { keepFeatures, openImages } from "./comparing/images.ts";
import { type AskedArm, readRequest, type Request } from "./comparing/request.ts";
import { makeRuns } from "./comparing/runs.ts";
import { chooseLoad, epochsIn, type Load, measureSpeeds, unevenBudget } from "./comparing/speed.ts";
import { holdsOut } from "../common/sources.ts";

type Opened = { request: Request; folder: CompareFolder; data: CompareData; call: Call };

/**
 * What all runs have in common beside the seed: nothing is measured between epochs unless it is asked for, and then on
 * the test images where those that are trained on have the labels that a vote takes.
 */
function fullTree(tree: ConfigTree, { request, data }: Opened, load?: Load): ConfigTree {
  const asked = (tree.evaluation as { every?: number } | undefined)?.every ?? 0;
  const measures = asked > 0 && data.train.labels !== undefined && request.test !== undefined;
  const cores = availableParallelism();
  const workers = load && Math.max(1, Math.floor(cores / load.parallel) - 1);
  const defaults: ConfigTree = {
    evaluation: { every: 0 },
    checkpoint: { keepEvery: 0 },
    record: { steps: 0 },
    ...(load === undefined ? {} : { threads: load.threads, workers }),
    ...(measures ? { test: request.test } : {}),
  };
  return overlay(defaults, tree);
}

function planned(opened: Opened, load?: Load, more?: (arm: AskedArm, i: number) => object) {
  return opened.request.arms.map((arm, i) => {
    const tree = { ...fullTree(arm.tree, opened, load), ...more?.(arm, i) };
    return planArm(arm.name, arm.file, tree, opened.data);
  });
}

/** Runs at once and their threads: as given, as begun with, or chosen. Undefined once interrupted. */
async function loadOf(opened: Opened, state: CompareState | undefined): Promise<Load | undefined> {
  const { request, folder, call } = opened;
  const { parallel } = request;
  const given = request.arms[0].tree.threads as number | undefined;
  if (state !== undefined && parallel !== undefined && parallel !== state.parallel) {
    throw new ConfigError(
      `compare: --parallel is ${parallel}, ${quoted(folder.path)} was begun with ${state.parallel}: runs would be timed unalike`,
      "leave it out, choose another --out, or --overwrite",
    );
  }
  if (state !== undefined) return { ...state, threads: given ?? state.threads, why: "as begun" };
  const cores = availableParallelism();
  if (parallel !== undefined) {
    const threads = given ?? Math.max(1, Math.floor(cores / parallel));
    return { parallel, threads, why: "as given" };
  }
  const [base] = planned(opened);
  const runs = request.arms.length * request.seeds.length;
  return chooseLoad(base, { runs, folder }, call);
}

/** The arms with their epochs, measured where the budget is a time. Undefined once interrupted. */
async function plannedArms(opened: Opened, load: Load): Promise<PlannedArm[] | undefined> {
  const { request, folder, call } = opened;
  const { budget } = request;
  const state = { format: 1, contrapose: VERSION, ...load, secondsPerEpoch: {} } as const;
  const known = readState(folder)?.secondsPerEpoch ?? {};
  const save = (secondsPerEpoch: Record<string, number>) => {
    const { format, contrapose, parallel, threads } = state;
    return writeState(folder, { format, contrapose, parallel, threads, secondsPerEpoch });
  };
  const arms = planned(opened, load);
  await save(known);
  if (budget.kind === "epochs") return arms;
  const { parallel } = load;
  const pilots = { known, parallel, folder };
  const speeds = await measureSpeeds(arms, pilots, call);
  await save(speeds);
  if (call.signal.aborted) return undefined;
  const epochs = arms.map(({ name, plan }) => {
    const seconds = speeds[plan.hash];
    const fitting = epochsIn(budget.seconds, seconds, name);
    call.printer.note(`  ${name}: ${figure(seconds)} s an epoch, ${counted(fitting, "epoch")}`);
    return fitting;
  });
  const uneven = unevenBudget(arms, epochs, speeds);
  if (uneven !== undefined) call.printer.note(`note       ${uneven}`);
  return planned(opened, load, (_, i) => ({ epochs: epochs[i] }));
}

function removeRun(folder: CompareFolder, run: PlannedRun): void {
  rmSync(join(folder.runs, run.name), { recursive: true, force: true });
  rmSync(runConfigPath(folder, run), { force: true });
}

/** Removes runs that are to be made again, with their results. */
async function forget(folder: CompareFolder, runs: readonly PlannedRun[]): Promise<void> {
  await forgetResults(folder, (result) =>
    runs.some(({ arm, seed }) => arm.name === result.arm && seed === result.seed),
  );
  for (const run of runs) removeRun(folder, run);
}

/** What is there of each run; runs of other settings are refused, or removed where that was asked for. */
async function standingsOf(opened: Opened, runs: readonly PlannedRun[]): Promise<RunStanding[]> {
  const { folder, request } = opened;
  const isAgain = ({ arm }: PlannedRun) => request.again.includes(arm.name);
  const results = await readResults(folder);
  const standings = runs.map((run): RunStanding =>
    isAgain(run) ? { kind: "new" } : standingOf(folder, run, results),
  );
  if (!request.overwrite) refuseChanged(runs, standings, folder);
  if (runs.some(isAgain)) await forget(folder, runs.filter(isAgain));
  return standings.map((standing, i) => {
    if (standing.kind !== "changed") return standing;
    removeRun(folder, runs[i]);
    return { kind: "new" };
  });
}

/** The command line that goes on with this comparison. */
function commandLine(out: string): string {
  const plain = process.argv
    .slice(2)
    .filter((word) => !["--json", "--quiet", "--overwrite"].includes(word))
    .filter((word, i, words) => !word.startsWith("--again") && words[i - 1] !== "--again");
  const place = plain.some((word) => word === "--out" || word.startsWith("--out="))
    ? []
    : ["--out", out];
  const quoted = [...plain, ...place].map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  );
  return ["contrapose", ...quoted].join(" ");
}

function summariser({ request, folder, data }: Opened, arms: readonly PlannedArm[], load: Load) {
  const { train } = data;
  const machine = `${cpus().at(0)?.model.trim() ?? "unknown"}, ${counted(availableParallelism(), "core")}`;
  return (results: readonly RunResult[], failed: readonly FailedRun[]): Comparison =>
    summarise(
      {
        out: folder.path,
        command: commandLine(folder.path),
        budget: request.budget,
        machine,
        parallel: load.parallel,
        threads: load.threads,
        seeds: request.seeds,
        failed,
        data: {
          path: request.data,
          images: train.count,
          test: request.test ?? null,
          classes: train.classes?.length ?? 0,
        },
        arms: arms.map(({ name, plan: { config, passes, stepsPerEpoch, usesLabels } }) => ({
          name,
          passes,
          usesLabels,
          method: config.method,
          epochs: config.epochs,
          steps: config.epochs * stepsPerEpoch,
          batchSize: config.batchSize,
        })),
      },
      results,
    );
}

async function writePages(folder: CompareFolder, all: Comparison): Promise<void> {
  await writeFileAtomic(folder.data, `${JSON.stringify(all, null, 2)}\n`);
  await writeFileAtomic(folder.text, renderMarkdown(all));
  await writeFileAtomic(folder.page, renderComparison(all));
}

function say(all: Comparison, folder: CompareFolder, { printer }: Call): void {
  for (const line of leftColumns(factsOf(all), "   ")) printer.say(line);
  for (const { title, head, rows, intro } of all.runs.done === 0 ? [] : tablesOf(all)) {
    printer.say();
    printer.say(title);
    for (const line of columns([head, ...rows], "   ")) {
      printer.say(`  ${line}`);
    }
    printer.note(printer.colours.dim(`  ${intro}`));
  }
  printer.say();
  for (const sentence of all.conclusion) printer.say(sentence);
  printer.say();
  printer.say(`page       ${folder.page}`);
  if (all.runs.done < all.runs.total) printer.say(`go on      ${all.command}`);
}

/** Without test images the part that is held out beside the training images is asked, where there is one with labels. */
async function withHeldOut(request: Request): Promise<Request> {
  const { data, test, split } = request;
  return test === undefined && (await holdsOut(data, split)) ? { ...request, test: data } : request;
}

/** Trains and measures arms × seeds, and says what the runs show. */
export async function runCompare(call: Call): Promise<Answer> {
  const { printer } = call;
  const request = await withHeldOut(await readRequest(call));
  const folder = compareFolder(request.out);
  checkCompareFolder(folder);
  const held = await lock(join(folder.path, "compare"), {
    what: `compare: ${quoted(folder.path)} is being made`,
    note: (text) => printer.note(`note       ${text}`),
  });
  try {
    return await compareLocked(request, folder, call);
  } finally {
    held.release();
  }
}

async function compareLocked(request: Request, folder: CompareFolder, call: Call): Promise<Answer> {
  const { printer } = call;
  for (const note of request.notes) printer.note(`note       ${note}`);
  const data = await openImages(request, folder, call);
  try {
    const opened = { request, folder, data, call };
    const known = planned(opened); // what is wrong with an arm is said before anything is measured
    await keepFeatures(opened, known);
    call.saves(true); // from here on it waits for processes of its own, which save themselves
    const load = await loadOf(opened, request.overwrite ? undefined : readState(folder));
    const arms = load && (await plannedArms(opened, load));
    if (load === undefined || arms === undefined) return { out: folder.path, finished: false };
    const runs = planRuns(arms, request.seeds, data);
    const standings = await standingsOf(opened, runs);
    const done = standings.filter(({ kind }) => kind === "done").length;
    const { parallel, threads, why } = load;
    printer.note(
      `${counted(runs.length, "run")}, ${done} done; ${parallel} at once with ${counted(threads, "thread")} each (${why})`,
    );
    const summary = summariser(opened, arms, load);
    const sources = {
      data: request.data,
      test: request.test,
      groups: request.groups,
      labels: request.labels,
    };
    const made = await makeRuns(
      {
        folder,
        runs,
        standings,
        sources,
        parallel,
        threads,
        each: (results, failed) => writePages(folder, summary(results, failed)),
      },
      call,
    );
    call.saves(false);
    const all = summary(made.results, made.failed);
    await writePages(folder, all);
    say(all, folder, call);
    return { ...all, finished: all.runs.done === all.runs.total };
  } finally {
    data.train.close();
    data.test?.close();
  }
}
