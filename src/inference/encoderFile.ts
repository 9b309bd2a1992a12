import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import type { HostArray, HostRecord } from "../core/arrays.ts";
import { entryNamed } from "../core/catalogue.ts";
import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { VERSION } from "../core/version.ts";
import type { PixelRange, SplitChoice } from "../data/index.ts";
import {
  encoders,
  type Encoder,
  type Head,
  heads,
  type HostVariables,
  type Network,
} from "../encoders/index.ts";
import { readSafetensors } from "../files/index.ts";
import type { ViewPolicy } from "../views/index.ts";
import type { InputFormat } from "./embedder.ts";

/** An entry of a catalogue with its options. */
export type Chosen = { readonly name: string; readonly [option: string]: unknown };

/** What is written beside an encoder's weights, so that they can be used without the run. */
export type EncoderDescription = InputFormat & {
  readonly encoder: Chosen;
  readonly dimension: number;
  readonly version: string; // of contrapose
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

/** An encoder with its weights and what it takes. */
export type LoadedEncoder = {
  readonly path: string;
  readonly description: EncoderDescription;
  readonly network: Network;
  readonly variables: HostVariables;
};

/** A head with its weights. */
export type LoadedHead = { readonly network: Network; readonly variables: HostVariables };

/** Describes an encoder for `encoderMetadata`. */
export function describeEncoder(
  encoder: EncoderDescription["encoder"],
  { dimension }: Pick<Network, "dimension">,
  { imageSize, mean, std }: InputFormat,
  training?: Training,
): EncoderDescription {
  return { encoder, imageSize, mean, std, dimension, version: VERSION, training };
}

/** Metadata of a safetensors file; all values are text. */
export function encoderMetadata(description: EncoderDescription): Record<string, string> {
  const { encoder, imageSize, mean, std, dimension, version, training } = description;
  return {
    format: "pt", // names and layout are torchvision's
    contrapose: version,
    encoder: JSON.stringify(encoder),
    imageSize: String(imageSize),
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
    dimension: String(dimension),
    ...(training === undefined ? {} : { training: JSON.stringify(training) }),
  };
}

/** The description that `encoderMetadata` wrote, or undefined where it did not. */
export function descriptionOf(metadata: Record<string, string>): EncoderDescription | undefined {
  if (metadata.encoder === undefined || metadata.contrapose === undefined) return undefined;
  return {
    encoder: JSON.parse(metadata.encoder) as EncoderDescription["encoder"],
    imageSize: Number(metadata.imageSize),
    mean: JSON.parse(metadata.mean) as [number, number, number],
    std: JSON.parse(metadata.std) as [number, number, number],
    dimension: Number(metadata.dimension),
    version: metadata.contrapose,
    training:
      metadata.training === undefined ? undefined : (JSON.parse(metadata.training) as Training),
  };
}

/** The network that a description stands for. */
export function networkFor({ encoder, imageSize }: EncoderDescription): Network {
  const { name, ...options } = encoder;
  const entry = entryNamed(encoders as unknown as Record<string, Encoder>, name);
  if (entry === undefined) throw new DataError(`encoder ${quoted(name)} is unknown`);
  return entry(options, { imageSize });
}

/** Puts named arrays into a network's variables. Throws `DataError` where one is missing or of another shape. */
export function fillVariables(path: string, network: Network, arrays: HostRecord): HostVariables {
  const take = (specs: Network["parameters"]): HostRecord =>
    Object.fromEntries(
      Object.entries(specs).map(([name, { shape }]) => {
        const found = arrays[name] as HostArray | undefined;
        if (found?.dtype === "float32" && found.shape.join() === shape.join()) return [name, found];
        const is =
          found === undefined ? "is missing" : `is ${found.dtype}[${found.shape.join(", ")}]`;
        throw new DataError(
          `${JSON.stringify(path)}: ${name} ${is}, expected float32[${shape.join(", ")}]`,
        );
      }),
    );
  return { parameters: take(network.parameters), statistics: take(network.statistics) };
}

/** The weights file that a run, a checkpoint or a file stands for; the last checkpoint of a run if it has one: the best one was chosen by a measurement. */
export function weightsPath(path: string): string {
  if (!existsSync(path)) throw new DataError(`${JSON.stringify(path)} does not exist`);
  if (!statSync(path).isDirectory()) return path;
  const parent = join(path, "checkpoints");
  const kept = existsSync(parent) ? readdirSync(parent).sort().reverse() : [];
  const numbered = kept.filter((name) => name.startsWith("epoch-")); // newest first
  const names = ["last", ...numbered, "best"].map((name) => join("checkpoints", name));
  const places = [".", ...names].map((name) => join(name, "weights.safetensors"));
  const found = places.map((place) => join(path, place)).find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new DataError(
    `${JSON.stringify(path)} holds no checkpoint`,
    "give the folder of a run, a checkpoint or a weights.safetensors file",
  );
}

/** Loads an encoder from a run, a checkpoint or a weights file that contrapose wrote. */
export async function loadEncoder(path: string): Promise<LoadedEncoder> {
  const file = weightsPath(path);
  const { arrays, metadata } = await readSafetensors(file);
  const description = descriptionOf(metadata);
  if (description === undefined) {
    throw new DataError(
      `${JSON.stringify(file)} does not say which encoder its weights belong to`,
      "use it with contrapose train --init",
    );
  }
  const network = networkFor(description);
  return { path: file, description, network, variables: fillVariables(file, network, arrays) };
}

/** The head that an encoder was trained with, from the checkpoint that its weights lie in. */
export async function loadHead({ path, description, network }: LoadedEncoder): Promise<LoadedHead> {
  const file = join(dirname(path), "state.safetensors");
  const { training } = description;
  if (training === undefined || !existsSync(file)) {
    throw new DataError(
      `${JSON.stringify(path)} has no head beside it: there is no state.safetensors`,
      "give the folder of a run, or use the features before the head",
    );
  }
  const { name, ...options } = training.head;
  const entry = entryNamed(heads as unknown as Record<string, Head>, name);
  if (entry === undefined) throw new DataError(`head ${quoted(name)} is unknown`);
  const head = entry(network.dimension, options);
  const { arrays } = await readSafetensors(file);
  const averaged = Object.keys(arrays).some((at) => at.startsWith("average/head/"));
  const prefix = averaged ? "average/head/" : "head/";
  const named = Object.entries(arrays).flatMap(([at, array]) =>
    at.startsWith(prefix) ? [[at.slice(at.indexOf("/", prefix.length) + 1), array]] : [],
  );
  const found = Object.fromEntries(named) as HostRecord;
  return { network: head, variables: fillVariables(file, head, found) };
}
