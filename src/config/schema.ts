import { z } from "zod";

import { type Chosen, named, partFrom } from "../core/catalogue.ts";
import { settingNotes, type SettingNotes } from "../core/settings.ts";
import { splitNames } from "../data/index.ts";
import { adapters } from "../encoders/index.ts";
import type { InputFormat } from "../inference/index.ts";
import { type ChosenParts, commonSettings } from "../frameworks/index.ts";
import { ScheduleName } from "../optim/index.ts";
import { ViewOptions, type ViewPolicy } from "../views/index.ts";
import { methodNames } from "./methods.ts";

export type { ConfigTree } from "./configTree.ts";
export type { Named } from "../core/catalogue.ts";

const count = (least: number, most: number) => z.int().min(least).max(most);

const evaluation = z.strictObject({
  every: count(0, 1e9)
    .optional()
    .describe("epochs between two measurements; 0 measures nothing")
    .register(settingNotes, { unit: "epochs", usual: "a twentieth of them" }),
  k: count(1, 1e6).default(20).describe("neighbours that vote"),
  temperature: z.number().min(1e-4).max(1e4).default(0.07).describe("of the vote's weights"),
  images: count(10, 1e9).default(2000).describe("images measured at most"),
});

const checkpoint = z.strictObject({
  seconds: z
    .number()
    .min(0)
    .max(1e9)
    .default(30)
    .describe("longest time between two checkpoints")
    .register(settingNotes, { unit: "s" }),
  keepEvery: count(0, 1e9)
    .optional()
    .describe("epochs between two that are kept under a number; 0 keeps none")
    .register(settingNotes, { unit: "epochs", usual: "a quarter of them" }),
});

const record = z.strictObject({
  steps: count(0, 1e9)
    .nullable()
    .default(null)
    .describe(
      "steps of which pairs are recorded, spread over the run; 0 for none; null for as many as cost little, at most 12",
    ),
  anchors: count(1, 1e6).default(8).describe("anchors of such a step"),
  candidates: count(1, 1e9)
    .default(5000)
    .describe("candidates of an anchor at most, those with the most force"),
  images: z
    .array(z.union([z.string(), count(0, 1e9)]))
    .default([])
    .describe("images, by path or number, that are recorded whenever they are anchors"),
});

/** An encoder of the catalogue; in the config of a run that began with an ONNX model also that, by its output. */
const encoder = z.union([
  z.strictObject({ name: z.literal("onnx"), output: z.string() }),
  commonSettings.encoder.transform(named),
]);

const kept = (notes: SettingNotes = {}) =>
  z
    .unknown()
    .optional()
    .describe("written into a run's config.json; not read")
    .register(settingNotes, { ...notes, kept: true });
const place = z.string().min(1);

/**
 * Everything that can be said about a training run. What is left out is chosen from the data and the
 * machine, and the choice is printed with its reason.
 */
