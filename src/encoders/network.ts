import type { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { type HostRecord, sizeOf } from "../core/arrays.ts";
import { ConfigError } from "../core/errors.ts";
import { parseOptions } from "../core/options.ts";
import { checkShapes } from "../core/shape.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { initialRecord, type InitialSpec } from "./initial.ts";
import { type Layer, openScope, type Training } from "./layer.ts";

/** Parameters (trained by gradient) and running statistics (averaged over batches) of a network. */
export type Variables = { parameters: ArrayRecord; statistics: ArrayRecord };

/** `Variables` outside a program. */
export type HostVariables = { parameters: HostRecord; statistics: HostRecord };

/** Features and the statistics after this batch. */
export type Applied = { features: np.Array; statistics: ArrayRecord };

/**
 * Two pure functions and what is known of their arrays.
 *
 * - `init` draws every array by its name, so the same seed gives the same value whatever else is there.
 * - `apply` maps [N, 3, H, W] (encoder) or [N, inputs] (head) to [N, dimension]. Consumes both
 *   arguments; each array of `variables` exactly once. While training, batch normalisation uses the
 *   batch and `statistics` comes back averaged; else it uses `statistics`, which come back as they were.
 */
export type Network = {
  readonly name: string;
  /** Width of the features that it takes; undefined where it takes images [N, 3, H, W]. */
  readonly inputs?: number | undefined;
  readonly dimension: number;
  readonly parameters: Readonly<Record<string, InitialSpec>>;
  readonly statistics: Readonly<Record<string, InitialSpec>>;
  /** Statistics that training leaves as they are, bit for bit. */
  readonly fixed?: readonly string[] | undefined;
  init(seed: number): HostVariables;
  apply(variables: Variables, x: np.Array, mode: { training: Training }): Applied;
  /**
   * The last feature maps before pooling, in evaluation mode, summed over their channels: [N, 3, H, W] to
   * [N, h, w], all ≥ 0. Only encoders that pool feature maps have it. Consumes as `apply` does.
   */
  maps?: (variables: Variables, x: np.Array) => np.Array;
};

/** What a network is made of. It takes images, or features of the width `inputs`. */
export type Architecture = {
  readonly inputs?: number | undefined;
  readonly dimension: number;
  /** All layers before the pooling: images to feature maps [N, C, h, w]. */
  readonly trunk?: Layer | undefined;
};

/** `Network.maps` of a trunk. */
function mapsOf(name: string, trunk: Layer, input: string): NonNullable<Network["maps"]> {
  return (variables, x) => {
    checkShapes(name, { input: [x, input] });
    const scope = openScope(name, variables, false);
    const maps = trunk.apply(scope, x); // [N, C, h, w]
    Object.values(scope.close()).forEach((statistic) => statistic.dispose());
    return maps.sum(1);
  };
}

const MOST_WEIGHTS = 2 ** 30; // 4 GiB

function checkWeights(name: string, { parameters }: Layer): void {
  const weights = Object.values(parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (weights <= MOST_WEIGHTS) return;
  throw new ConfigError(`${name}: has ${weights} weights, expected ${MOST_WEIGHTS} at most`);
}

/** A network of a layer. Throws `ConfigError` where no machine could hold it. */
export function networkOf(
  name: string,
  layer: Layer,
  { inputs, dimension, trunk }: Architecture,
): Network {
  checkWeights(name, layer);
  const input = inputs === undefined ? "N 3 H W" : `N ${inputs}`;
  const { parameters, statistics } = layer;
  return {
    name,
    inputs,
    dimension,
    parameters,
    statistics,
    init: (seed) => ({
      parameters: initialRecord(parameters, seed),
      statistics: initialRecord(statistics, seed),
    }),
    apply(variables, x, { training }) {
      checkShapes(name, { input: [x, input] });
      const scope = openScope(name, variables, training);
      const features = layer.apply(scope, x);
      return { features, statistics: scope.close() };
    },
    ...(trunk === undefined ? {} : { maps: mapsOf(name, trunk, input) }),
  };
}

const pick = (from: ArrayRecord, names: object): ArrayRecord =>
  Object.fromEntries(Object.keys(names).map((name) => [name, from[name]]));

/** A network on the features of another. No name stands for an array of both. */
export function stacked(body: Network, top: Network): Network {
  const both = <T>(part: (network: Network) => T): T => ({ ...part(body), ...part(top) });
  return {
    name: `${body.name} + ${top.name}`,
    inputs: body.inputs,
    dimension: top.dimension,
    parameters: both(({ parameters }) => parameters),
    statistics: both(({ statistics }) => statistics),
    init: (seed) => ({
      parameters: both((network) => network.init(seed).parameters),
      statistics: both((network) => network.init(seed).statistics),
    }),
    apply({ parameters, statistics }, x, mode) {
      const variablesOf = (network: Network): Variables => ({
        parameters: pick(parameters, network.parameters),
        statistics: pick(statistics, network.statistics),
      });
      const below = body.apply(variablesOf(body), x, mode);
      const above = top.apply(variablesOf(top), below.features, mode);
      return {
        features: above.features,
        statistics: { ...below.statistics, ...above.statistics },
      };
    },
  };
}

/** What an encoder may need to know of its images: side in pixels. */
export type EncoderContext = { imageSize: number };

/** An entry of the catalogue of encoders: options to a network, with its description. */
export type Encoder<O extends z.ZodObject = z.ZodObject> = {
  (options?: z.input<O>, context?: EncoderContext): Network;
  readonly kind: "encoder";
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly options: O;
};

/** What an encoder file declares. */
export type EncoderDefinition<O extends z.ZodObject> = {
  name: string;
  summary: string;
  source: string;
  options: O;
  build: (
    options: z.output<O>,
    context: EncoderContext,
  ) => { layer: Layer } & Omit<Architecture, "inputs">;
};

/** Makes an entry of the catalogue. Options are checked where it is called. Images are 32 px wide by default. */
export function defineEncoder<O extends z.ZodObject>(definition: EncoderDefinition<O>): Encoder<O> {
  const { name, summary, source, options: schema, build } = definition;
  function encoder(options?: z.input<O>, context: EncoderContext = { imageSize: 32 }): Network {
    const { layer, ...built } = build(parseOptions(name, schema, options ?? {}), context);
    return networkOf(name, layer, built);
  }
  Object.defineProperty(encoder, "name", { value: name });
  return Object.assign(encoder, { kind: "encoder" as const, summary, source, options: schema });
}

/** An entry that stands for one network that is there already, for images of `imageSize` px: that of a file. */
export function encoderOf(network: Network, imageSize: number): Encoder {
  const { name } = network;
  function encoder(_options?: object, context: EncoderContext = { imageSize }): Network {
    if (context.imageSize === imageSize) return network;
    throw new ConfigError(
      `${name}: images of ${context.imageSize} px, expected ${imageSize}`,
      "load the encoder for this size",
    );
  }
  Object.defineProperty(encoder, "name", { value: name });
  const about = { summary: "An encoder that is there already.", source: "its file" };
  return Object.assign(encoder, {
    kind: "encoder" as const,
    ...about,
    options: z.strictObject({}),
  });
}
