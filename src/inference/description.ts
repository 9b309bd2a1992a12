import { entryNamed } from "../core/catalogue.ts";
import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { VERSION } from "../core/version.ts";
import type { PixelRange, SplitChoice } from "../data/index.ts";
import { encoders, type Encoder, type Network } from "../encoders/index.ts";
import type { ViewPolicy } from "../views/index.ts";
import { type InputFormat, inputFormat } from "./format.ts";

/** An entry of a catalogue with its options. */
export type Chosen = { readonly name: string; readonly [option: string]: unknown };

/** Where weights came from that were not trained here. */
export type Start = { readonly from: string; readonly licence?: string | undefined };

/** What is written beside an encoder's weights, so that they can be used without the run. */
export type EncoderDescription = InputFormat & {
  readonly encoder: Chosen;
  readonly dimension: number;
  readonly version: string; // of contrapose
  /** The pretrained weights that these are or were made of. */
  readonly start?: Start | undefined;
  /** How it was trained: the head, the views, the seed of its first weights, where the images were. */
  readonly training?: Training | undefined;
};

/** What evaluation wants to know of the training. */
export type Training = {
  readonly method: string;
  readonly head: Chosen;
  readonly views: ViewPolicy;
  readonly seed: number;
  readonly data: string;
  /** How its images of more than 8 bits were shown, where it had any. */
  readonly ranges?: readonly PixelRange[] | undefined;
  readonly split?: SplitChoice | undefined; // the part of the images that was asked for
};

/** Describes an encoder for `encoderMetadata`. */
export function describeEncoder(
  encoder: EncoderDescription["encoder"],
  { dimension }: Pick<Network, "dimension">,
  format: InputFormat,
  { training, start }: { training?: Training; start?: Start | undefined } = {},
): EncoderDescription {
  return { encoder, ...inputFormat(format), dimension, version: VERSION, start, training };
}

const asText = (value: unknown): string => JSON.stringify(value);

/** Metadata of a safetensors file; all values are text. */
export function encoderMetadata(description: EncoderDescription): Record<string, string> {
  const { encoder, imageSize, mean, std, crop, interpolation, dimension, version } = description;
  const { start, training } = description;
  return {
    format: "pt", // names and layout are torchvision's
    contrapose: version,
    encoder: asText(encoder),
    imageSize: String(imageSize),
    mean: asText(mean),
    std: asText(std),
    ...(crop !== undefined && { crop: asText(crop) }),
    ...(interpolation !== undefined && { interpolation }),
    dimension: String(dimension),
    ...(start !== undefined && { start: asText(start) }),
    ...(training !== undefined && { training: asText(training) }),
  };
}

const parsed = <T>(text: string | undefined): T | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as T);

/** The description that `encoderMetadata` wrote, or undefined where it did not. */
export function descriptionOf(metadata: Record<string, string>): EncoderDescription | undefined {
  if (metadata.encoder === undefined || metadata.contrapose === undefined) return undefined;
  const format = inputFormat({
    imageSize: Number(metadata.imageSize),
    mean: JSON.parse(metadata.mean) as [number, number, number],
    std: JSON.parse(metadata.std) as [number, number, number],
    crop: parsed<InputFormat["crop"]>(metadata.crop),
    interpolation: metadata.interpolation as InputFormat["interpolation"],
  });
  return {
    encoder: JSON.parse(metadata.encoder) as EncoderDescription["encoder"],
    ...format,
    dimension: Number(metadata.dimension),
    version: metadata.contrapose,
    start: parsed<Start>(metadata.start),
    training: parsed<Training>(metadata.training),
  };
}

/** The network that a description stands for. */
export function networkFor({
  encoder,
  imageSize,
}: Pick<EncoderDescription, "encoder" | "imageSize">): Network {
  const { name, ...options } = encoder;
  const entry = entryNamed(encoders as unknown as Record<string, Encoder>, name);
  if (entry === undefined) throw new DataError(`encoder ${quoted(name)} is unknown`);
  return entry(options, { imageSize });
}
