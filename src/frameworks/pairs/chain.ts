import type { numpy as np } from "@jax-js/jax";

import { full, type HostRecord } from "../../core/arrays.ts";
import type { Pairs, Term } from "../../core/pairs.ts";
import { randomStream } from "../../core/random.ts";
import { type ArrayRecord, refArrays } from "../../core/trees.ts";
import type { Mixer, Sampler, Sizes } from "../../sampling/index.ts";
import type { Part } from "../../core/catalogue.ts";
import type { BatchSpec } from "./batchSpec.ts";
import type { Parts } from "../parts.ts";

/** Where a run stands. `progress` is the share of its steps that are done, in [0, 1). */
export type RunAt = { step: number; progress: number };

type Link<P extends Sampler | Mixer> = { part: P; options: never; key: string; warmup: number };

/**
 * Samplers in their order and perhaps a mixer, made for one matrix of similarities. Arrays of a link have
 * keys that start with its own, in the batch as in the state.
 */
export type Chain = {
  readonly key: string;
  readonly sizes: Sizes;
  readonly links: readonly Link<Sampler>[];
  readonly mixer: Link<Mixer> | undefined;
  /** Arrays that every step needs beside the images. */
  readonly spec: BatchSpec;
  /** Those arrays for one step. */
  inputs(at: RunAt): HostRecord;
  /** State at the start of a run; empty where no sampler has one. */
  state(): HostRecord;
};

const under = (key: string, record: ArrayRecord): ArrayRecord =>
  Object.fromEntries(
    Object.entries(record).flatMap(([name, array]) =>
      name.startsWith(`${key}.`) ? [[name.slice(key.length + 1), array]] : [],
    ),
  );

const prefixed = <T>(key: string, record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [`${key}.${name}`, value]));

function linkOf<P extends Sampler | Mixer>(
  { entry: part, options }: Part<P>,
  key: string,
): Link<P> {
  const warmup = (options.warmup as number | undefined) ?? part.warmup;
  return { part, options: options as never, key, warmup };
}

/** Makes a chain. `key` sets its arrays apart from those of another chain of the same step. */
export function buildChain(
  chosen: Pick<Parts, "samplers"> & Partial<Pick<Parts, "mixer">>,
  sizes: Sizes,
  { seed, key = "sampling" }: { seed: number; key?: string },
): Chain {
  const links = chosen.samplers.map((part, i) => linkOf(part, `${key}.${i}`));
  const mixer = chosen.mixer && linkOf(chosen.mixer, `${key}.mixer`);
  const all: Link<Sampler | Mixer>[] = [...links, ...(mixer ? [mixer] : [])];
  const made = all.map((link) => ({ link, inputs: link.part.inputs?.(link.options, sizes) }));
  const active = { dtype: "float32", shape: [] } as const;
  const specs = made.map(({ link, inputs }) => prefixed(link.key, { active, ...inputs?.spec }));
  return {
    key,
    sizes,
    links,
    mixer,
    spec: Object.assign({}, ...specs) as BatchSpec,
    inputs({ step, progress }) {
      const records = made.map(({ link, inputs }) => {
        const stream = randomStream(seed, link.key, step);
        const on = full([], progress >= link.warmup ? 1 : 0);
        return prefixed(link.key, { active: on, ...inputs?.make({ progress, stream }) });
      });
      return Object.assign({}, ...records) as HostRecord;
    },
    state: () =>
      Object.assign(
        {},
        ...links.map(({ part, options, key: at }) =>
          prefixed(at, part.state?.(options, sizes) ?? {}),
        ),
      ) as HostRecord,
  };
}

/** What a chain looks at: a `Scene` without what is each sampler's own. */
export type Outlook = Omit<Parameters<Sampler["apply"]>[0], "active" | "inputs" | "state">;

/** Negatives [N, M] of the first term before the samplers that detect false ones, and after them. */
export type Detection = { before: np.Array; after: np.Array };

/** What came of the pairs. */
export type Chained = {
  terms: Term[];
  state: ArrayRecord;
  metrics: ArrayRecord;
  /** Where a sampler of the chain detects. */
  detection: Detection | undefined;
};

function product(a: np.Array | undefined, b: np.Array | undefined): np.Array | undefined {
  return a === undefined ? b : b === undefined ? a : a.mul(b);
}

/** A term of a sampler within the term that it was given. */
const within = (outer: Term, inner: Term, last: boolean): Term => ({
  ...outer,
  ...inner,
  weight: product(last ? outer.weight : outer.weight?.ref, inner.weight),
  temperature: inner.temperature ?? outer.temperature,
  denominator: inner.denominator ?? outer.denominator,
});

/**
 * Runs the samplers of a chain over pairs. `batch` and `state` are lent; consumes `pairs`. `observe` is
 * lent the terms after each sampler.
 */
export function runChain(
  chain: Chain,
  outlook: Outlook,
  pairs: Pairs,
  { batch, state }: { batch: ArrayRecord; state: ArrayRecord },
  observe?: (terms: readonly Term[]) => void,
): Chained {
  let terms: Term[] = [{ pairs }];
  const metrics: ArrayRecord = {};
  const next: ArrayRecord = {};
  let detection: Detection | undefined;
  for (const { part, options, key } of chain.links) {
    const { active, ...inputs } = under(key, batch);
    const own = under(key, state);
    const before = part.detects ? (detection?.before ?? terms[0].pairs.negative.ref) : undefined;
    terms = terms.flatMap((term, i) => {
      const scene = { ...outlook, active, inputs, state: refArrays(own) };
      const sampled = part.apply(scene, term.pairs, options);
      if (i === 0) Object.assign(metrics, sampled.metrics);
      if (i === 0) Object.assign(next, prefixed(key, sampled.state ?? {}));
      const count = sampled.terms.length;
      return sampled.terms.map((inner, j) => within(term, inner, j === count - 1));
    });
    if (before) detection = { before, after: terms[0].pairs.negative.ref };
    observe?.(terms);
  }
  return { terms, state: next, metrics, detection };
}

/** Arrays of one link of a chain within a batch. */
export const inputsOf = (link: { key: string }, batch: ArrayRecord): ArrayRecord =>
  under(link.key, batch);
