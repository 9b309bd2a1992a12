import { rmSync } from "node:fs";
import { join } from "node:path";

import { counted } from "../core/counted.ts";
import { ConfigError, DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { type Lock, recoverFolder } from "../files/index.ts";
import { alone, leading, type Leader } from "../ranks/index.ts";
import type { Framework } from "../frameworks/index.ts";
import {
  type AutomaticChoice,
  closeConfig,
  epochsFor,
  openConfig,
  viewSize,
  withPreset,
} from "../config/automatic.ts";
import { goBackTo, newestCheckpoint, readPosition } from "./run/checkpoint.ts";
import type { ConfigTree, RunConfig, TrainSettings } from "../config/schema.ts";
import { checkLabels } from "./checks/checkLabels.ts";
import { checkMemory } from "./checks/checkMemory.ts";
import { checkStart } from "../config/checkStart.ts";
import { checkNegatives } from "./checks/checkNegatives.ts";
import { checkSame, continuedConfig } from "./continued.ts";
import { checkCrops } from "./crops/cropRefresh.ts";
import { factsOf, openTrainingData, type TrainingData } from "./dataset.ts";
import { differences } from "../config/decisive.ts";
import type { TrainListener } from "./events.ts";
import { meetStart } from "./kept/meetStart.ts";
import { closeKept, type Given, type Kept } from "./kept/openKept.ts";
import { configMistakes, omit, spelledOut } from "../config/layers.ts";
import { describeMachine } from "./run/machine.ts";
import { openTest } from "./monitor.ts";
import { checkOwn } from "../config/ownParts.ts";
import { LATE, spoken } from "./time/pace.ts";
import { loadPlugins } from "../config/plugins.ts";
import { openParts, type Parts } from "./openParts.ts";
import { measureStep } from "./prepare.ts";
import { shareBatch, withThreads } from "./ranks/openJoint.ts";
import { replanned } from "./time/replan.ts";
import {
  type AboutRun,
  readRunConfig,
  withFullPaths,
  writeRunConfig,
  type WrittenConfig,
} from "./run/runConfig.ts";
import { type Outcome, runSession } from "./runSession.ts";
import {
  checkOut,
  createRunFolder,
  existingRun,
  freshRunPath,
  lockRun,
  type RunFolder,
} from "./run/runFolder.ts";
import { frameworkOf, trainingOf } from "./session.ts";
import { startHint } from "./startHint.ts";
import { keepStart, keptStart, openStart } from "../config/start.ts";

/** How training is watched and stopped. */
export type TrainOptions = {
  readonly overwrite?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly listener?: TrainListener | undefined;
  /** Rank 0 of several, whose others are in `followTraining`. */
  readonly leader?: Leader | undefined;
  /** Changes the framework that the config describes before it is compiled; for experiments with faults. */
  readonly tamper?: ((framework: Framework) => Framework) | undefined;
};

/** What a run came to. */
export type TrainResult = Outcome & {
  readonly run: string;
  readonly choices: readonly AutomaticChoice[];
};

const quiet: TrainListener = () => undefined;
const unchanged = (framework: Framework): Framework => framework;

/** The config of a new run but for its epochs, checked against its images, and the framework that it describes. */
function openNew(
  tree: ConfigTree,
  { data, start, listener }: Given,
  { tamper = unchanged, leader = leading(alone) }: TrainOptions,
) {
  const open = openConfig(tree, factsOf(data, start));
  const { config: asked, choices } = shareBatch(open, leader.ranks);
  checkLabels(asked.samplers, data);
  const framework = tamper(frameworkOf(asked, data.count, start));
  const config = { ...asked, views: { ...asked.views, count: framework.viewCount } };
  checkCrops(config.views, framework.encoder, data);
  checkMemory(framework, config);
  checkNegatives(config, data, framework.memoryRows === 0);
  if (config.init === undefined && start === undefined) {
    const hint = startHint(data.originalShortSide);
    if (hint !== undefined) listener({ kind: "note", text: `note       ${hint}` });
  }
  return { config, choices, framework };
}

/**
 * The epochs, measured where they are left open, and then the minutes that they are to take.
 *
 * @param isGiven whether the config says the minutes
 */
async function chosenEpochs(
  { config, choices }: ReturnType<typeof openNew>,
  { framework, state, stepper }: Parts,
  images: number,
  isGiven: boolean,
): Promise<{ epochs: number; minutes?: number }> {
  if (config.epochs !== undefined) return { epochs: config.epochs };
  const seconds = await measureStep(stepper, framework, state);
  const perEpoch = seconds * Math.floor(images / config.batchSize);
  const epochs = epochsFor(config.minutes, perEpoch, isGiven);
  const planned = epochs * perEpoch;
  const about = `about ${spoken(planned)} at the measured ${Math.round(config.batchSize / seconds)} images/s`;
  const over = planned > LATE * 60 * config.minutes;
  const least = over ? `${epochs === 1 ? "one epoch" : `${epochs} epochs`} at least: ` : "";
  const reason = `${least}${about}; --minutes or --epochs set it`;
  choices.push({ path: "epochs", value: epochs, reason });
  return { epochs, minutes: Math.max(config.minutes, Number((planned / 60).toFixed(2))) };
}

/** Settings as a tree of names, with its plugins loaded: values of one's own have joined the catalogues. */
async function named(settings: ConfigTree): Promise<ConfigTree> {
  const plugins = await loadPlugins(settings.plugins);
  return spelledOut(plugins.length === 0 ? settings : { ...settings, plugins });
}

/** Trains the config of a run again. */
export function train(config: RunConfig, options?: TrainOptions): Promise<TrainResult>;
/**
 * Trains a new run. Parts are chosen by name, or by what a `define…` gives, which joins the catalogues of this process.
 * Throws `ConfigError` with every mistake in the settings.
 */
export function train(settings: TrainSettings, options?: TrainOptions): Promise<TrainResult>;
export async function train(
  settings: TrainSettings | RunConfig,
  options: TrainOptions = {},
): Promise<TrainResult> {
  const tree = withThreads(await named(settings), options.leader?.ranks ?? alone);
  const mistakes = configMistakes(withPreset(tree));
  if (mistakes.length > 0) throw new ConfigError(`train: ${mistakes.join("; ")}`);
  const out =
    (tree.out as string | undefined) ??
    freshRunPath(tree.data as string, withPreset(tree).method as string);
  checkOut(out, options.overwrite ?? false);
  const held = await lockRun(out, options.listener ?? quiet);
  try {
    return await trainLocked(tree, out, held, options);
  } finally {
    held.release();
  }
}

async function trainLocked(
  tree: ConfigTree,
  out: string,
  held: Lock,
  options: TrainOptions,
): Promise<TrainResult> {
  const { overwrite = false, signal = new AbortController().signal, listener = quiet } = options;
  const { groups, labels, split, from } = tree as Partial<RunConfig>; // checked by the schema
  const found =
    from === undefined
      ? undefined
      : await openStart(from, viewSize(tree), {
          signal,
          progress: (file, done, total) => listener({ kind: "fetching", file, done, total }),
        });
  const imageSize = viewSize(tree) ?? found?.description.imageSize;
  const places = { out, imageSize, listener, signal };
  const data = await openTrainingData(tree.data as string, { ...places, groups, labels, split });
  let test: TrainingData | undefined;
  let kept: Kept | undefined;
  try {
    test = await openTest(tree.test as string | undefined, data, places);
    const settings = withFullPaths({ ...tree, out });
    checkStart(withPreset(tree), found);
    const start = await meetStart(found, settings, { data, listener, signal });
    const given = { data, test, start, listener, signal };
    const asked = openNew(settings, given, options);
    const parts = await openParts(asked.framework, asked.config, given, { leader: options.leader });
    kept = parts.kept;
    const isGiven = tree.minutes !== undefined;
    const { epochs, minutes } = await chosenEpochs(asked, parts, data.count, isGiven);
    const closed = closeConfig(asked.config, epochs, minutes);
    const choices = [...asked.choices, ...closed.choices];
    listener({ kind: "choices", choices });
    const folder = createRunFolder(out, overwrite);
    const about = {
      ...describeMachine(),
      started: new Date().toISOString(),
      dataset: {
        images: data.count,
        fingerprint: data.fingerprint,
        classes: data.classes,
        shortSide: data.originalShortSide,
      },
      choices,
      lowering: parts.stepper.choices(),
    };
    if (start !== undefined) {
      await keepStart(folder.path, start, trainingOf(closed.config, data.dataset));
    }
    await writeRunConfig(folder, { ...closed.config, about });
    const session = { ...given, ...parts, config: closed.config, folder, held };
    const outcome = await runSession(session, undefined);
    return { ...outcome, run: out, choices };
  } finally {
    closeKept(kept);
    test?.close();
    data.close();
  }
}

/** Throws `DataError` where images are not those of the run, wherever they lie. */
function checkImages({ data: path }: RunConfig, { dataset }: AboutRun, data: TrainingData): void {
  if (data.fingerprint === dataset.fingerprint) return;
  throw new DataError(
    `resume: the images in ${quoted(path)} or their groups or labels are not those that the run began with (${counted(data.count, "image")}, there were ${dataset.images})`,
    "--data says where they are now; for other images start a new run with --init",
  );
}

/** Writes down where a run and its images are now, where that has changed. */
async function noteMoved(folder: RunFolder, before: WrittenConfig, config: RunConfig) {
  const after = { ...before, ...omit(config, "workers", "record") };
  if (differences(after, before).length > 0) await writeRunConfig(folder, after);
}

/** The checkpoint to go on from; undefined where the run was stopped before the first. */
async function checkpointOf(folder: RunFolder, from: string | undefined) {
  const name = from ?? (await newestCheckpoint(folder.checkpoints));
  if (name === undefined) return undefined;
  const path = join(folder.checkpoints, name);
  if (await recoverFolder(path)) return path;
  throw new ConfigError(`resume: ${quoted(path)} does not exist`);
}

const positionAt = (checkpoint: string | undefined) =>
  checkpoint === undefined ? undefined : readPosition(checkpoint);

/** How a run is gone on with: from which checkpoint, and what else is set now. */
export type ResumeOptions = TrainOptions & {
  from?: string | undefined;
  given?: Partial<TrainSettings>;
};

/** Goes on with a run from its last checkpoint, or from another one of it. */
export async function resume(path: string, options: ResumeOptions = {}): Promise<TrainResult> {
  const folder = existingRun(path);
  const held = await lockRun(path, options.listener ?? quiet);
  try {
    return await resumeLocked(folder, held, options);
  } finally {
    held.release();
  }
}

async function resumeLocked(
  folder: RunFolder,
  held: Lock,
  options: ResumeOptions,
): Promise<TrainResult> {
  const { signal = new AbortController().signal, listener = quiet, from } = options;
  const { leader = leading(alone) } = options;
  const { path } = folder;
  const before = readRunConfig(folder);
  const { about, ...written } = before;
  const asked = withFullPaths(await named(options.given ?? {}));
  checkOwn(quoted(path), written);
  checkSame(asked, written, path);
  const moved = continuedConfig(written, asked, path);
  const checkpoint = await checkpointOf(folder, from);
  const at = positionAt(checkpoint);
  const perEpoch = Math.floor(about.dataset.images / moved.batchSize);
  const config = replanned(moved, asked, { at, perEpoch, listener });
  const { out, groups, labels, split, imageSize } = config;
  const places = { out, imageSize, listener, signal };
  const data = await openTrainingData(config.data, { ...places, groups, labels, split });
  let test: TrainingData | undefined;
  let kept: Kept | undefined;
  try {
    checkImages(config, about, data);
    const start = await keptStart(path, config);
    test = await openTest(config.test, data, places);
    const framework = frameworkOf(config, data.count, start);
    checkMemory(framework, config);
    const given = { data, test, start, listener, signal };
    const parts = await openParts(framework, config, given, {
      checkpoint,
      tune: about.lowering,
      leader,
      exists: true,
    });
    kept = parts.kept;
    if (from !== undefined) await goBackTo(folder.checkpoints, from);
    await noteMoved(folder, before, config);
    forgetFailure(folder);
    const { boxes, position } = parts.read ?? {};
    const outcome = await runSession({ ...given, ...parts, config, folder, held, boxes }, position);
    return { ...outcome, run: path, choices: about.choices };
  } finally {
    closeKept(kept);
    test?.close();
    data.close();
  }
}

/** Removes what an earlier sitting left of a step that failed: that step is done again. */
function forgetFailure({ failure, beforeFailure }: RunFolder): void {
  rmSync(failure, { force: true });
  rmSync(beforeFailure, { recursive: true, force: true });
}
