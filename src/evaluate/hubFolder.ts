import { join } from "node:path";

import type { Facts } from "../encoders/index.ts";
import { writeFileAtomic, writeSafetensors } from "../files/index.ts";
import {
  encoderMetadata,
  type EncoderDescription,
  type LoadedEncoder,
} from "../inference/index.ts";
import { allArrays, makersArrays, modelOf } from "./exportEncoder.ts";
import { modelCard } from "./modelCard.ts";

/** Files of a folder laid out as hubs do it. */
export type HubFolder = {
  readonly config: string;
  readonly processor: string | undefined; // preprocessor_config.json, which transformers reads
  readonly weights: string;
  readonly onnx: string;
  readonly card: string;
  readonly dimension: number;
  /** Largest difference of the model to the encoder, beside the largest feature. */
  readonly relative: number;
  /** Arrays that were rounded to 16 bits, as the model has them. */
  readonly narrowed: number;
};

const pilFilters = { lanczos: 1, bilinear: 2, bicubic: 3 };

/** How images become the input, as `preprocessor_config.json` says it. */
function processorOf(description: EncoderDescription, facts: Facts): Facts {
  const { imageSize, mean, std, crop, interpolation = "bilinear" } = description;
  const { of = "square", share = 1 } = crop ?? {};
  const edge = Math.floor(imageSize / share);
  const square = { height: imageSize, width: imageSize };
  return {
    ...facts,
    do_resize: true,
    resample: pilFilters[interpolation],
    size: of === "square" ? { shortest_edge: edge } : { height: edge, width: edge },
    do_center_crop: of === "square" || share !== 1,
    crop_size: square,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
}

/** The same as `pretrained_cfg` of timm. */
function pretrainedOf(description: EncoderDescription, facts: Facts): Facts {
  const { imageSize, mean, std, crop, interpolation = "bilinear", start } = description;
  const { of = "square", share = 1 } = crop ?? {};
  return {
    ...facts,
    input_size: [3, imageSize, imageSize],
    mean,
    std,
    interpolation,
    crop_pct: share,
    crop_mode: of === "square" ? "center" : "squash",
    num_classes: 0,
    ...(start?.licence !== undefined && { license: start.licence }),
  };
}

const isRecord = (value: unknown): value is Facts =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Facts whose size of images is that of learned positions. */
const sized = (facts: Facts, imageSize: number): Facts =>
  "image_size" in facts ? { ...facts, image_size: imageSize } : facts;

/** `config.json` and `preprocessor_config.json`: those that came with the start, with what is so now. */
function configsOf(description: EncoderDescription): { config: Facts; processor?: Facts } {
  const { imageSize, start, dimension } = description;
  const { config = {}, processor } = start?.origin ?? {};
  if (processor !== undefined || typeof config.model_type === "string") {
    const inner = config.vision_config;
    const own = sized(config, imageSize);
    return {
      config: isRecord(inner) ? { ...own, vision_config: sized(inner, imageSize) } : own,
      processor: processorOf(description, processor ?? {}),
    };
  }
  const given = isRecord(config.pretrained_cfg) ? config.pretrained_cfg : {};
  const pretrained_cfg = pretrainedOf(description, given);
  return { config: { ...config, num_classes: 0, num_features: dimension, pretrained_cfg } };
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/**
 * Writes an encoder as a folder that hubs, timm, transformers and `--from` take: `config.json`, for transformers
 * `preprocessor_config.json`, `model.safetensors` under the names that the start came with, `onnx/model.onnx` and
 * a model card. The model is loaded back and compared with the encoder.
 */
export async function exportHubFolder(loaded: LoadedEncoder, folder: string): Promise<HubFolder> {
  const { description, variables } = loaded;
  const { bytes, relative, narrowed, ...model } = await modelOf(loaded, "features", undefined);
  const { config, processor } = configsOf(description);
  const files = {
    config: join(folder, "config.json"),
    processor: processor && join(folder, "preprocessor_config.json"),
    weights: join(folder, "model.safetensors"),
    onnx: join(folder, "onnx", "model.onnx"),
    card: join(folder, "README.md"),
  };
  const makers = makersArrays(loaded);
  const own = encoderMetadata(description);
  await writeFileAtomic(files.onnx, bytes);
  await writeSafetensors(
    files.weights,
    makers ?? allArrays(variables),
    makers === undefined ? own : { format: "pt" },
  );
  await writeFileAtomic(files.config, json(config));
  if (files.processor !== undefined) await writeFileAtomic(files.processor, json(processor));
  await writeFileAtomic(files.card, modelCard(description, model));
  return { ...files, dimension: model.dimension, relative, narrowed };
}
