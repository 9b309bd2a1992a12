import { z } from "zod";

import { entryNamed, partFrom } from "../core/catalogue.ts";
import { ContraposeError, DataError } from "../core/errors.ts";
import { firstMistake, isJson, parseJson } from "../core/json.ts";
import { quoted } from "../core/quote.ts";
import { VERSION } from "../core/version.ts";
import { PixelRange, type SplitChoice, splitNames } from "../data/index.ts";
import {
  type Adapter,
  adapters,
  encoders,
  type Encoder,
  type Facts,
  heads,
  type Network,
  type Origin,
  stacked,
} from "../encoders/index.ts";
import { ViewOptions, viewPolicy, type ViewPolicy } from "../views/index.ts";
import { type InputFormat, inputFormat } from "./format.ts";
import { networkOfText } from "./onnxGraphText.ts";

/** An entry of a catalogue with its options. */
export type Chosen = { readonly name: string; readonly [option: string]: unknown };

/** Where weights came from that were not trained here. */
export type Start = {
  readonly from: string;
  readonly licence?: string | undefined;
  /** What its maker wrote beside the weights, and names and shapes of his arrays: what an export gives back. */
  readonly origin?: (Origin & { readonly processor?: Facts | undefined }) | undefined;
};

/** What is written beside an encoder's weights, so that they can be used without the run. */
export type EncoderDescription = InputFormat & {
  readonly encoder: Chosen;
  /** What was trained behind the encoder, where that was left as it was. */
  readonly adapter?: Chosen | undefined;
  readonly dimension: number;
  readonly version: string; // of contrapose
  /** The pretrained weights that these are or were made of. */
  readonly start?: Start | undefined;
  /** Of an encoder that came as an ONNX model: that model without its weights, as text. */
  readonly graph?: string | undefined;
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
  readonly labels?: string | undefined; // a file of labels
};

/** Describes an encoder for `encoderMetadata`. */
export function describeEncoder(
  encoder: EncoderDescription["encoder"],
  { dimension }: Pick<Network, "dimension">,
  format: InputFormat,
  {
    training,
    start,
    graph,
    adapter,
  }: Pick<EncoderDescription, "training" | "start" | "graph" | "adapter"> = {},
): EncoderDescription {
  const more = { start, training, ...(graph !== undefined && { graph }) };
  const kept = adapter === undefined ? {} : { adapter };
  return { encoder, ...kept, ...inputFormat(format), dimension, version: VERSION, ...more };
}

const asText = (value: unknown): string => JSON.stringify(value);

/** Metadata of a safetensors file; all values are text. */
export function encoderMetadata(description: EncoderDescription): Record<string, string> {
  const { encoder, imageSize, mean, std, crop, interpolation, dimension, version } = description;
  const { adapter, start, graph, training } = description;
  return {
    format: "pt", // names and layout are torchvision's
    contrapose: version,
    encoder: asText(encoder),
    ...(adapter !== undefined && { adapter: asText(adapter) }),
    imageSize: String(imageSize),
    mean: asText(mean),
    std: asText(std),
    ...(crop !== undefined && { crop: asText(crop) }),
    ...(interpolation !== undefined && { interpolation }),
    dimension: String(dimension),
    ...(start !== undefined && { start: asText(start) }),
    ...(graph !== undefined && { graph }),
    ...(training !== undefined && { training: asText(training) }),
  };
}

/** A text of metadata as the JSON it is, or a mistake. */
const json = z.string().transform((text, context): unknown => {
  if (isJson(text)) return parseJson(text);
  context.addIssue({ code: "custom", message: "expected JSON" });
  return z.NEVER;
});

const LARGEST = 4096; // pixels of a side of an encoder's input
const channel = (least: number) => z.number().min(least).max(1e6);
const triple = (least: number) => z.tuple([channel(least), channel(least), channel(least)]);

/** A choice by its name, as it was written: filled in again it is the same. */
const chosen = (choiceOf: (name: string) => z.ZodType) =>
  z.looseObject({ name: z.string() }).superRefine((value, context) => {
    for (const issue of choiceOf(value.name).safeParse(value).error?.issues ?? []) {
      context.addIssue({ code: "custom", message: issue.message, path: issue.path });
    }
  });

/** An encoder that came as an ONNX model, by the name of its output. */
const onnxChoice = z.strictObject({ name: z.literal("onnx"), output: z.string() });
const encoderChoice = partFrom("encoder", encoders);
const headChoice = partFrom("head", heads);
const adapterChoice = partFrom("", adapters);

