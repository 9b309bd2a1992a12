import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { DType, HostRecord } from "../core/arrays.ts";
import { parseOptions } from "../core/options.ts";
import { type Marks, type Pairs, refPairs, type Term } from "../core/pairs.ts";
import type { RandomStream } from "../core/random.ts";
import type { ArrayRecord } from "../core/trees.ts";

/** Type and shape of arrays by name. */
export type ArraySpecs = Readonly<
  Record<string, { readonly dtype: DType; readonly shape: readonly number[] }>
>;

/** Sizes that are known before a program is compiled. */
export type Sizes = {
  readonly anchors: number; // N
  readonly candidates: number; // M
  readonly images: number; // B, of a batch
  readonly datasetSize: number; // images
  readonly width: number; // of an embedding, E
};

/** Where a run stands: `progress` in [0, 1) of its steps; `stream` gives this step's random numbers. */
export type At = { readonly progress: number; readonly stream: RandomStream };

/** Arrays that are made outside the program for every step: random draws, schedules. */
export type StepInputs = { readonly spec: ArraySpecs; make(at: At): HostRecord };

/**
 * What a sampler may look at. Arrays are lent: use `.ref`, never the array itself, and they carry no
 * gradient. Their floating type (float32; float64 for referees) is that of `similarity`: make constants
 * in it.
 *
 * Anchors are view-major: row a·B + b is anchor view a of image b, N = A·B.
 */
export type Scene = {
  /** [N, M] cosine of anchors and candidates, as the loss sees them. */
  readonly similarity: np.Array;
  /**
   * [N, M] cosine by which pairs are ranked: of a slowly averaged encoder where the framework has one for
   * the anchors, else the same as `similarity`.
   */
  readonly ranking: np.Array;
  /** [S, B, M] cosine of S ≥ 1 support views of every image of the batch to the candidates. */
  readonly support: np.Array;
  /** Each [N, M]: 1 at the candidate that is one other view of the anchor's own image, else 0. */
  readonly ownViews: readonly np.Array[];
  /** In the order of `ownViews`, each [N] int32: the image that the view shows, −1 where that is unknown. */
  readonly ownIds: readonly np.Array[];
  /**
   * In the order of `ownViews`, each [N]: how far the view's crop overlaps with the anchor's, intersection over
   * union. Only where a sampler of the chain says `crops`.
   */
  readonly overlaps?: readonly np.Array[] | undefined;
  /** Of the anchors, each [N]. */
  readonly anchors: Marks;
  /** Of the candidates, each [M]; −1 where a column is no image, or another one for each anchor. */
  readonly candidates: Marks;
  /** Candidates that are no view of the anchor's own image (columns of `ownViews` and the anchor itself). */
  readonly pool: number;
  /** [] 1 once the sampler's warm-up is over, else 0. */
  readonly active: np.Array;
  /** Arrays of `StepInputs` of this sampler. */
  readonly inputs: ArrayRecord;
  /** State of this sampler; owned, not lent: return it again, changed or not. */
  readonly state: ArrayRecord;
};

/** What a sampler gives. */
export type Sampled = {
  terms: Term[];
  /** The next state, where the sampler has one. */
  state?: ArrayRecord;
  /** Scalars [] worth a line in the metrics, under the names the sampler declares. */
  metrics?: ArrayRecord;
};

/** What a framework must offer for a sampler to make sense. */
export type Need = "labels" | "bank" | "manyViews";

/** Options of a sampler or mixer as callers give them. */
export type Options<O extends z.ZodObject> = z.input<O> & { warmup?: number };

/** An option of the loss that a term may set. */
export type SetOption = "temperature" | "denominator";

/** What a sampler's file declares. */
export type SamplerDefinition<O extends z.ZodObject> = {
  name: string;
  summary: string;
  source: string;
  options: O;
  /** One word for what happened to a pair that it changed, for `inspect`. */
  reasons: {
    /** A negative that is one no more. */
    dropped?: string;
    /** A pair that became a positive. */
    promoted?: string;
    /** A positive that is one no more. */
    demoted?: string;
    /** A pair whose weight changed. */
    weighted?: string;
  };
  /** Whether a negative that it drops or promotes is held to be of the anchor's own class. */
  detects?: boolean;
  /** Whether it finds positives among other images, which need not be alike; by default not. */
  findsPositives?: boolean;
  /** Whether the negatives that it leaves are nearer than most; by default not. */
  hardens?: boolean;
  /** Whether it goes by the groups of images; by default not. */
  usesGroups?: boolean;
  /** Whether it goes by the labels of images; by default where it needs them. */
  usesLabels?: (options: z.output<O>) => boolean;
  needs?: readonly Need[];
  /** Whether it looks at `overlaps`, for which batches must hold crops; by default not. */
  crops?: (options: z.output<O>) => boolean;
  /** Throws `ConfigError` where options are in range each but not together. */
  check?: (options: z.output<O>) => void;
  /** Options of the loss that its terms set. */
  sets?: (options: z.output<O>) => readonly SetOption[];
  inputs?: (options: z.output<O>, sizes: Sizes) => StepInputs;
  state?: (options: z.output<O>, sizes: Sizes) => HostRecord;
  /**
   * Share of the run before the sampler starts, by default 0; every sampler has an option `warmup`. Until
   * then pairs stay as they were, unless `gates` says that `apply` looks at `scene.active` itself.
   */
  warmup?: number;
  gates?: boolean;
  /** Scalars that `apply` reports, with what they mean and their unit or range. */
  metrics?: Readonly<Record<string, string>>;
  apply: (scene: Scene, pairs: Pairs, options: z.output<O>) => Sampled | Pairs;
};

