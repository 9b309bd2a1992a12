import { z } from "zod";

import { choiceFrom, type Chosen } from "../core/catalogue.ts";
import { splitNames } from "../data/index.ts";
import { adapters, encoders, heads } from "../encoders/index.ts";
import { losses } from "../losses/index.ts";
import type { InputFormat } from "../inference/index.ts";
import { type ChosenParts, frameworks, type Named } from "../frameworks/index.ts";
import { optimisers, ScheduleName } from "../optim/index.ts";
import { mixers, samplers } from "../sampling/index.ts";
import { ViewOptions, type ViewPolicy } from "../views/index.ts";
import { methodNames } from "./methods.ts";

export type { ConfigTree } from "./configTree.ts";
export type { Named } from "../frameworks/index.ts";

const evaluation = z.strictObject({
  every: z
    .int()
    .min(0)
    .max(1e9)
    .optional()
    .describe("epochs between two measurements; 0 measures nothing"),
  k: z.int().min(1).max(1e6).optional().describe("neighbours that vote; 20 by default"),
  temperature: z
    .number()
    .min(1e-4)
    .max(1e4)
    .optional()
    .describe("of the vote's weights; 0.07 by default"),
  images: z.int().min(10).max(1e9).optional().describe("images measured at most; 2000 by default"),
});

const checkpoint = z.strictObject({
  seconds: z
    .number()
    .min(0)
    .max(1e9)
    .optional()
    .describe("longest time between two checkpoints; 30 by default"),
  keepEvery: z
    .int()
    .min(0)
    .max(1e9)
    .optional()
    .describe("epochs between two that are kept under a number; 0 keeps none"),
});

const record = z.strictObject({
  steps: z
    .int()
    .min(0)
    .max(1e9)
    .nullable()
    .optional()
    .describe(
      "steps of which pairs are recorded, spread over the run; 0 for none; null, the default, for as many as cost little, at most 12",
    ),
  anchors: z.int().min(1).max(1e6).optional().describe("anchors of such a step; 8 by default"),
  candidates: z
    .int()
    .min(1)
    .max(1e9)
    .optional()
    .describe("candidates of an anchor at most, those with the most force; 5000 by default"),
  images: z
    .array(z.union([z.string(), z.int().min(0).max(1e9)]))
    .optional()
    .describe("images, by path or number, that are recorded whenever they are anchors"),
});

const ofCatalogue = choiceFrom("encoder", encoders, "resnet");

/** An encoder of the catalogue; in the config of a run that began with an ONNX model also that, by its output. */
const encoder = z.union([
  z.strictObject({ name: z.literal("onnx"), output: z.string() }),
  ofCatalogue,
]) as unknown as typeof ofCatalogue;

/**
 * Everything that can be said about a training run. What is left out is chosen from the data and the
 * machine, and the choice is printed with its reason.
 */
