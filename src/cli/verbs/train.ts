import type { OptionSpec, Verb } from "../verb.ts";
import { splitOption } from "./splitOption.ts";

const data = "Data:";
const model = "Method:";
const training = "Training:";
const running = "Run:";

/** Options that stand for settings of a training config. */
export const configOptions: readonly OptionSpec[] = [
  {
    group: data,
    flags: "--data <path>",
    path: "data",
    describe: "images: a folder, CIFAR or IDX files, tar shards, a packed dataset",
  },
  {
    group: data,
    flags: "--test <path>",
    path: "test",
    describe: "held-out images with labels, measured as it goes",
  },
  { ...splitOption, group: data, path: "split" },
  {
    group: data,
    flags: "--groups <file>",
    path: "groups",
    describe: "images that are never each other's negatives, as dedupe writes them",
  },
  {
    group: data,
    flags: "--labels <file>",
    path: "labels",
    describe: "labels of some images, as path,label: the others have none",
  },
  {
    group: data,
    flags: "--image-size <px>",
    path: "imageSize",
    describe: "side of a view in pixels",
  },
  {
    group: data,
    flags: "--views <preset>",
    path: "views.preset",
    describe: "augmentation: small, photo, moco or none, at --image-size",
  },
  {
    group: model,
    flags: "--method <name>",
    path: "method",
    describe: "a paper's choices, see contrapose list methods",
  },
  {
    group: model,
    flags: "--framework <name>",
    path: "framework",
    describe: "where candidates come from, as simclr or moco",
  },
  {
    group: model,
    flags: "--samplers <names>",
    path: "samplers",
    describe: "what changes pairs, in order, as falseNegatives,ring",
  },
  {
    group: model,
    flags: "--mixer <name>",
    path: "mixer",
    describe: "what makes candidates of candidates: mochi",
  },
  {
    group: model,
    flags: "--loss <name>",
    path: "loss",
    describe: "see contrapose list losses",
  },
  {
    group: model,
    flags: "--encoder <name>",
    path: "encoder",
    describe: "see contrapose list encoders",
  },
  {
    group: model,
    flags: "--width <channels>",
    path: "encoder.width",
    describe: "width of the encoder's first stage",
  },
  {
    group: model,
    flags: "--blocks <list>",
    path: "encoder.blocks",
    describe: "residual blocks of each stage, as 2,2,2,2",
  },
  {
    group: model,
    flags: "--from <what>",
    path: "from",
    describe: "begin with a pretrained encoder: see contrapose list starts",
  },
  {
    group: model,
    flags: "--freeze <part>",
    path: "freeze",
    describe:
      "with --from: body trains an adapter behind it (default), all-but:2 its last 2 blocks, globs freeze parameters, none trains all of it",
  },
  {
    group: model,
    flags: "--backbone-lr-factor <share>",
    path: "backboneLrFactor",
    describe: "learning rate of a body that is trained, as a share of the head's (0.1)",
  },
  {
    group: model,
    flags: "--layer-decay <factor>",
    path: "layerDecay",
    describe: "multiplies that rate from each block to the one before it (1)",
  },
  {
    group: model,
    flags: "--head-first <share>",
    path: "headFirst",
    describe: "share of the run before the body is trained too (0.1)",
  },
  {
    group: model,
    flags: "--adapter <name>",
    path: "adapter",
    describe: "what is trained behind a frozen body: linear, residual or mlp",
  },
  {
    group: model,
    flags: "--kept-views <number>",
    path: "keptViews",
    describe: "views of each image whose features are kept (8)",
  },
  { group: model, flags: "--head <name>", path: "head", describe: "mlp, linear or none" },
  {
    group: model,
    flags: "--temperature <number>",
    path: "loss.temperature",
    describe: "divides similarities in the loss",
  },
  {
    group: model,
    flags: "--init <file>",
    path: "init",
    describe: "start from the weights of a safetensors file or a run",
  },
  {
    group: training,
    flags: "--epochs <number>",
    path: "epochs",
    describe: "passes over the images",
  },
  {
    group: training,
    flags: "--minutes <number>",
    path: "minutes",
    describe: "time to aim at where epochs are left out (15)",
  },
  {
    group: training,
    flags: "--batch-size <images>",
    path: "batchSize",
    describe: "images of a step, each in several views",
  },
  {
    group: training,
    flags: "--micro-batch <images>",
    path: "microBatch",
    describe: "encode so many at a time, for batches larger than memory",
  },
  {
    group: training,
    flags: "--optimiser <name>",
    path: "optimiser",
    describe: "sgd, lars or adamw",
  },
  {
    group: training,
    flags: "--learning-rate <number>",
    path: "learningRate",
    describe: "peak learning rate",
  },
  {
    group: training,
    flags: "--weight-decay <number>",
    path: "optimiser.weightDecay",
    describe: "pulls weights towards 0",
  },
  {
    group: training,
    flags: "--momentum <number>",
    path: "optimiser.momentum",
    describe: "share of the last step that is kept",
  },
  {
    group: training,
    flags: "--warmup-epochs <number>",
    path: "warmupEpochs",
    describe: "epochs until the learning rate's peak",
  },
  {
    group: training,
    flags: "--averaging <decay>",
    path: "averaging",
    describe: "keep averaged weights, as 0.99",
  },
  {
    group: training,
    flags: "--seed <number>",
    path: "seed",
    describe: "of every random choice (0)",
  },
  {
    group: running,
    flags: "--out <folder>",
    path: "out",
    describe: "folder of the run (runs/<data>-<method>)",
  },
  {
    group: running,
    flags: "--device <name>",
    path: "device",
    describe: "cpu, webgpu, cuda, coreml, dml or reference (cpu)",
  },
  {
    group: running,
    flags: "--threads <number>",
    path: "threads",
    describe: "threads of the training step (one a core)",
  },
  {
    group: running,
    flags: "--workers <number>",
    path: "workers",
    describe: "threads that make views (cores - 1)",
  },
  {
    group: running,
    flags: "--tune <on|off>",
    path: "tune",
    describe: "off: fixed ways to compute, none timed: two machines of a kind give the same bits",
  },
];

const configFile: OptionSpec = {
  group: running,
  flags: "--config <file>",
  describe: "settings from a JSON or YAML file",
};
const set: OptionSpec = {
  group: running,
  flags: "--set <path=value>",
  many: true,
  describe: "any setting, as views.jitter.hue=0.2; repeatable",
};

/** Options of a verb that reads a training config. */
export const settingOptions: readonly OptionSpec[] = [...configOptions, configFile, set];

/** Trains an encoder. */
export const train: Verb = {
  name: "train",
  summary: "Train an encoder on images",
  words: [{ name: "[data]", describe: "images, the same as --data" }],
  options: [
    ...settingOptions,
    {
      group: running,
      flags: "--resume <run>",
      describe: "go on with a run that was stopped; --data says where its images are now",
    },
    {
      group: running,
      flags: "--checkpoint <name>",
      describe: "with --resume: another checkpoint than last",
    },
    { group: running, flags: "--overwrite", describe: "replace the run in --out" },
    {
      group: running,
      flags: "--replay <file>",
      describe: "repeat a step that failed, from its failure.json",
    },
  ],
  examples: [
    "train ./photos",
    "train ./photos --minutes 60 --out runs/photos",
    "train --config recipe.yaml --seed 1 --set views.jitter.strength=0.5",
    "train --resume runs/photos",
  ],
  load: async () => (await import("../run/train.ts")).runTrain,
};
