import { resolve } from "node:path";

import { sizeOf } from "../core/arrays.ts";
import type { PackedDataset } from "../data/index.ts";
import type { Network } from "../encoders/index.ts";
import { describeEncoder, encoderMetadata } from "../inference/index.ts";
import { createFramework, type Framework, type HostState } from "../methods/index.ts";
import type { OpenConfig } from "./automatic.ts";
import type { Exported } from "./checkpoint.ts";
import type { RunConfig } from "./config.ts";

/** The framework that a config describes. */
export function frameworkOf(
  config: Pick<OpenConfig, "framework" | "encoder" | "head" | "loss" | "samplers" | "mixer"> &
    Pick<OpenConfig, "optimiser" | "averaging" | "batchSize" | "imageSize" | "seed">,
  images: number,
): Framework {
  const { framework, encoder, head, loss, samplers, mixer, optimiser } = config;
  const { averaging, batchSize, imageSize, seed } = config;
  return createFramework({
    ...{ framework, encoder, head, loss, samplers, mixer, optimiser },
    ...{ averaging, batchSize, imageSize, datasetSize: images, seed },
  });
}

/** Number of trained values of a network. */
export const parameterCount = ({ parameters }: Network): number =>
  Object.values(parameters).reduce((total, { shape }) => total + sizeOf(shape), 0);

/**
 * Which part of the state is the encoder to use, the averaged one where there is one, and what is written
 * beside it.
 *
 * @param dataset the images it is trained on
 */
export function exportedOf(
  config: Pick<
    RunConfig,
    "encoder" | "views" | "imageSize" | "head" | "seed" | "data" | "split" | "method"
  >,
  framework: Framework,
  state: HostState,
  { header: { ranges = [] } }: PackedDataset,
): Exported {
  const { imageSize, encoder, views, head, seed, split } = config;
  const format = { imageSize, mean: views.mean, std: views.std };
  const training = {
    ...{ method: config.method, head, views, seed, data: resolve(config.data), split },
    ...(ranges.length === 0 ? {} : { ranges }),
  };
  const description = describeEncoder(encoder, framework.encoder, format, { training });
  return {
    prefix: state.average === undefined ? "encoder/" : "average/encoder/",
    metadata: encoderMetadata(description),
  };
}

/** The encoder to use of a state. */
export const exportedEncoder = (state: HostState) => (state.average ?? state).encoder;
