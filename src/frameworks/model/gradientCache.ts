import type { numpy as np } from "@jax-js/jax";

import {
  type HostArray,
  hostArray,
  type HostRecord,
  type HostTree,
  mapTree,
  zeros,
} from "../../core/arrays.ts";
import { ConfigError } from "../../core/errors.ts";
import { type ArrayRecord, differentiate, disposeArrays, mapArrays } from "../../core/trees.ts";
import { gradientNorm } from "../judge/contrast.ts";
import { descend, project, type Rates, settled, withSampling } from "./model.ts";
import type { Core } from "../defineFramework.ts";
import type { Parts } from "../parts.ts";
import type {
  HostModel,
  HostState,
  Model,
  ModelParameters,
  ModelStatistics,
  State,
} from "./state.ts";
import { asHostState } from "./state.ts";
import { contrastBatch } from "../step.ts";

/** Sum of gradients and mean of statistics over the micro-batches so far. */
export type Accumulated = { gradient: ModelParameters; statistics: ModelStatistics };

/**
 * A step cut into four programs, so that a batch need not fit into memory at once (Gao et al. 2021,
 * arXiv:2101.06983). The gradient is that of the whole batch.
 *
 * Row i of the views belongs to micro-batch i mod `count`. Batch normalisation uses the statistics of
 * each micro-batch: the whole step with `{ splitBatch: count }`.
 */
export type CachedPrograms = {
  /** Number of micro-batches. */
  readonly count: number;
  /** Embeddings [n, E] of a micro-batch, while training, without gradient. */
  embed: (model: Model, images: np.Array) => np.Array;
  /** Loss, metrics, the next state of the samplers, and the gradient [N, E] of all embeddings. */
  contrast: (
    embeddings: np.Array,
    batch: ArrayRecord,
    sampling: ArrayRecord,
  ) => { slope: np.Array; metrics: ArrayRecord; sampling: ArrayRecord };
  /** Adds the gradient of a micro-batch, given the gradient [n, E] of its embeddings. */
  backward: (sum: Accumulated, model: Model, images: np.Array, slope: np.Array) => Accumulated;
  /** Moves the state along the gradient. */
  apply: (state: State, sum: Accumulated, rates: Rates) => [State, ArrayRecord];
};