const training: z.ZodType<Training> = z.looseObject({
  method: z.string(),
  head: chosen(() => headChoice),
  views: ViewOptions.transform((views) => viewPolicy(views)),
  seed: z.int().min(0).max(4294967295),
  data: z.string(),
  ranges: z.array(PixelRange).optional(),
  split: z.enum(["heldOut", ...splitNames]).optional(),
  labels: z.string().optional(),
});

const facts = z.record(z.string(), z.unknown());

const start: z.ZodType<Start> = z.object({
  from: z.string(),
  licence: z.string().optional(),
  origin: z
    .object({
      config: facts,
      processor: facts.optional(),
      arrays: z.record(z.string(), z.array(z.int().min(0))),
    })
    .optional(),
});

const written = z.object({
  contrapose: z.string(),
  encoder: json.pipe(chosen((name) => (name === "onnx" ? onnxChoice : encoderChoice))),
  adapter: json.pipe(chosen(() => adapterChoice)).optional(),
  imageSize: z.string().transform(Number).pipe(z.int().min(1).max(LARGEST)),
  mean: json.pipe(triple(-1e6)),
  std: json.pipe(triple(1e-6)),
  crop: json
    .pipe(z.object({ of: z.enum(["square", "whole"]), share: z.number().positive().max(16) }))
    .optional(),
  interpolation: z.enum(["bilinear", "bicubic", "lanczos"]).optional(),
  dimension: z.string().transform(Number).pipe(z.int().min(1)),
  start: json.pipe(start).optional(),
  graph: z.string().optional(),
  training: json.pipe(training).optional(),
});

/**
 * The description that `encoderMetadata` wrote, or undefined where it did not. `source` names the file in errors:
 * `DataError` with the field where it is damaged.
 */
export function descriptionOf(
  metadata: Record<string, string>,
  source: string,
): EncoderDescription | undefined {
  if (metadata.encoder === undefined || metadata.contrapose === undefined) return undefined;
  const result = written.safeParse(metadata);
  if (!result.success) {
    throw new DataError(
      `${source}: metadata: ${firstMistake(written, metadata)}`,
      "a part of one's own is given by --plugin; else the file was damaged or changed after it was written",
    );
  }
  const { contrapose: version, encoder, dimension, start, graph, ...rest } = result.data;
  const { training: how, adapter, ...format } = rest;
  const more = { start, training: how, ...(graph !== undefined && { graph }) };
  const kept = adapter === undefined ? {} : { adapter };
  return { encoder, ...kept, ...inputFormat(format), dimension, version, ...more };
}

/** The network of a description that was read. Throws `DataError` where there is none, or another than it says. */
export function describedNetwork(description: EncoderDescription, source: string): Network {
  const fail = (what: string) =>
    new DataError(
      `${source}: metadata: ${what}`,
      "the file was damaged or changed after it was written",
    );
  let network: Network;
  try {
    network = networkFor(description);
  } catch (error) {
    throw error instanceof ContraposeError ? fail(error.message) : error;
  }
  if (network.dimension === description.dimension) return network;
  throw fail(`dimension: expected ${network.dimension} (is ${description.dimension})`);
}

/** What decides the network of a description. */
type NetworkFacts = Pick<EncoderDescription, "encoder" | "adapter" | "imageSize" | "graph"> &
  Partial<Pick<EncoderDescription, "dimension">>;

/** The network that a description stands for: an encoder, with its adapter where it has one. */
export function networkFor({ adapter, ...facts }: NetworkFacts): Network {
  const body = bodyFor(facts);
  return adapter === undefined ? body : stacked(body, adapterFor(adapter, body.dimension));
}

function bodyFor({ encoder, imageSize, graph, dimension }: Omit<NetworkFacts, "adapter">): Network {
  const { name, ...options } = encoder;
  if (name === "onnx") {
    if (graph === undefined) throw new DataError("the encoder's ONNX graph is missing");
    return networkOfText(graph, String(options.output), Number(dimension));
  }
  const entry = entryNamed<Encoder>(encoders, name);
  if (entry === undefined) throw new DataError(`encoder ${quoted(name)} is unknown`);
  return entry(options, { imageSize });
}

/** The adapter that is chosen for features of a width. */
export function adapterFor({ name, ...options }: Chosen, width: number): Network {
  const entry = entryNamed<Adapter>(adapters, name);
  if (entry === undefined) throw new DataError(`adapter ${quoted(name)} is unknown`);
  return entry(width, options);
}
