import type { numpy as np } from "@jax-js/jax";
import type { z } from "zod";

import type { HostRecord } from "../core/arrays.ts";
import { parseOptions } from "../core/options.ts";
import { checkShapes } from "../core/shape.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { initialRecord, type InitialSpec } from "./initial.ts";
import { type Layer, openScope } from "./layer.ts";

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
  readonly dimension: number;
  readonly parameters: Readonly<Record<string, InitialSpec>>;
  readonly statistics: Readonly<Record<string, InitialSpec>>;
  init(seed: number): HostVariables;
  apply(variables: Variables, x: np.Array, mode: { training: boolean }): Applied;
};

/** A network of a layer. `input` is the shape it takes, in letters and numbers: "N 3 H W". */
export function networkOf(
  name: string,
  layer: Layer,
  { input, dimension }: { input: string; dimension: number },
): Network {
  const { parameters, statistics } = layer;
  return {
    name,
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
  };
}

/** What an encoder may need to know of its images: side in pixels. */
export type EncoderContext = { imageSize: number };

/** An entry of the catalogue of encoders: options to a network, with its description. */
export type Encoder<O extends z.ZodObject = z.ZodObject> = {
  (options?: z.input<O>, context?: EncoderContext): Network;
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
  build: (options: z.output<O>, context: EncoderContext) => { layer: Layer; dimension: number };
};

/** Makes an entry of the catalogue. Options are checked where it is called. Images are 32 px wide by default. */
export function defineEncoder<O extends z.ZodObject>(definition: EncoderDefinition<O>): Encoder<O> {
  const { name, summary, source, options: schema, build } = definition;
  function encoder(options?: z.input<O>, context: EncoderContext = { imageSize: 32 }): Network {
    const { layer, dimension } = build(parseOptions(name, schema, options ?? {}), context);
    return networkOf(name, layer, { input: "N 3 H W", dimension });
  }
  Object.defineProperty(encoder, "name", { value: name });
  return Object.assign(encoder, { summary, source, options: schema });
}