/** The four programs of a framework whose loss sees one batch of embeddings. */
export function cachedPrograms(
  parts: Parts,
  core: Core,
  rows: number,
  count: number,
): CachedPrograms {
  if (rows % count !== 0) {
    throw new ConfigError(
      `gradient caching: ${rows} views do not divide into ${count} micro-batches`,
      "choose a divisor of batch size times views",
    );
  }
  const sides = (model: Model): [ModelParameters, ModelStatistics] => [
    { encoder: model.encoder.parameters, head: model.head.parameters },
    { encoder: model.encoder.statistics, head: model.head.statistics },
  ];
  return {
    count,
    embed(model, images) {
      const { embedding, statistics } = project(parts, ...sides(model), images);
      disposeArrays(statistics);
      return embedding; // [n, E]
    },
    contrast(embeddings, batch, state) {
      const loss = ({ all }: ArrayRecord) => contrastBatch(parts, core, all, batch, state);
      const { value, gradient, extra } = differentiate(loss)({ all: embeddings });
      const { metrics, sampling } = extra;
      return { slope: gradient.all, metrics: { loss: value, ...metrics }, sampling };
    },
    backward(sum, model, images, slope) {
      const [parameters, running] = sides(model);
      const objective = (at: ModelParameters): [np.Array, ModelStatistics] => {
        const { embedding, statistics } = project(parts, at, running, images);
        return [embedding.mul(slope).sum(), statistics];
      };
      const { value, gradient, extra } = differentiate(objective)(parameters);
      value.dispose();
      return {
        gradient: mapArrays((total, part) => total.add(part), sum.gradient, gradient),
        statistics: mapArrays(
          (total, part) => total.add(part.mul(1 / count)),
          sum.statistics,
          extra,
        ),
      };
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

/** The programs compiled: each takes and gives trees of arrays outside. */
export type CachedRunners = {
  [K in "embed" | "contrast" | "backward" | "apply"]: (...args: HostTree[]) => Promise<HostTree>;
};

/** Rows i, i + count, i + 2·count … of an array: one micro-batch. */
export function microBatch(array: HostArray, count: number, index: number): HostArray {
  const [rows, ...rest] = array.shape;
  const width = array.data.length / rows;
  const part = zeros([rows / count, ...rest], array.dtype);
  for (let i = index, at = 0; i < rows; i += count, at += width) {
    part.data.set(array.data.subarray(i * width, (i + 1) * width), at);
  }
  return part;
}

/** Puts micro-batches back into their order. */
function gathered(parts: readonly HostArray[]): HostArray {
  const count = parts.length;
  const [rows, width] = parts[0].shape;
  const data = new Float32Array(count * rows * width);
  parts.forEach((part, index) => {
    for (let i = 0; i < rows; i++) {
      const row = part.data.subarray(i * width, (i + 1) * width);
      data.set(row, (i * count + index) * width);
    }
  });
  return hostArray("float32", [rows * count, width], data);
}

/** Arrays with which `backward` starts: zeros like the model's. */
function nothingYet({ encoder, head }: HostModel): HostTree {
  const none = (record: HostRecord) => mapTree(record, ({ shape, dtype }) => zeros(shape, dtype));
  return {
    gradient: { encoder: none(encoder.parameters), head: none(head.parameters) },
    statistics: { encoder: none(encoder.statistics), head: none(head.statistics) },
  };
}

/** A batch as the contrast sees it. */
const withoutViews = (batch: HostRecord): HostRecord =>
  Object.fromEntries(Object.entries(batch).filter(([name]) => name !== "views" && !isRate(name)));

const isRate = (name: string): boolean => name === "learningRate" || name === "bodyRate";

const ratesOf = (batch: HostRecord): HostRecord =>
  Object.fromEntries(Object.entries(batch).filter(([name]) => isRate(name)));

/** Arguments of the right shapes with which to compile each program; `dimension` is that of the head. */
export function cachedExamples(
  state: HostState,
  batch: HostRecord,
  { count, dimension }: { count: number; dimension: number },
): { [K in keyof CachedRunners]: HostTree[] } {
  const model = { encoder: state.encoder, head: state.head };
  const images = microBatch(batch.views, count, 0);
  const rows = batch.views.shape[0];
  const sum = nothingYet(model);
  return {
    embed: [model, images],
    contrast: [zeros([rows, dimension]), withoutViews(batch), state.sampling ?? {}],
    backward: [sum, model, images, zeros([rows / count, dimension])],
    apply: [state, sum, ratesOf(batch)],
  };
}

/** Embeddings [V·B, E] of a whole batch, one micro-batch after the other. */
export async function embedCached(
  run: Pick<CachedRunners, "embed">,
  { encoder, head }: HostState,
  images: readonly HostArray[],
): Promise<HostArray> {
  const embedded: HostArray[] = [];
  for (const part of images) embedded.push((await run.embed({ encoder, head }, part)) as HostArray);
  return gathered(embedded);
}

/** One step of `framework.step` over micro-batches: the same state and metrics. */
export async function runCached(
  run: CachedRunners,
  count: number,
  state: HostState,
  batch: HostRecord,
): Promise<[HostState, HostRecord]> {
  const model = { encoder: state.encoder, head: state.head };
  const images = Array.from({ length: count }, (_, i) => microBatch(batch.views, count, i));
  const embeddings = await embedCached(run, state, images);
  const rest = withoutViews(batch);
  const judged = (await run.contrast(embeddings, rest, state.sampling ?? {})) as {
    slope: HostArray;
    metrics: HostRecord;
    sampling: HostRecord;
  };
  let sum = nothingYet(model);
  for (const [i, part] of images.entries()) {
    sum = await run.backward(sum, model, part, microBatch(judged.slope, count, i));
  }
  const [next, norm] = (await run.apply(state, sum, ratesOf(batch))) as [HostTree, HostRecord];
  return [withSampling(asHostState(next), judged.sampling), { ...judged.metrics, ...norm }];
}