/**
 * The contract of every sampler: pairs in, pairs out, so samplers chain.
 *
 * - Drops pairs, reweights them, or moves them to the other side. A pair that is 0 on both sides stays
 *   so, unless the sampler declares "promoted" and finds a new positive.
 * - No gradient flows through the weights that it returns.
 * - `apply` consumes `pairs` and `scene.state`; all else of the scene is lent.
 * - Pure; may be traced. What depends on the step comes in as `inputs`, made outside the program from the
 *   progress of the run and a seeded stream, so that a resumed run repeats it.
 */
export type Sampler<O extends z.ZodObject = z.ZodObject> = Omit<
  Required<SamplerDefinition<O>>,
  "inputs" | "state" | "apply" | "sets" | "crops" | "check" | "usesLabels"
> & {
  readonly kind: "sampler";
  usesLabels(options?: Options<O>): boolean;
  crops(options?: Options<O>): boolean;
  sets(options?: Options<O>): readonly SetOption[];
  inputs?(options: Options<O> | undefined, sizes: Sizes): StepInputs;
  state?(options: Options<O> | undefined, sizes: Sizes): HostRecord;
  apply(scene: Scene, pairs: Pairs, options?: Options<O>): Sampled;
};

/** Option that every sampler and mixer has. */
export const warmupOption = (share: number) =>
  z.number().min(0).max(1).default(share).describe("share of the run before it starts");

const isPairs = (result: Sampled | Pairs): result is Pairs => "positive" in result;

/** The terms once `active` [] is 1, before that the pairs as they were. Consumes the terms and `before`. */
function gated(active: np.Array, before: Pairs, [first, ...rest]: Term[]): Term[] {
  const on = active.ref.greater(0); // []
  const pick = (after: np.Array, other: np.Array | number) => np.where(on.ref, after, other);
  const positive = pick(first.pairs.positive, before.positive); // [N, M]
  const negative = pick(first.pairs.negative, before.negative); // [N, M]
  return [
    {
      ...first,
      pairs: { positive, negative },
      weight: first.weight && pick(first.weight, 1),
    },
    ...rest.map((term) => {
      const [n] = term.pairs.positive.shape;
      return { ...term, weight: pick(term.weight ?? np.ones([n]), 0) };
    }),
  ];
}

/** Makes a sampler of its definition: options are checked where they enter, the warm-up is kept. */
export function defineSampler<O extends z.ZodObject>(definition: SamplerDefinition<O>): Sampler<O> {
  const { name, crops, check, inputs, state, apply, sets, usesLabels } = definition;
  const { warmup = 0, gates = false, needs = [] } = definition;
  const schema = definition.options.extend({ warmup: warmupOption(warmup) });
  type Given = Options<O> | undefined;
  const parsed = (options: Given) => {
    const whole: z.output<O> = parseOptions(name, schema, options ?? {}) as never;
    check?.(whole);
    return whole;
  };
  // eslint-disable-next-line no-restricted-syntax -- types of the options are lost where the warm-up joins them
  return {
    kind: "sampler",
    detects: false,
    findsPositives: false,
    hardens: false,
    usesGroups: false,
    metrics: {},
    warmup,
    gates,
    ...definition,
    needs,
    options: schema,
    usesLabels: (options?: Given) => usesLabels?.(parsed(options)) ?? needs.includes("labels"),
    crops: (options?: Given) => crops?.(parsed(options)) ?? false,
    sets: (options?: Given) => sets?.(parsed(options)) ?? [],
    inputs: inputs && ((options: Given, sizes: Sizes) => inputs(parsed(options), sizes)),
    state: state && ((options: Given, sizes: Sizes) => state(parsed(options), sizes)),
    apply(scene: Scene, pairs: Pairs, options?: Given) {
      const before = gates ? undefined : refPairs(pairs);
      const given = apply(scene, pairs, parsed(options));
      const result = isPairs(given) ? { terms: [{ pairs: given }] } : given;
      if (before === undefined) return result;
      return { ...result, terms: gated(scene.active, before, result.terms) };
    },
  } as unknown as Sampler<O>;
}
