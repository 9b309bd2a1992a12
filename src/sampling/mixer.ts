import type { numpy as np } from "@jax-js/jax";
import type { z } from "zod";

import { parseOptions } from "../core/options.ts";
import type { Pairs } from "../core/pairs.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { type Options, type Sizes, type StepInputs, warmupOption } from "./sampler.ts";

/** What a mixer may look at. Arrays are lent: use `.ref`, never the array itself. */
export type MixerScene = {
  /** [N, E] unit rows of the anchors, with gradient. */
  readonly anchors: np.Array;
  /** [K, E] unit rows of the candidates in columns `offset` … `offset + K − 1`; constants. */
  readonly rows: np.Array;
  readonly offset: number;
  /** [N, M] cosine of anchors and candidates, with gradient. */
  readonly similarity: np.Array;
  /** [] 1 once the mixer's warm-up is over, else 0. */
  readonly active: np.Array;
  /** Arrays of `StepInputs` of this mixer. */
  readonly inputs: ArrayRecord;
};

/** Candidates beside the real ones. */
export type Mixed = {
  similarity: np.Array; // [N, S] cosine, with gradient to the anchors only
  negative: np.Array; // [N, S] weights
  metrics?: ArrayRecord; // scalars []
};

/** What synthetic candidates were made of, for `inspect`. */
export type Parents = {
  /** [N, S] int32 columns of the similarities; −1 for the anchor itself. */
  first: np.Array;
  second: np.Array; // [N, S] int32
  share: np.Array; // [N, S], of the first
};

/** What a mixer's file declares. */
export type MixerDefinition<O extends z.ZodObject> = {
  name: string;
  summary: string;
  source: string;
  options: O;
  inputs?: (options: z.output<O>, sizes: Sizes) => StepInputs;
  /** Share of the run before it starts, by default 0; every mixer has an option `warmup`. */
  warmup?: number;
  metrics?: Readonly<Record<string, string>>;
  apply: (scene: MixerScene, pairs: Pairs, options: z.output<O>) => Mixed;
  /** Parents of the candidates that `apply` makes of the same arguments. */
  parents?: (scene: MixerScene, pairs: Pairs, options: z.output<O>) => Parents;
};

/**
 * The contract of every mixer: candidates to more candidates.
 *
 * - Mixes only candidates whose negative weight is above 0. Synthetic rows are constants: the gradient of
 *   a similarity with respect to the anchor is the synthetic row itself.
 * - `apply` consumes `pairs`; the scene is lent. Pure; may be traced.
 */
export type Mixer<O extends z.ZodObject = z.ZodObject> = Omit<
  Required<MixerDefinition<O>>,
  "inputs" | "apply" | "parents"
> & {
  readonly kind: "mixer";
  inputs?(options: Options<O> | undefined, sizes: Sizes): StepInputs;
  apply(scene: MixerScene, pairs: Pairs, options?: Options<O>): Mixed;
  parents?(scene: MixerScene, pairs: Pairs, options?: Options<O>): Parents;
};

/** Makes a mixer of its definition: options are checked where they enter, the warm-up is kept. */
export function defineMixer<O extends z.ZodObject>(definition: MixerDefinition<O>): Mixer<O> {
  const { name, inputs, apply, parents, warmup = 0 } = definition;
  const schema = definition.options.extend({ warmup: warmupOption(warmup) });
  type Given = Options<O> | undefined;
  const parsed = (options: Given) =>
    parseOptions<z.ZodType>(name, schema, options ?? {}) as z.output<O>;
  // eslint-disable-next-line no-restricted-syntax -- types of the options are lost where the warm-up joins them
  return {
    kind: "mixer",
    metrics: {},
    warmup,
    ...definition,
    options: schema,
    inputs: inputs && ((options: Given, sizes: Sizes) => inputs(parsed(options), sizes)),
    parents:
      parents &&
      ((scene: MixerScene, pairs: Pairs, options: Given) => parents(scene, pairs, parsed(options))),
    apply(scene: MixerScene, pairs: Pairs, options?: Given) {
      const mixed = apply(scene, pairs, parsed(options));
      return { ...mixed, negative: mixed.negative.mul(scene.active.ref) };
    },
  } as unknown as Mixer<O>;
}
