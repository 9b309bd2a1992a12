import { lax, type numpy as np } from "@jax-js/jax";

import { ConfigError } from "../../core/errors.ts";
import { type ArrayRecord, refArrays } from "../../core/trees.ts";
import { averageRecords } from "../../optim/index.ts";
import { rowsOfViews } from "../judge/contrast.ts";
import type { Core } from "../defineFramework.ts";
import { project } from "./model.ts";
import type { Parts } from "../parts.ts";
import { shuffled, unshuffled } from "./shuffle.ts";
import type { Model, State } from "./state.ts";

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

/** Averages the key encoder, then encodes views of B images to embeddings [B, E] of each. Without gradient. */
export function encodeKeys(
  parts: Parts,
  state: State,
  views: np.Array,
  { views: chosen, momentum, splits }: NonNullable<Core["keys"]>,
): { keys: np.Array[]; key: Model } {
  const images = parts.batchSize;
  const towards = (old: ArrayRecord, fresh: ArrayRecord) =>
    averageRecords(old, refArrays(fresh), momentum);
  const key = state.key!;
  const parameters = {
    encoder: towards(key.encoder.parameters, state.encoder.parameters),
    head: towards(key.head.parameters, state.head.parameters),
  };
  const { embedding, statistics } = project(
    parts,
    refArrays(parameters),
    { encoder: key.encoder.statistics, head: key.head.statistics },
    shuffled(rowsOfViews(views, chosen, images), splits),
  );
  const all = lax.stopGradient(unshuffled(embedding, splits)); // [K·B, E]
  return {
    keys: chosen.map((_, i) => rowsOfViews(all, [i], images)), // K of [B, E]
    key: {
      encoder: { parameters: parameters.encoder, statistics: statistics.encoder },
      head: { parameters: parameters.head, statistics: statistics.head },
    },
  };
}