export const TrainConfig = z.strictObject({
  $schema: z.string().optional().describe("for editors").register(settingNotes, { kept: true }),
  about: kept(),
  earlierPlans: kept({ resume: "plan" }),
  start: kept(),
  own: kept({ decides: false }),
  plugins: z
    .array(z.string().min(1))
    .optional()
    .describe("files or packages whose losses, samplers … join the catalogues, as --plugin")
    .register(settingNotes, { decides: false, resume: "free" }),
  data: place
    .describe("images: a folder, CIFAR or IDX files, tar shards, a packed dataset")
    .register(settingNotes, { group: "Data", unit: "path", decides: false, resume: "free" }),
  test: place
    .optional()
    .describe("held-out images with labels, measured as it goes")
    .register(settingNotes, { group: "Data", unit: "path", decides: false, resume: "free" }),
  split: z
    .enum(splitNames)
    .optional()
    .describe("which part of images that lie in parts")
    .register(settingNotes, {
      group: "Data",
      unit: "part",
      usual: "all but what is held out",
      decides: false,
    }),
  groups: place
    .optional()
    .describe("images that are never each other's negatives, a file as dedupe writes it")
    .register(settingNotes, { group: "Data", unit: "file", decides: false, resume: "free" }),
  labels: place
    .optional()
    .describe(
      "labels of some images, as path,label, in the place of those that lie with the images",
    )
    .register(settingNotes, { group: "Data", unit: "file", decides: false, resume: "free" }),
  imageSize: commonSettings.imageSize.optional(),
  views: ViewOptions.partial().optional().describe("augmentation"),
  method: z
    .enum(methodNames)
    .optional()
    .describe("a paper's choices, under all that is set")
    .register(settingNotes, { group: "Method", unit: "name", usual: "simclr" }),
  framework: commonSettings.framework.transform(named),
  samplers: commonSettings.samplers.transform((chain) => chain.map(named)),
  mixer: commonSettings.mixer.transform(named).optional(),
  loss: commonSettings.loss.transform(named),
  encoder,
  from: place
    .optional()
    .describe(
      "a pretrained encoder to begin with: a name of contrapose list starts, an id of a hub, a folder, a file, a run",
    )
    .register(settingNotes, { group: "Method", unit: "start", decides: false }),
  freeze: z
    .string()
    .min(1)
    .optional()
    .describe(
      "with from: body trains an adapter behind the encoder; all-but:2 trains its last two blocks and what lies behind them; globs of names, with commas between them, freeze those parameters; none trains all of it",
    )
    .register(settingNotes, { group: "Method", unit: "part", usual: "body" }),
  backboneLrFactor: z
    .number()
    .min(1e-6)
    .max(1e3)
    .optional()
    .describe("learning rate of a pretrained encoder that is trained, as a share of the head's")
    .register(settingNotes, { group: "Method", unit: "share", usual: "0.1" }),
  layerDecay: z
    .number()
    .min(1e-3)
    .max(1)
    .optional()
    .describe("what that rate is multiplied by from each block to the one before it")
    .register(settingNotes, { group: "Method", unit: "factor", usual: "1" }),
  headFirst: z
    .number()
    .min(0)
    .max(0.99)
    .optional()
    .describe("share of the run in which the head alone is trained, before that encoder")
    .register(settingNotes, { group: "Method", unit: "share", usual: "0.1" }),
  batchNorm: z
    .enum(["frozen", "trained"])
    .optional()
    .describe(
      "means and variances of batch norms of that encoder: frozen leaves them; trained takes those of each batch, and averages them, in norms that are trained",
    )
    .register(settingNotes, { usual: "frozen" }),
  adapter: partFrom("", adapters)
    .transform(named)
    .optional()
    .describe("what is trained behind a frozen body")
    .register(settingNotes, { group: "Method", usual: "by what the start knows of the images" }),
  keptViews: count(2, 256)
    .optional()
    .describe("views of each image whose features are kept behind a frozen body")
    .register(settingNotes, { group: "Method", usual: "8" }),
  wholeImages: z
    .boolean()
    .optional()
    .describe(
      "whether a frozen body is fed whole images, squeezed into its square, instead of the part that its maker cuts out",
    )
    .register(settingNotes, {
      usual: "where two views of an image are seldom nearest to each other",
    }),
  head: commonSettings.head.transform(named),
  init: place
    .optional()
    .describe("weights to start from: a safetensors file or a run")
    .register(settingNotes, { group: "Method", unit: "file" }),
  epochs: count(1, 1e6).optional().describe("passes over the images").register(settingNotes, {
    group: "Training",
    usual: "those that fit into minutes",
    resume: "plan",
  }),
  minutes: z
    .number()
    .min(1e-3)
    .max(1e6)
    .default(15)
    .describe("time to aim at where epochs are left out")
    .register(settingNotes, { group: "Training", decides: false, resume: "plan" }),
  batchSize: commonSettings.batchSize.optional(),
  microBatch: count(2, 1e6)
    .optional()
    .describe("images encoded at a time where a whole batch does not fit into memory")
    .register(settingNotes, { group: "Training", unit: "images" }),
  optimiser: commonSettings.optimiser.transform(named),
  learningRate: z
    .number()
    .min(1e-12)
    .max(1e4)
    .optional()
    .describe("peak learning rate")
    .register(settingNotes, { group: "Training", usual: "by optimiser and batch" }),
  schedule: ScheduleName,
  warmupEpochs: z
    .number()
    .min(0)
    .max(1e6)
    .optional()
    .describe("epochs until the learning rate's peak")
    .register(settingNotes, { group: "Training", usual: "a twentieth of them" }),
  averaging: commonSettings.averaging,
  seed: commonSettings.seed,
  out: place.optional().describe("folder of the run").register(settingNotes, {
    group: "Run",
    unit: "folder",
    usual: "runs/<data>-<method>",
    decides: false,
  }),
  device: place
    .default("cpu")
    .describe("cpu, webgpu, cuda, coreml, dml or reference")
    .register(settingNotes, { group: "Run", unit: "name" }),
  threads: count(1, 1024)
    .optional()
    .describe("threads of the training step")
    .register(settingNotes, { group: "Run", usual: "one a core", resume: "plan" }),
  workers: count(0, 1024)
    .optional()
    .describe("threads that make views")
    .register(settingNotes, { group: "Run", usual: "cores - 1", decides: false, resume: "free" }),
  tune: z
    .enum(["on", "off"])
    .optional()
    .describe(
      "whether ways to compute are timed on this machine; off takes fixed ones, the same bits on every machine of a kind",
    )
    .register(settingNotes, { group: "Run", unit: "on|off", usual: "on" }),
  evaluation: evaluation
    .prefault({})
    .describe("what is measured while training")
    .register(settingNotes, { decides: false }),
  checkpoint: checkpoint
    .prefault({})
    .describe("when the state is saved")
    .register(settingNotes, { decides: false }),
  record: record
    .prefault({})
    .describe("which pairs are written down for inspect")
    .register(settingNotes, { decides: false }),
});

