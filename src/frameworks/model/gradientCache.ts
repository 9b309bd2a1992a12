import type { numpy as np } from "@jax-js/jax";

import { ConfigError } from "../../core/errors.ts";
import { type ArrayRecord, differentiate, disposeArrays } from "../../core/trees.ts";
import { gradientNorm } from "../judge/contrast.ts";
import { embedKeys, followed } from "./keyEncoder.ts";
import { descend, project, type Rates, settled } from "./model.ts";
import type { Core } from "../defineFramework.ts";
import type { Parts } from "../parts.ts";
import { keyRows, type MicroRows, queryRows } from "./microRows.ts";
import type { Model, ModelParameters, ModelStatistics, State } from "./state.ts";
import { contrast, keysByView } from "../step.ts";

/** What a micro-batch adds: its gradient, and the statistics after it. */
export type Change = { gradient: ModelParameters; statistics: ModelStatistics };

/** Embeddings of a batch: of the views with gradient [Q·B, E], and of those of keys [K·B, E], both view-major. */
export type Embedded<T> = { queries: T; keys?: T };

/** What a step does behind its embeddings; `memory` and `sampling` are the next ones. */
export type Judgement<A, R> = { slope: A; metrics: R; sampling: R; memory: R };

/**
 * A step cut into programs, so that a batch need not fit into memory at once, or be on one machine (Gao et al. 2021,
 * arXiv:2101.06983). The gradient is that of the whole batch.
 *
 * Image b of the batch belongs to micro-batch b mod `count`. Batch normalisation uses the statistics of each
 * micro-batch: the whole step with `{ splitBatch: count }`. Keys are in other micro-batches than their queries.
 */
export type CachedPrograms = {
  /** Number of micro-batches. */
  readonly count: number;
  /** Length of an embedding, E. */
  readonly dimension: number;
  /** Names of statistics that stay as they are. */
  readonly fixed: Readonly<Record<"encoder" | "head", readonly string[]>>;
  /** What a micro-batch encodes with gradient, and as keys. */
  readonly rows: (index: number) => Embedded<MicroRows>;
  /** Embeddings [n, E] of a micro-batch, while training, without gradient. */
  embed: (model: Model, images: np.Array) => np.Array;
  /** The parameters of the encoder of keys after those of the model. */
  follow?: (key: ModelParameters, model: ModelParameters) => ModelParameters;
  /** Keys [n, E] of a micro-batch, and the statistics after it. */
  embedKeys?: (key: Model, images: np.Array) => { keys: np.Array; statistics: ModelStatistics };
  /** Loss, metrics, what is remembered, and the gradient [Q·B, E] of all embeddings. */
  contrast: (
    embedded: Embedded<np.Array>,
    batch: ArrayRecord,
    memory: ArrayRecord,
    sampling: ArrayRecord,
  ) => Judgement<np.Array, ArrayRecord>;
  /** The change of a micro-batch, given the gradient [n, E] of its embeddings. */
  backward: (model: Model, images: np.Array, slope: np.Array) => Change;
  /** Moves what is trained along the gradient. */
  apply: (
    state: State,
    change: Change,
    rates: Rates,
  ) => [Pick<State, "encoder" | "head" | "optimiser" | "average">, ArrayRecord];
};

const parametersOf = ({ encoder, head }: Model): ModelParameters => ({
  encoder: encoder.parameters,
  head: head.parameters,
});
const statisticsOf = ({ encoder, head }: Model): ModelStatistics => ({
  encoder: encoder.statistics,
  head: head.statistics,
});

const contrastOf =
  (parts: Parts, core: Core): CachedPrograms["contrast"] =>
  ({ queries, keys }, batch, memory, sampling) => {
    const behind = { keys: keysByView(keys, parts.batchSize), memory, batch };
    const loss = ({ all }: ArrayRecord) =>
      contrast(parts, core, { ...behind, embedding: all }, sampling);
    const { value, gradient, extra } = differentiate(loss)({ all: queries });
    const { kept, metrics, sampling: next } = extra;
    return {
      slope: gradient.all,
      metrics: { loss: value, ...metrics },
      sampling: next,
      memory: core.remember?.(behind, kept) ?? {},
    };
  };

/**
 * The programs of a framework over `count` micro-batches.
 *
 * @param splits parts of the whole batch that are normalised apart, over which keys are shuffled
 */
export function cachedPrograms(
  parts: Parts,
  core: Core,
  { count, splits }: { count: number; splits: number },
): CachedPrograms {
  const { batchSize: images } = parts;
  if (images % count !== 0) {
    throw new ConfigError(
      `gradient caching: ${images} images do not divide into ${count} micro-batches`,
      "choose a divisor of the batch size",
    );
  }
  const { keys: keying, queryViews } = core;
  return {
    count,
    dimension: parts.head.dimension,
    fixed: { encoder: parts.encoder.fixed ?? [], head: parts.head.fixed ?? [] },
    rows: (index) => ({
      queries: queryRows({ images, views: queryViews, count, index }),
      ...(keying && { keys: keyRows({ images, views: keying.views, count, index }, splits) }),
    }),
    embed(model, images) {
      const { embedding, statistics } = project(
        parts,
        parametersOf(model),
        statisticsOf(model),
        images,
      );
      disposeArrays(statistics);
      return embedding; // [n, E]
    },
    ...(keying && {
      follow: (key, model) => followed(key, model, keying.momentum),
      embedKeys: (key, images) => embedKeys(parts, key, images),
    }),
    contrast: contrastOf(parts, core),
    backward(model, images, slope) {
      const running = statisticsOf(model);
      const objective = (at: ModelParameters): [np.Array, ModelStatistics] => {
        const { embedding, statistics } = project(parts, at, running, images);
        return [embedding.mul(slope).sum(), statistics];
      };
      const { value, gradient, extra } = differentiate(objective)(parametersOf(model));
      value.dispose();
      return { gradient, statistics: extra };
    },
    apply(state, { gradient, statistics: mean }, rates) {
      const of = (part: "encoder" | "head") =>
        settled(parts[part], state[part].statistics, mean[part]);
      const statistics = { encoder: of("encoder"), head: of("head") };
      const all = [...Object.values(gradient.encoder), ...Object.values(gradient.head)];
      const norm = parts.metrics
        ? { gradientNorm: gradientNorm(Object.fromEntries(all.map((x, i) => [i, x.ref]))) }
        : {};
      return [descend(parts, state, { gradient, statistics, rates }), norm];
    },
  };
}
