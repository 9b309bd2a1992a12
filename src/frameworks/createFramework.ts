import type { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { type DataOf, type HostArray, hostArray, type HostRecord, scalar } from "../core/arrays.ts";
import type { Part } from "../core/catalogue.ts";
import { ConfigError, ShapeError } from "../core/errors.ts";
import { parseOptions } from "../core/options.ts";
import type { Network } from "../encoders/index.ts";
import { disposeArrays } from "../core/trees.ts";
import { type Sampler, samplers } from "../sampling/index.ts";
import { checkChain } from "./pairs/checkChain.ts";
import { unitRows } from "./judge/contrast.ts";
import { copyModel } from "./model/copyModel.ts";
import { cachedPrograms } from "./model/gradientCache.ts";
import type { BatchSpec } from "./pairs/batchSpec.ts";
import type { Core, FrameworkEntry } from "./defineFramework.ts";
import type { Framework, LoadedBatch, StepAt } from "./framework.ts";
import { project, withSampling } from "./model/model.ts";
import type { Parts } from "./parts.ts";
import { type ChosenParts, commonSettings } from "./settings.ts";
import { recorderOf } from "./judge/recorder.ts";
import { samplingQuality } from "./judge/quality.ts";
import type { HostModel, HostState, Model } from "./model/state.ts";
import { stepOf } from "./step.ts";

/** What a framework is made of: what a run says of it, how many images there are, and whether it measures itself. */
const FrameworkSchema = z.strictObject({
  ...commonSettings,
  mixer: commonSettings.mixer.optional(),
  batchSize: z
    .int()
    .min(1)
    .max(1e6)
    .describe("images of a step; one where a memory holds the negatives"),
  headFirst: z
    .number()
    .min(0)
    .max(0.99)
    .default(0)
    .describe("share of the run before the encoder moves, where its parameters have a share"),
  datasetSize: z.int().min(1).describe("images of the dataset"),
  metrics: z.boolean().default(true).describe("measure similarities and norms in every step"),
});

/** What a framework is made of. */
export type FrameworkConfig = Omit<z.input<typeof FrameworkSchema>, keyof ChosenParts> &
  ChosenParts;

type Parsed = z.output<typeof FrameworkSchema>;

/** The network of heads that a framework asks for, on features of the encoder. */
function headOf(config: Parsed, entry: FrameworkEntry, encoder: Network, splits: number): Network {
  const { entry: head, options } = config.head;
  const split = splits > 1 && options.batchNorm === true;
  const headOptions = split ? { ...options, batchNorm: { splitBatch: splits } } : options;
  const make = (inputs: number) => head(inputs, headOptions);
  return entry.head?.(config.framework.options, make, encoder.dimension) ?? make(encoder.dimension);
}

/** `groups` first: images of one known group are never each other's negatives. */
const withGroups = (chosen: readonly Part<Sampler>[]): Part<Sampler>[] => [
  { entry: samplers.groups, options: {} },
  ...chosen.filter(({ entry }) => entry.name !== "groups"),
];

/** Optimisers take both in one record: an encoder of a file may have names that are the head's. */
function checkNames(encoder: Network, head: Network): void {
  const both = Object.keys(head.parameters).find((name) => Object.hasOwn(encoder.parameters, name));
  if (both === undefined) return;
  throw new ConfigError(
    `encoder ${encoder.name} and head ${head.name} both have a parameter ${both}`,
    "choose another output of the encoder, before its own head",
  );
}

/** Parts of a batch that are normalised apart: of the whole batch, and of each of its micro-batches. */
type Splits = { readonly whole: number; readonly each: number };

/** Micro-batches are normalised apart in any case, and in parts of their own where the framework asks for more. */
function splitsOver({ framework, batchSize }: Parsed, count: number): Splits {
  const { entry, options } = framework;
  const asked = entry.splits?.(options, batchSize) ?? 1;
  const fits = asked % count === 0;
  if (!fits && count > 1 && typeof options.batchSplits === "number" && asked > 1) {
    throw new ConfigError(
      `${entry.name}: batchSplits is ${asked}, but a batch is taken in ${count} micro-batches, which are normalised apart: expected a multiple of ${count}`,
      "leave batchSplits out",
    );
  }
  const each = fits ? asked / count : 1;
  return { whole: each * count, each };
}

function buildParts(config: Parsed, entry: FrameworkEntry, splits: number): Parts {
  const { batchSize, imageSize, datasetSize, seed, metrics, averaging } = config;
  const { entry: loss, options: lossOptions } = config.loss;
  const { options } = config.encoder;
  const split = splits > 1 && options.normalisation === "batch";
  const encoderOptions = split ? { ...options, normalisation: { splitBatch: splits } } : options;
  const encoder = config.encoder.entry(encoderOptions, { imageSize });
  const head = headOf(config, entry, encoder, splits);
  checkNames(encoder, head);
  const optimiser = config.optimiser.entry(
    { ...encoder.parameters, ...head.parameters },
    config.optimiser.options,
  );
  return {
    encoder,
    head,
    loss(similarity, pairs, overrides = {}) {
      const said = Object.entries(overrides).filter(([, value]) => value !== undefined);
      return loss(similarity, pairs, { ...lossOptions, ...Object.fromEntries(said) });
    },
    chosenLoss: config.loss,
    measureLoss: (similarity, pairs) => loss.measure(similarity, pairs, lossOptions),
    temperature: typeof lossOptions.temperature === "number" ? lossOptions.temperature : 1,
    negativeTemperature: loss.negativeTemperature(lossOptions),
    samplers: withGroups(config.samplers),
    mixer: config.mixer,
    optimiser,
    batchSize,
    imageSize,
    datasetSize,
    seed,
    metrics,
    averaging,
  };
}

function initialState(parts: Parts, core: Core): HostState {
  const model: HostModel = {
    encoder: parts.encoder.init(parts.seed),
    head: parts.head.init(parts.seed),
  };
  const average = parts.averaging > 0 ? { average: copyModel(model) } : {};
  const sampling = Object.assign({}, ...core.chains.map((chain) => chain.state())) as HostRecord;
  const key = core.keys === undefined ? {} : { key: copyModel(model) };
  const memory = core.memory && { memory: core.memory() };
  const state = { ...model, optimiser: parts.optimiser.init(), ...average, ...key, ...memory };
  return withSampling(state, sampling);
}

/** Whether the encoder is trained at rates of its own. */
const hasBody = ({ encoder }: Pick<Parts, "encoder">): boolean =>
  Object.values(encoder.parameters).some(({ share }) => share !== undefined);

function batchSpecOf(parts: Parts, core: Core): BatchSpec {
  const { batchSize, imageSize } = parts;
  const { inputs } = parts.encoder;
  const rows = core.viewCount * batchSize;
  const view = inputs === undefined ? [3, imageSize, imageSize] : [inputs];
  const marks = { dtype: "int32", shape: [rows] } as const;
  const links = core.chains.flatMap((chain) => chain.links);
  const compared = links.some(({ part, options }) => part.crops(options));
  return {
    views: { dtype: "float32", shape: [rows, ...view] },
    ids: marks,
    groups: marks,
    labels: marks,
    ...(compared ? { crops: { dtype: "float32", shape: [rows, 4] } } : {}),
    learningRate: { dtype: "float32", shape: [] },
    ...(hasBody(parts) ? { bodyRate: { dtype: "float32", shape: [] } } : {}),
    ...core.extraBatch,
    ...(Object.assign({}, ...core.chains.map(({ spec }) => spec)) as BatchSpec),
  };
}

/** Marks of B images repeated for each view, or as they are where they are of views. */
function viewMarks(given: Int32Array | undefined, rows: number, name: string): HostArray {
  const marks = new Int32Array(rows).fill(-1);
  if (given === undefined) return hostArray("int32", [rows], marks);
  if (rows % given.length !== 0) {
    throw new ShapeError(`batch: ${name} has ${given.length} entries, expected a part of ${rows}`);
  }
  for (let at = 0; at < rows; at += given.length) marks.set(given, at);
  return hostArray("int32", [rows], marks);
}

/** Crops of all views, which a sampler asks for. */
function viewCrops(crops: LoadedBatch["crops"], shape: readonly number[]): HostArray {
  if (crops !== undefined) return hostArray("float32", shape, crops() as DataOf<"float32">);
  throw new ShapeError(
    `batch: crops are missing, expected [${shape.join(", ")}]`,
    "a sampler compares the crops of views: give them, or set its option overlap to null",
  );
}

/** Arrays of a step beside its views, of a loaded batch and where the run stands. */
function besideOf(
  core: Core,
  { spec, headFirst }: { spec: BatchSpec; headFirst: number },
  { ids, groups, labels, crops }: LoadedBatch,
  { learningRate, step, progress }: StepAt,
): HostRecord {
  const [rows] = spec.ids.shape;
  return {
    ids: viewMarks(ids, rows, "ids"),
    groups: viewMarks(groups, rows, "groups"),
    labels: viewMarks(labels, rows, "labels"),
    ...("crops" in spec ? { crops: viewCrops(crops, spec.crops.shape) } : {}),
    learningRate: scalar(learningRate),
    ...("bodyRate" in spec ? { bodyRate: scalar(progress < headFirst ? 0 : learningRate) } : {}),
    ...core.extra?.({ step, progress }),
    ...(Object.assign(
      {},
      ...core.chains.map((chain) => chain.inputs({ step, progress })),
    ) as HostRecord),
  };
}

/** Whether batch statistics are of parts of a batch. */
const isSplit = ({ encoder, head }: Parsed): boolean => {
  const kinds = [encoder.options.normalisation, head.options.batchNorm];
  return kinds.some((kind) => typeof kind === "object" && kind !== null && "splitBatch" in kind);
};

/** Embeddings [N, E] of images by a model while training; its statistics stay as they are. */
function projectModel(parts: Parts, model: Model, images: np.Array): np.Array {
  const parameters = { encoder: model.encoder.parameters, head: model.head.parameters };
  const statistics = { encoder: model.encoder.statistics, head: model.head.statistics };
  const { embedding, statistics: moved } = project(parts, parameters, statistics, images);
  disposeArrays(moved);
  return embedding;
}

/** Builds encoder, head, loss, samplers, optimiser and framework of a config. Throws `ConfigError` on mistakes. */
export function createFramework(config: FrameworkConfig): Framework {
  const parsed = parseOptions("framework", FrameworkSchema, config);
  const { entry, options } = parsed.framework;
  if (parsed.batchSize > parsed.datasetSize) {
    throw new ConfigError(
      `batchSize is ${parsed.batchSize}, expected at most the ${parsed.datasetSize} images of the dataset`,
    );
  }
  const parts = buildParts(parsed, entry, splitsOver(parsed, 1).whole);
  const core = entry.build(parts, options);
  checkChain(entry.name, core, parts);
  const spec = batchSpecOf(parts, core);
  const { columns } = core;
  const { headFirst } = parsed;
  const beside: Framework["beside"] = (loaded, at) =>
    besideOf(core, { spec, headFirst }, loaded, at);
  const batch: Framework["batch"] = (loaded, at) => ({
    views: hostArray("float32", spec.views.shape, loaded.views as DataOf<"float32">),
    ...beside(loaded, at),
  });
  const build = (other: Parts) => entry.build(other, options);
  return {
    name: entry.name,
    encoder: parts.encoder,
    head: parts.head,
    viewCount: core.viewCount,
    queryViews: core.queryViews,
    batchSize: parts.batchSize,
    batchSpec: spec,
    contested: core.chains.map(({ sizes }) => sizes),
    memoryRows: core.memoryRows ?? 0,
    init: () => initialState(parts, core),
    step: stepOf(parts, core),
    batch,
    beside,
    figures: samplingQuality,
    embed: (encoder, images) => parts.encoder.apply(encoder, images, { training: false }).features,
    embedHead: ({ encoder, head }, images) => {
      const { features } = parts.encoder.apply(encoder, images, { training: false });
      return unitRows(parts.head.apply(head, features, { training: false }).features);
    },
    chanceLoss: core.chanceLoss,
    ...(core.viewCount > 1 && core.viewCount === core.queryViews && isSplit(parsed)
      ? { embedParts: (model, views) => unitRows(projectModel(parts, model, views)) }
      : {}),
    ...(columns
      ? { recorder: (count) => recorderOf(parts, build, { spec, batch, beside }, count) }
      : {}),
    cached(count) {
      const { whole, each } = splitsOver(parsed, count);
      const cut = buildParts(parsed, entry, each);
      return cachedPrograms(cut, build(cut), { count, splits: whole });
    },
  };
}