/** A config whose settings are all in range; what is chosen for a person may be left open. */
export type Parsed = z.output<typeof TrainConfig>;

/** What is written into a run's config.json, and not read. */
type Kept = "$schema" | "about" | "earlierPlans" | "start" | "own";

/** What `train` is told: everything that can be said about a run, its parts by name or as values of one's own. */
export type TrainSettings = Omit<
  z.input<typeof TrainConfig>,
  keyof ChosenParts | "adapter" | Kept
> &
  ChosenParts & { adapter?: Chosen<typeof adapters, never> | undefined };

/** What held in a run until a step, before `--resume` or a measured speed changed it. */
export type EarlierPlan = {
  readonly untilStep: number; // steps done under it, over all epochs
  readonly epochs: number;
  readonly threads: number;
};

/** What a run notes of the pretrained encoder that it began with. */
export type StartFacts = {
  readonly hash: string; // of its weights and its input
  readonly dimension: number; // of its features
  readonly licence?: string | undefined;
  readonly crop?: InputFormat["crop"]; // what of an image is its input
  readonly interpolation?: InputFormat["interpolation"];
};

/** Settings that are chosen for a run where they are left out. */
type Automatic =
  | "learningRate"
  | "warmupEpochs"
  | "epochs"
  | "batchSize"
  | "imageSize"
  | "threads"
  | "workers"
  | "out"
  | "method";

type Settled<T> = { [K in keyof T]-?: NonNullable<T[K]> };

/** A config with nothing left open. */
export type RunConfig = Omit<
  Parsed,
  Kept | Automatic | "minutes" | "views" | "evaluation" | "checkpoint"
> &
  Settled<Pick<Parsed, Automatic>> & {
    views: ViewPolicy;
    minutes?: number | undefined; // that training is to take, where the epochs follow from them
    evaluation: Settled<Parsed["evaluation"]>;
    checkpoint: Settled<Parsed["checkpoint"]>;
    /** Parts that are one's own, as `loss margin`, and where they came from. */
    own?: readonly string[];
    earlierPlans?: readonly EarlierPlan[];
    start?: StartFacts; // of from
  };
