import type { numpy as np } from "@jax-js/jax";

import type { Denominator, Pairs } from "../core/pairs.ts";
import type { ArrayRecord } from "../core/trees.ts";
import type { Network } from "../encoders/index.ts";
import type { Optimiser } from "../optim/index.ts";
import type { Part } from "../core/catalogue.ts";
import type { Loss } from "../losses/index.ts";
import type { Mixer, Sampler } from "../sampling/index.ts";

/** What a term of an objective says instead of the loss's own options. */
export type LossOverrides = {
  temperature?: number | undefined;
  denominator?: Denominator | undefined;
};

/**
 * What a program that records is asked for, and what was said while it was traced. Such a program is the
 * training step with more results; it never changes a state.
 */
export type Recording = {
  /** Anchors that are recorded, R; which ones is in the batch, `rows` [R] int32. */
  readonly count: number;
  /** Options of the loss that the terms of each chain set. */
  readonly overrides: Map<string, LossOverrides[]>;
};

/** What every framework is made of. Sizes in images. */
export type Parts = {
  encoder: Network;
  head: Network;
  /** Similarity [N, M] and pairs to one number per anchor. */
  loss(similarity: np.Array, pairs: Pairs, overrides?: LossOverrides): np.Array;
  /** The loss itself and its options, for frameworks that have a loss of their own. */
  chosenLoss: Part<Loss>;
  /** What the loss reports of itself; consumes. */
  measureLoss(similarity: np.Array, pairs: Pairs): ArrayRecord;
  /** Options of the loss, for frameworks that read a temperature. */
  temperature: number;
  /** Temperature of the softmax by which the loss weighs negatives. */
  negativeTemperature: number;
  /** Samplers in their order, and what mixes candidates. */
  samplers: readonly Part<Sampler>[];
  mixer: Part<Mixer> | undefined;
  optimiser: Optimiser;
  batchSize: number;
  imageSize: number;
  datasetSize: number;
  seed: number;
  metrics: boolean;
  /** Which pairs the program returns; only programs that record have it. */
  recording?: Recording;
  /** Decay of the averaged weights; 0 for none. */
  averaging: number;
};
