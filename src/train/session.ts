import { resolve } from "node:path";

import { sizeOf } from "../core/arrays.ts";
import type { PackedDataset } from "../data/index.ts";
import { ConfigError } from "../core/errors.ts";
import {
  blocksOf,
  encoderOf,
  frozenNames,
  type Network,
  partlyTrained,
} from "../encoders/index.ts";
import {
  adapterFor,
  describeEncoder,
  encoderMetadata,
  type InputFormat,
  type Training,
} from "../inference/index.ts";
import {
  type ChosenParts,
  createFramework,
  type Framework,
  frameworkNamed,
  type HostState,
} from "../frameworks/index.ts";
import type { OpenConfig } from "../config/automatic.ts";
import type { Exported } from "./run/checkpoint.ts";
import type { RunConfig } from "../config/schema.ts";
import type { Start } from "../config/start.ts";

/** The part of a pretrained network that a config trains, at which shares of its rate. */
function trainedBody(network: Network, config: ModelConfig): Network {
  const { freeze = "none", backboneLrFactor: factor, layerDecay = 1, batchNorm } = config;
  const names = Object.keys(network.parameters);
  const frozen = frozenNames(names, freeze);
  const { of, count } = blocksOf(names);
  if (layerDecay < 1 && count === 0) {
    throw new ConfigError(
      `layerDecay: the names of the encoder's parameters show no blocks, as ${names[0]}`,
      "leave it out",
    );
  }
  const share = (name: string) => factor && factor * layerDecay ** (count - of.get(name)!);
  const trained = names.filter((name) => !frozen.has(name));
  const batchStatistics = batchNorm === "trained";
  if (batchStatistics) checkBatchNorms(network, config);
  const shares = new Map(trained.map((name) => [name, share(name)]));
  return partlyTrained(network, { shares, batchStatistics });
}

function checkBatchNorms({ name, statistics }: Network, { framework }: ModelConfig): void {
  if (name === "onnx" || Object.keys(statistics).length === 0) {
    const why = name === "onnx" ? "an ONNX model keeps those of its file" : "the encoder has none";
    throw new ConfigError(`batchNorm is trained: ${why}`, "leave it out");
  }
  if (frameworkNamed(framework.name)?.splits === undefined) return;
  throw new ConfigError(
    `batchNorm is trained: ${framework.name} would tell keys by the statistics of their batch`,
    "leave it out, or choose a framework without a key encoder",
  );
}

/** The part of a run that is trained in the place of an encoder: an adapter, a start of any kind, or the encoder. */
function trainedPart(config: ModelConfig, given?: Start) {
  const { adapter, encoder, start, imageSize } = config;
  if (adapter !== undefined && start !== undefined) {
    const network = adapterFor(adapter, start.dimension);
    return encoderOf({ ...network, fixed: Object.keys(network.statistics) }, imageSize);
  }
  return given === undefined ? encoder : encoderOf(trainedBody(given.network, config), imageSize);
}

type ModelConfig = Pick<OpenConfig, "encoder" | "adapter" | "start" | "imageSize" | "framework"> &
  Pick<OpenConfig, "freeze" | "backboneLrFactor" | "layerDecay" | "headFirst" | "batchNorm">;

/** The framework that a config describes; `start` is the pretrained encoder where it begins with one. */
export function frameworkOf(
  config: ModelConfig &
    Pick<OpenConfig, "head" | "loss" | "samplers" | "mixer"> &
    Pick<OpenConfig, "optimiser" | "averaging" | "batchSize" | "seed">,
  images: number,
  start?: Start,
): Framework {
  const { framework, head, loss, samplers, mixer, optimiser } = config;
  const { averaging, batchSize, imageSize, seed, headFirst } = config;
  const encoder = trainedPart(config, start);
  const parts = { framework, encoder, head, loss, samplers, mixer, optimiser };
  return createFramework({
    ...(parts as ChosenParts), // names that may be of entries of one's own
    averaging,
    batchSize,
    imageSize,
    datasetSize: images,
    seed,
    headFirst,
  });
}

/** Number of trained values of a network. */
export const parameterCount = ({ parameters }: Network): number =>
  Object.values(parameters).reduce((total, { shape }) => total + sizeOf(shape), 0);

/** How images become the input of a run's encoder. */
export const formatOf = ({
  imageSize,
  views,
  start,
}: Pick<RunConfig, "imageSize" | "views" | "start">): InputFormat => ({
  imageSize,
  mean: views.mean,
  std: views.std,
  crop: start?.crop,
  interpolation: start?.interpolation,
});

type TrainingConfig = Pick<
  RunConfig,
  "method" | "head" | "views" | "seed" | "data" | "split" | "labels"
>;

/** What is written of a training beside weights. */
export function trainingOf(config: TrainingConfig, { header }: PackedDataset): Training {
  const { method, head, views, seed, data, split, labels } = config;
  const { ranges = [] } = header;
  return {
    method,
    head,
    views,
    seed,
    data: resolve(data),
    split,
    ...(ranges.length === 0 ? {} : { ranges }),
    ...(labels === undefined ? {} : { labels: resolve(labels) }),
  };
}

const nothing = { parameters: {}, statistics: {} };

/**
 * Which part of the state is the encoder to use, the averaged one where there is one, and what is written
 * beside it.
 *
 * @param dataset the images it is trained on
 * @param body the pretrained encoder that it began with
 */
export function exportedOf(
  config: TrainingConfig & Pick<RunConfig, "encoder" | "adapter" | "imageSize" | "start">,
  framework: Framework,
  state: HostState,
  dataset: PackedDataset,
  body?: Start,
): Exported {
  const { encoder, adapter } = config;
  const { start, graph, adapter: own } = body?.description ?? {};
  const description = describeEncoder(encoder, framework.encoder, formatOf(config), {
    training: trainingOf(config, dataset),
    start,
    graph,
    adapter: adapter ?? own,
  });
  const { parameters, statistics } = adapter && body ? body.variables : nothing;
  return {
    body: { ...parameters, ...statistics },
    prefix: state.average === undefined ? "encoder/" : "average/encoder/",
    metadata: encoderMetadata(description),
  };
}

/** The encoder to use of a state. */
export const exportedEncoder = (state: HostState) => (state.average ?? state).encoder;
