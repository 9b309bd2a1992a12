import { resolve } from "node:path";

import { sizeOf } from "../core/arrays.ts";
import type { PackedDataset } from "../data/index.ts";
import { encoderOf, type Network } from "../encoders/index.ts";
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
  type HostState,
} from "../frameworks/index.ts";
import type { OpenConfig } from "../config/automatic.ts";
import type { Exported } from "./run/checkpoint.ts";
import type { RunConfig } from "../config/schema.ts";
import type { Start } from "../config/start.ts";

/** A pretrained network that is trained from its weights: its batch statistics stay those of its start. */
const withOwnStatistics = (network: Network): Network => ({
  ...network,
  apply: (variables, x) => network.apply(variables, x, { training: false }),
});

/** The part of a run that is trained in the place of an encoder: an adapter, a start of any kind, or the encoder. */
function trainedPart({ adapter, encoder, start, imageSize }: ModelConfig, given?: Start) {
  if (adapter !== undefined && start !== undefined) {
    return encoderOf(adapterFor(adapter, start.dimension), imageSize);
  }
  return given === undefined ? encoder : encoderOf(withOwnStatistics(given.network), imageSize);
}

type ModelConfig = Pick<OpenConfig, "encoder" | "adapter" | "start" | "imageSize">;

/** The framework that a config describes; `start` is the pretrained encoder where it begins with one. */
export function frameworkOf(
  config: ModelConfig &
    Pick<OpenConfig, "framework" | "head" | "loss" | "samplers" | "mixer"> &
    Pick<OpenConfig, "optimiser" | "averaging" | "batchSize" | "seed">,
  images: number,
  start?: Start,
): Framework {
  const { framework, head, loss, samplers, mixer, optimiser } = config;
  const { averaging, batchSize, imageSize, seed } = config;
  const encoder = trainedPart(config, start);
  const parts = { framework, encoder, head, loss, samplers, mixer, optimiser };
  return createFramework({
    ...(parts as ChosenParts), // names that may be of entries of one's own
    averaging,
    batchSize,
    imageSize,
    datasetSize: images,
    seed,
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
