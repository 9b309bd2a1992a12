import type { numpy as np } from "@jax-js/jax";

import type { Pairs } from "../core/pairs.ts";
import type { ArrayRecord } from "../core/trees.ts";
import type { Network } from "../encoders/index.ts";
import type { Optimiser } from "../optim/index.ts";

/** The part of a framework behind its embeddings, for gradient caching: [V·B, E] to loss and metrics. */
export type Contrast = (
  embeddings: np.Array,
  batch: { ids: np.Array; groups: np.Array },
) => [np.Array, ArrayRecord];

/** What every framework is made of. Sizes in images. */
export type Parts = {
  encoder: Network;
  head: Network;
  /** Similarity [N, M] and pairs to one number per anchor. */
  loss(similarity: np.Array, pairs: Pairs): np.Array;
  /** Options of the loss, for frameworks that read a temperature. */
  temperature: number;
  optimiser: Optimiser;
  batchSize: number;
  imageSize: number;
  datasetSize: number;
  seed: number;
  metrics: boolean;
  /** Decay of the averaged weights; 0 for none. */
  averaging: number;
};