export const TrainConfig = z.strictObject({
  $schema: z.string().optional().describe("for editors"),
  about: z.unknown().optional().describe("written into a run's config.json; not read"),
  earlierPlans: z.unknown().optional().describe("written into a run's config.json; not read"),
  start: z.unknown().optional().describe("written into a run's config.json; not read"),
  own: z.unknown().optional().describe("written into a run's config.json; not read"),
  plugins: z
    .array(z.string().min(1))
    .optional()
    .describe("files or packages whose losses, samplers … join the catalogues, as --plugin"),
  data: z
    .string()
    .min(1)
    .describe("images: a folder, CIFAR or IDX files, tar shards, a packed dataset"),
  test: z.string().min(1).optional().describe("held-out images with labels, measured as it goes"),
  split: z
    .enum(splitNames)
    .optional()
    .describe("which part of images that lie in parts: all but what is held out by default"),
  groups: z
    .string()
    .min(1)
    .optional()
    .describe("a file of groups, as dedupe writes it: images of one are never negatives"),
  labels: z
    .string()
    .min(1)
    .optional()
    .describe("a file of labels of some images, in the place of those that lie with the images"),
  out: z.string().min(1).optional().describe("folder of the run"),
  method: z.enum(methodNames).optional().describe("a paper's choices, under all that is set"),
  framework: choiceFrom("framework", frameworks, "simclr").describe("where candidates come from"),
  encoder: encoder.describe("images to features"),
  from: z
    .string()
    .min(1)
    .optional()
    .describe(
      "a pretrained encoder to begin with: a name of contrapose list starts, an id of a hub, a folder, a file, a run",
    ),
  freeze: z
    .enum(["body", "none"])
    .optional()
    .describe(
      "with from: body, the default, leaves the encoder as it is and trains an adapter behind it; none trains all of it",
    ),
  adapter: choiceFrom("", adapters).optional().describe("what is trained behind a frozen body"),
  keptViews: z
    .int()
    .min(2)
    .max(256)
    .optional()
    .describe("views of each image whose features are kept behind a frozen body; 8 by default"),
  wholeImages: z
    .boolean()
    .optional()
    .describe(
      "whether a frozen body is fed whole images, squeezed into its square, instead of the part that its maker cuts out; by default where two views of an image are seldom nearest to each other",
    ),
  head: choiceFrom("head", heads, "mlp").describe("features to the embedding that the loss sees"),
  loss: choiceFrom("loss", losses, "infoNce").describe("what is minimised"),
  samplers: z
    .array(choiceFrom("sampler", samplers))
    .default([])
    .describe("what changes positives and negatives, in this order; groups always comes first"),
  mixer: choiceFrom("mixer", mixers).optional().describe("makes candidates of candidates"),
  optimiser: choiceFrom("optimiser", optimisers, "sgd").describe("how weights follow the gradient"),
  learningRate: z.number().min(1e-12).max(1e4).optional().describe("peak learning rate"),
  schedule: ScheduleName.optional().describe("warmupCosine or constant"),
  warmupEpochs: z
    .number()
    .min(0)
    .max(1e6)
    .optional()
    .describe("epochs until the learning rate's peak"),
  averaging: z.number().min(0).lt(1).optional().describe("decay of averaged weights; 0 keeps none"),
  epochs: z.int().min(1).max(1e6).optional().describe("passes over the images"),
  minutes: z
    .number()
    .min(1e-3)
    .max(1e6)
    .optional()
    .describe("time to aim at where epochs is left out"),
  batchSize: z.int().min(2).max(1e6).optional().describe("images of a step, each in several views"),
  microBatch: z
    .int()
    .min(2)
    .max(1e6)
    .optional()
    .describe("images encoded at a time where a whole batch does not fit into memory"),
  views: ViewOptions.partial().optional().describe("augmentation"),
  imageSize: z.int().min(4).max(1024).optional().describe("side of a view in pixels"),
  seed: z.int().min(0).max(4294967295).optional().describe("of every random choice in the run"),
  device: z.string().min(1).optional().describe("cpu, webgpu, cuda, coreml, dml or reference"),
  threads: z.int().min(1).max(1024).optional().describe("threads of the training step"),
  workers: z.int().min(0).max(1024).optional().describe("threads that make views"),
  tune: z
    .enum(["on", "off"])
    .optional()
    .describe(
      "whether ways to compute are timed on this machine; off takes fixed ones, the same bits on every machine of a kind",
    ),
  init: z.string().min(1).optional().describe("a safetensors file of weights to start from"),
  evaluation: evaluation.optional().describe("what is measured while training"),
  checkpoint: checkpoint.optional().describe("when the state is saved"),
  record: record.optional().describe("which pairs are written down for inspect"),
});

/** What `train` is told: everything that can be said about a run, its parts by name or as values of one's own. */
export type TrainSettings = Omit<
  z.input<typeof TrainConfig>,
  keyof ChosenParts | "adapter" | "$schema" | "about" | "earlierPlans" | "start" | "own"
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

/** A config with nothing left open. */
export type RunConfig = {
  data: string;
  test?: string;
  split?: (typeof splitNames)[number];
  groups?: string;
  labels?: string;
  out: string;
  method: string;
  framework: Named;
  encoder: Named;
  from?: string;
  freeze?: "body" | "none";
  adapter?: Named;
  keptViews?: number;
  wholeImages?: boolean;
  start?: StartFacts; // of from
  head: Named;
  loss: Named;
  samplers: Named[];
  mixer?: Named;
  optimiser: Named;
  /** Parts that are one's own, as `loss margin`, and where they came from. */
  own?: readonly string[];
  plugins?: readonly string[];
  learningRate: number;
  schedule: "warmupCosine" | "constant";
  warmupEpochs: number;
  averaging: number;
  epochs: number;
  minutes?: number | undefined; // that training is to take, where the epochs follow from them
  earlierPlans?: readonly EarlierPlan[];
  batchSize: number;
  microBatch?: number;
  views: ViewPolicy;
  imageSize: number;
  seed: number;
  device: string;
  threads: number;
  workers: number;
  tune?: "on" | "off";
  init?: string;
  evaluation: { every: number; k: number; temperature: number; images: number };
  checkpoint: { seconds: number; keepEvery: number };
  record: {
    steps: number | null;
    anchors: number;
    candidates: number;
    images: (string | number)[];
  };
};

/** JSON Schema of a config file, for editors. */
export const configSchema = (): unknown =>
  z.toJSONSchema(TrainConfig, { io: "input", unrepresentable: "any" });
