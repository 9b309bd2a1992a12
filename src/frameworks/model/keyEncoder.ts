import { lax, type numpy as np } from "@jax-js/jax";

import { ConfigError } from "../../core/errors.ts";
import { type ArrayRecord, refArrays } from "../../core/trees.ts";
import { averageRecords } from "../../optim/index.ts";
import { rowsOfViews } from "../judge/contrast.ts";
import type { Core } from "../defineFramework.ts";
import { project } from "./model.ts";
import type { Parts } from "../parts.ts";
import { shuffled, unshuffled } from "./shuffle.ts";
import type { Model, ModelParameters, ModelStatistics, State } from "./state.ts";

/** Options of every framework with a key encoder. */
export type KeyOptions = { momentum: number; batchSplits: "auto" | number };

/** Parts in which a batch is normalised; `auto` takes up to 8 of at least 4 images. */
export function splitsOf({ batchSplits }: KeyOptions, batchSize: number, name: string): number {
  if (batchSplits === "auto") {
    return [8, 4, 2].find((n) => batchSize % n === 0 && batchSize / n >= 4) ?? 1;
  }
  if (batchSize % batchSplits !== 0) {
    throw new ConfigError(
      `${name}: batchSplits is ${batchSplits}, expected a divisor of the batch size ${batchSize}`,
    );
  }
  return batchSplits;
}

/** Parameters of the key encoder, a step further behind those of the model. Consumes the former, the latter is lent. */
export function followed(
  key: ModelParameters,
  model: ModelParameters,
  momentum: number,
): ModelParameters {
  const towards = (old: ArrayRecord, fresh: ArrayRecord) =>
    averageRecords(old, refArrays(fresh), momentum);
  return { encoder: towards(key.encoder, model.encoder), head: towards(key.head, model.head) };
}

/** Keys [N, E] of images by the key encoder, without gradient, and its statistics after them. Consumes all. */
export function embedKeys(
  parts: Parts,
  key: Model,
  images: np.Array,
): { keys: np.Array; statistics: ModelStatistics } {
  const { embedding, statistics } = project(
    parts,
    { encoder: key.encoder.parameters, head: key.head.parameters },
    { encoder: key.encoder.statistics, head: key.head.statistics },
    images,
  );
  return { keys: lax.stopGradient(embedding), statistics };
}

/** Averages the key encoder, then encodes views of B images to embeddings [K·B, E]. Without gradient. */
export function encodeKeys(
  parts: Parts,
  state: State,
  views: np.Array,
  { views: chosen, momentum, splits }: NonNullable<Core["keys"]>,
): { keys: np.Array; key: Model } {
  const { encoder, head } = state.key!;
  const parameters = followed(
    { encoder: encoder.parameters, head: head.parameters },
    { encoder: state.encoder.parameters, head: state.head.parameters },
    momentum,
  );
  const behind = refArrays(parameters);
  const { keys, statistics } = embedKeys(
    parts,
    {
      encoder: { parameters: behind.encoder, statistics: encoder.statistics },
      head: { parameters: behind.head, statistics: head.statistics },
    },
    shuffled(rowsOfViews(views, chosen, parts.batchSize), splits),
  );
  return {
    keys: unshuffled(keys, splits),
    key: {
      encoder: { parameters: parameters.encoder, statistics: statistics.encoder },
      head: { parameters: parameters.head, statistics: statistics.head },
    },
  };
}
