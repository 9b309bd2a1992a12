import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import type { Facts } from "../encoders/index.ts";
import type { Interpolation } from "../views/index.ts";
import type { InputFormat, KnownFormat } from "./format.ts";

type Triple = readonly [number, number, number];

const isRecord = (value: unknown): value is Facts =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const record = (value: unknown): Facts => (isRecord(value) ? value : {});
const number = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined;

function triple(value: unknown): Triple | undefined {
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [red, green, blue] = value as unknown[];
  const isNumber = (one: unknown): one is number => Number.isFinite(one);
  return isNumber(red) && isNumber(green) && isNumber(blue) ? [red, green, blue] : undefined;
}

/** Sides of a square, said as a number or as height and width. Throws `DataError` where they differ. */
function sideOf(name: string, value: unknown): number | undefined {
  if (number(value) !== undefined) return number(value);
  const { height, width } = record(value);
  if (height === width) return number(height);
  throw new DataError(
    `${name} is ${quoted(height, 40)} × ${quoted(width, 40)}, expected square images`,
  );
}

const pilFilters = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"];

function interpolationOf(name: string): Interpolation | undefined {
  if (name === "bilinear") return undefined; // the usual one
  if (name === "bicubic" || name === "lanczos") return name;
  if (name === "random") return "bicubic"; // timm: bilinear or bicubic while training
  throw new DataError(
    `the interpolation ${quoted(name, 40)} is not known here, only bilinear, bicubic, lanczos`,
  );
}

/** `pretrained_cfg` of timm: the short side to size / crop_pct, the centre of that. */
function timmPreprocessing(facts: Facts): KnownFormat {
  const size = Array.isArray(facts.input_size) ? facts.input_size : [];
  if (size.length === 3 && size[1] !== size[2]) {
    throw new DataError(`input_size is ${quoted(size, 40)}, expected square images`);
  }
  const mode = typeof facts.crop_mode === "string" ? facts.crop_mode : "center";
  if (mode === "border") throw new DataError("crop_mode border is not known here");
  const of = mode === "squash" ? ("whole" as const) : ("square" as const);
  const { interpolation } = facts;
  return {
    imageSize: number(size[1]),
    mean: triple(facts.mean),
    std: triple(facts.std),
    crop: { of, share: number(facts.crop_pct) ?? 1 },
    interpolation: interpolationOf(typeof interpolation === "string" ? interpolation : "bilinear"),
  };
}

/** ConvNeXt's processor: below 384 px the short side to edge / crop_pct and the centre, else the whole image. */
const edgeCrop = (edge: number, share: number | undefined): InputFormat["crop"] =>
  edge < 384 ? { of: "square", share: share ?? 224 / 256 } : { of: "whole", share: 1 };

/** The share that `inner` is of `edge`, so that floor(inner / share) is the edge whatever the rounding. */
function shareOf(inner: number, edge: number): number {
  const share = inner / edge;
  return Math.floor(inner / share) < edge ? share * (1 - Number.EPSILON) : share;
}

/** Size and crop of `preprocessor_config.json`. */
function transformersCrop(facts: Facts, model: string) {
  const size = record(facts.size);
  const edge = number(size.shortest_edge);
  const inner = facts.do_center_crop === true ? sideOf("crop_size", facts.crop_size) : undefined;
  if (edge === undefined) {
    const side = sideOf("size", facts.size);
    const share = inner === undefined || side === undefined ? 1 : shareOf(inner, side);
    return { imageSize: inner ?? side, crop: { of: "whole" as const, share } };
  }
  if (inner !== undefined)
    return { imageSize: inner, crop: { of: "square" as const, share: shareOf(inner, edge) } };
  const convnext = model.startsWith("convnext");
  const plain = { of: "square" as const, share: 1 };
  return { imageSize: edge, crop: convnext ? edgeCrop(edge, number(facts.crop_pct)) : plain };
}

/** `preprocessor_config.json` of transformers. Mean and deviation there are of rescaled pixels. */
function transformersPreprocessing(facts: Facts, model: string): KnownFormat {
  const factor = facts.do_rescale === false ? 1 : (number(facts.rescale_factor) ?? 1 / 255);
  const unit = 255 * factor; // what a full pixel becomes
  const plain = facts.do_normalize === false;
  const scaled = (value: Triple | undefined) =>
    value && ([value[0] / unit, value[1] / unit, value[2] / unit] as const);
  const { resample } = facts;
  return {
    ...transformersCrop(facts, model),
    mean: scaled(plain ? [0, 0, 0] : triple(facts.image_mean)),
    std: scaled(plain ? [1, 1, 1] : triple(facts.image_std)),
    interpolation: interpolationOf(pilFilters[typeof resample === "number" ? resample : 2] ?? ""),
  };
}

/**
 * How images become the input, as `config.json` says it for timm and `preprocessor_config.json` for
 * transformers. Throws `DataError` for what cannot be done here.
 */
export function preprocessingOf(config: Facts, processor: Facts | undefined): KnownFormat {
  if (processor !== undefined) {
    const model = typeof config.model_type === "string" ? config.model_type : "";
    return transformersPreprocessing(processor, model);
  }
  const timm = isRecord(config.pretrained_cfg) ? config.pretrained_cfg : config;
  if ("input_size" in timm || "mean" in timm) return timmPreprocessing(timm);
  const size = number(config.image_size) ?? number(record(config.vision_config).image_size);
  return { imageSize: size };
}
