import { availableParallelism } from "node:os";

import { entryOf, unknownTo } from "../core/catalogue.ts";
import { counted } from "../core/counted.ts";
import { ConfigError, DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { parseOptions } from "../core/options.ts";
import { encoders } from "../encoders/index.ts";
import { frameworkNamed } from "../frameworks/index.ts";
import { optimisers } from "../optim/index.ts";
import { loocViews, viewPolicy, type ViewOptions } from "../views/index.ts";
import { checkStart } from "./checkStart.ts";
import { type ConfigTree, type Named, type Parsed, type RunConfig, TrainConfig } from "./schema.ts";
import { omit, overlay } from "./layers.ts";
import {
  describeNamed,
  factsOfStart,
  type MetStart,
  type Note,
  startSettings,
  usualAdapter,
} from "./startSettings.ts";
import { ownParts } from "./ownParts.ts";
import { type MethodName, methods } from "./methods.ts";

/** What is known of a dataset before training. */
export type DatasetFacts = {
  readonly images: number;
  /** Median of the shorter sides, in pixels. */
  readonly shortSide: number;
  readonly labelled: boolean;
  /** The pretrained encoder that training begins with. */
  readonly start?: MetStart | undefined;
};

/** A setting that was not given, what was chosen, and why. */
export type AutomaticChoice = {
  readonly path: string;
  readonly value: string | number;
  readonly reason: string;
};

type Later = "warmupEpochs" | "evaluation" | "checkpoint"; // what follows from the epochs

/** A config with everything chosen but the epochs, which may wait for a measured speed. */
export type OpenConfig = Omit<RunConfig, "epochs" | "minutes" | Later> &
  Pick<Parsed, "minutes" | Later> & { epochs: number | undefined };

const EPOCHS = { least: 10, most: 1000 };

function imageSizeFor({ shortSide, start }: DatasetFacts): [number, string] {
  if (start !== undefined) return [start.description.imageSize, "the start's own"];
  const sides = `images have ${shortSide} px`;
  if (shortSide <= 48) return [32, sides];
  return [64, `${sides}; 96 shows finer detail and takes twice the time`];
}

function batchSizeFor({ images }: DatasetFacts, small: boolean): [number, string] {
  for (const size of small ? [128, 64, 32, 16, 8, 4] : [256, 128, 64, 32, 16, 8, 4]) {
    if (images >= size * 4) {
      const steps = Math.floor(images / size);
      return [
        size,
        size === 256 ? "256 images give 510 negatives each" : `${counted(steps, "step")} an epoch`,
      ];
    }
  }
  return [2, `only ${counted(images, "image")}`];
}

/** Small images on a CPU, for which recipes were compared: see docs/recipes.md. */
const isSmall = (imageSize: number, device: string): boolean =>
  imageSize <= 48 && (device === "cpu" || device === "reference");

function encoderFor(imageSize: number, device: string): [Named, string] {
  if (device !== "cpu" && device !== "reference") {
    return [{ name: "resnet18" }, `fits the device ${device}`];
  }
  if (isSmall(imageSize, device)) {
    return [{ name: "convnet", width: 32 }, "learns most in a quarter of an hour on a CPU"];
  }
  return [{ name: "resnet", width: 16, blocks: [1, 1, 1, 1], stem: "standard" }, "photos on a CPU"];
}

function learningRateFor(optimiser: string, encoder: string, batchSize: number): [number, string] {
  const share = batchSize / 256;
  const rounded = (value: number) => Number(value.toPrecision(3));
  if (optimiser === "adamw" && encoder.startsWith("vit")) {
    return [rounded(1e-3 * Math.sqrt(share)), "0.001 · √(batch / 256) for adamw and transformers"];
  }
  if (optimiser === "adamw") {
    return [rounded(2e-3 * Math.sqrt(2 * share)), "0.002 · √(batch / 128) for adamw"];
  }
  if (optimiser === "lars") return [rounded(4.8 * share), "4.8 · batch / 256 for lars"];
  return [rounded(0.24 * share), "0.24 · batch / 256 for sgd"];
}

const optimiserDefaults: Record<string, ConfigTree> = {
  sgd: { momentum: 0.9, weightDecay: 5e-4 },
  lars: { momentum: 0.9, weightDecay: 1e-6 },
  adamw: { weightDecay: 0.05 },
};

/** Notes each choice that the config leaves to us. */
function chooser(given: ConfigTree) {
  const choices: AutomaticChoice[] = [];
  const note = (path: string, value: string | number, reason: string) =>
    choices.push({ path, value, reason });
  function choose<T extends string | number>(path: string, make: () => [T, string]): T {
    if (given[path] !== undefined) return given[path] as T;
    const [value, reason] = make();
    note(path, value, reason);
    return value;
  }
  return { choices, choose, note };
}

/** Where options ask for a residual net for small images on a CPU. */
const smallResnet: Named = { name: "resnet", width: 16, blocks: [1, 1, 1] };

/** `convnet has no blocks`: why options stand for another entry than the usual one. */
const hasNo = (entry: Parameters<typeof unknownTo>[0], options: ConfigTree): string =>
  `${entry.name} has no ${unknownTo(entry, options).join(", ")}`;

function encoderOf(tree: ConfigTree, imageSize: number, device: string, note: Note): Named {
  const given = (tree.encoder ?? {}) as ConfigTree;
  if (given.name !== undefined) return given as Named;
  const [usual, why] = encoderFor(imageSize, device);
  const name = entryOf(encoders, usual.name, given);
  const other = name === "resnet" && isSmall(imageSize, device) ? smallResnet : { name };
  const [encoder, reason] =
    name === usual.name
      ? [usual, why]
      : [other, hasNo(encoders[usual.name as keyof typeof encoders], given)];
  const chosen = overlay(encoder, given) as Named;
  note("encoder", describeNamed(chosen), reason);
  return chosen;
}

const threadsOf = ({ threads, workers }: Pick<Parsed, "threads" | "workers">, cores: number) => ({
  threads: threads ?? cores,
  workers: workers ?? Math.max(1, cores - 1),
});

function checkBatchSize(batchSize: number, { images }: DatasetFacts): void {
  if (images < 2) {
    throw new DataError("train: there is one image, expected at least two to tell apart");
  }
  if (batchSize <= images) return;
  throw new ConfigError(
    `batchSize is ${batchSize}, expected at most the ${counted(images, "image")} of the dataset`,
  );
}

function optimiserOf(
  tree: ConfigTree,
  { small, behind }: { small: boolean; behind: boolean },
  note: Note,
): Named {
  const adamw = behind ? "for adapters" : small ? "small images on a CPU" : undefined;
  const given = (tree.optimiser ?? {}) as ConfigTree;
  const usual = adamw === undefined ? "sgd" : "adamw";
  const name = (given.name as string | undefined) ?? entryOf(optimisers, usual, given);
  if (given.name === undefined && name !== usual) {
    note("optimiser", name, hasNo(optimisers[usual], given));
  } else if (given.name === undefined && adamw !== undefined) {
    const rate = tree.learningRate === undefined ? "" : "; the learning rate given is for it";
    note("optimiser", name, `${adamw}${rate}`);
  }
  return overlay(optimiserDefaults[name] ?? {}, { ...given, name }) as Named;
}

/** Views that share an augmentation with the first where the framework has a space for each. */
function sharedViews(tree: ConfigTree, given: ViewOptions): Partial<ViewOptions> {
  const { framework } = parseOptions("train", TrainConfig.pick({ framework: true }), {
    framework: tree.framework,
  });
  const { name, ...options } = framework;
  const spaces = frameworkNamed(name)?.spaces?.(options);
  if (spaces === undefined || given.perView !== undefined) return {};
  return { perView: loocViews(spaces) };
}

function viewsOf(tree: ConfigTree, imageSize: number, start: DatasetFacts["start"]) {
  const preset = imageSize <= 48 ? "small" : "photo";
  const given = (tree.views ?? {}) as ViewOptions;
  const shared = sharedViews(tree, given);
  const own = start && { mean: start.description.mean, std: start.description.std };
  const options = { preset, ...own, ...given, ...shared, size: imageSize } as ViewOptions;
  return { policy: viewPolicy(options), automatic: given.preset === undefined, preset };
}

/** Side of the views where the config gives it, as imageSize or within views. */
export function viewSize({ imageSize, views }: ConfigTree): number | undefined {
  const inner = (views as ViewOptions | undefined)?.size;
  if (imageSize !== undefined && inner !== undefined && imageSize !== inner) {
    throw new ConfigError(
      `imageSize is ${quoted(imageSize)} and views.size is ${inner}, expected one of them`,
    );
  }
  return (imageSize as number | undefined) ?? inner;
}

/** What a config trains with that names no method: a file of labels is given to be learned from. */
function usualMethod(tree: ConfigTree): MethodName {
  const own = ["framework", "loss", "samplers", "mixer"].some((part) => tree[part] !== undefined);
  return tree.labels !== undefined && !own ? "supCon" : "simclr";
}

/** The tree laid over the preset of its method; a tree of an unknown method stays as it is. */
export function withPreset(tree: ConfigTree): ConfigTree {
  const method = (tree.method as MethodName | undefined) ?? usualMethod(tree);
  const preset = Object.hasOwn(methods, method) ? methods[method] : undefined;
  return preset === undefined ? tree : overlay(preset.config, { ...tree, method });
}

/**
 * Chooses what a config leaves open from the dataset and the machine. `given` has been checked; the
 * epochs stay open unless they are given.
 */
export function openConfig(
  given: ConfigTree,
  facts: DatasetFacts,
): { config: OpenConfig; choices: AutomaticChoice[] } {
  const tree = withPreset(given);
  const { choices, choose, note } = chooser(tree);
  const device = (tree.device as string | undefined) ?? "cpu";
  const { start } = facts;
  checkStart(tree, start);
  const imageSize = viewSize(tree) ?? choose("imageSize", () => imageSizeFor(facts));
  const begun = startSettings(tree, start, note);
  const encoder = begun.encoder ?? encoderOf(tree, imageSize, device, note);
  const small = isSmall(imageSize, device);
  const batchSize = choose("batchSize", () => batchSizeFor(facts, small));
  checkBatchSize(batchSize, facts);
  const usual = begun.adapter && usualAdapter(tree, start!);
  const optimiser = optimiserOf(tree, { small, behind: usual !== undefined }, note);
  const learningRate = choose(
    "learningRate",
    () => usual?.learningRate ?? learningRateFor(optimiser.name, encoder.name, batchSize),
  );
  const timed = usual === undefined || tree.minutes !== undefined; // the epochs follow from the minutes
  const epochs = timed ? undefined : choose("epochs", () => usual.epochs);
  const views = viewsOf(tree, imageSize, start);
  if (views.automatic) note("views", views.preset, `for images of ${imageSize} px`);
  const chosen = { ...tree, ...begun, encoder, optimiser };
  const parsed = parseOptions("train", TrainConfig, chosen);
  const config: OpenConfig = {
    ...omit(parsed, "$schema", "about", "earlierPlans", "start", "own"),
    out: parsed.out ?? "",
    method: parsed.method ?? "simclr",
    ...ownParts(parsed),
    learningRate,
    batchSize,
    views: views.policy,
    imageSize,
    ...threadsOf(parsed, availableParallelism()),
    epochs: parsed.epochs ?? epochs,
    ...factsOfStart(start),
  };
  return { config, choices };
}

/**
 * Epochs that fit into some minutes, at a measured number of seconds for an epoch: at least ten where nobody gave
 * the minutes, at least one where someone did.
 */
export function epochsFor(minutes: number, secondsPerEpoch: number, given = false): number {
  const fitting = (minutes * 60) / Math.max(1e-6, secondsPerEpoch);
  if (fitting >= EPOCHS.least) return Math.min(EPOCHS.most, Math.round(fitting));
  return given ? Math.max(1, Math.floor(fitting)) : EPOCHS.least;
}

/**
 * The rest of the config, once the epochs are known.
 *
 * @param minutes that training is to take, where the epochs follow from them
 */
export function closeConfig(config: OpenConfig, epochs: number, minutes?: number) {
  const { evaluation, checkpoint } = config;
  const choices: AutomaticChoice[] = [];
  const warmupEpochs = config.warmupEpochs ?? Math.min(10, Math.max(1, Math.round(epochs / 20)));
  if (config.warmupEpochs === undefined) {
    choices.push({ path: "warmupEpochs", value: warmupEpochs, reason: "a twentieth of the run" });
  }
  if (warmupEpochs > epochs) {
    throw new ConfigError(
      `warmupEpochs is ${warmupEpochs}, expected at most the ${epochs} epochs of the run`,
    );
  }
  const closed: RunConfig = {
    ...config,
    epochs,
    minutes,
    warmupEpochs,
    evaluation: { ...evaluation, every: evaluation.every ?? Math.max(1, Math.round(epochs / 20)) },
    checkpoint: { ...checkpoint, keepEvery: checkpoint.keepEvery ?? Math.ceil(epochs / 4) },
  };
  return { config: closed, choices };
}
