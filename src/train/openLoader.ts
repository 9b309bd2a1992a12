import { type Boxes, openViewLoader } from "../views/index.ts";
import type { RunConfig } from "../config/schema.ts";
import type { TrainingData } from "./dataset.ts";
import { openKeptLoader } from "./kept/keptLoader.ts";
import type { Kept } from "./kept/openKept.ts";
import type { Batches } from "./runLoader.ts";

/** What batches are made of. */
export type BatchParts = {
  readonly config: RunConfig;
  readonly data: TrainingData;
  readonly kept: Kept | undefined;
};

/** Where batches begin. */
export type BatchPlace = {
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly boxes: Boxes | undefined;
  /** Rows of the views to make, where other processes make the rest. */
  readonly rows?: Int32Array | undefined;
};

/** Batches of a run from a step on. */
export function openLoader({ config, data, kept }: BatchParts, at: BatchPlace): Batches {
  const { views: policy, seed, batchSize, epochs, workers } = config;
  const { step, stepsPerEpoch, boxes, rows } = at;
  const epoch = Math.floor(step / stepsPerEpoch);
  const from = { epoch, stepInEpoch: step - epoch * stepsPerEpoch };
  const place = { batchSize, epochs, from, rows };
  if (kept !== undefined) {
    return openKeptLoader({
      ...place,
      seed,
      kept: kept.views,
      views: policy.count,
      pixels: data.pixels,
    });
  }
  return openViewLoader({ ...place, policy, seed, boxes, source: data.pixels, workers });
}
