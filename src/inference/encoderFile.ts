import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

import type { HostArray, HostRecord } from "../core/arrays.ts";
import { DataError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { encoders, type Encoder, type HostVariables, type Network } from "../encoders/index.ts";
import { readSafetensors } from "../files/index.ts";
import type { InputFormat } from "./embedder.ts";

/** What is written beside an encoder's weights, so that they can be used without the run. */
export type EncoderDescription = InputFormat & {
  readonly encoder: { readonly name: string; readonly [option: string]: unknown };
  readonly dimension: number;
  readonly version: string; // of contrapose
};

/** An encoder with its weights and what it takes. */
export type LoadedEncoder = {
  readonly path: string;
  readonly description: EncoderDescription;
  readonly network: Network;
  readonly variables: HostVariables;
};

/** Describes an encoder for `encoderMetadata`. */
export function describeEncoder(
  encoder: EncoderDescription["encoder"],
  { dimension }: Pick<Network, "dimension">,
  { imageSize, mean, std }: InputFormat,
): EncoderDescription {
  return { encoder, imageSize, mean, std, dimension, version: VERSION };
}

/** Metadata of a safetensors file; all values are text. */
export function encoderMetadata(description: EncoderDescription): Record<string, string> {
  const { encoder, imageSize, mean, std, dimension, version } = description;
  return {
    format: "pt", // names and layout are torchvision's
    contrapose: version,
    encoder: JSON.stringify(encoder),
    imageSize: String(imageSize),
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
    dimension: String(dimension),
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
  };
}

/** The network that a description stands for. */
export function networkFor({ encoder, imageSize }: EncoderDescription): Network {
  const { name, ...options } = encoder;
  const entry = (encoders as unknown as Record<string, Encoder | undefined>)[name];
  if (entry === undefined) throw new DataError(`encoder ${JSON.stringify(name)} is unknown`);
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

/** The weights file that a run, a checkpoint or a file stands for; the best checkpoint of a run if it has one. */
export function weightsPath(path: string): string {
  if (!existsSync(path)) throw new DataError(`${JSON.stringify(path)} does not exist`);
  if (!statSync(path).isDirectory()) return path;
  const places = [
    "weights.safetensors",
    ...["best", "last"].map((name) => join("checkpoints", name, "weights.safetensors")),
  ];
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
