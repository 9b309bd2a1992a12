import type { numpy as np } from "@jax-js/jax";

import type { HostRecord } from "../core/arrays.ts";
import type { ArrayRecord } from "../core/trees.ts";
import type { Network, Variables } from "../encoders/index.ts";
import type { BatchSpec } from "./pairs/batchSpec.ts";
import type { RunAt } from "./pairs/chain.ts";
import type { ColumnBlock } from "./defineFramework.ts";
import type { CachedPrograms, Embedded } from "./model/gradientCache.ts";
import type { LossOverrides } from "./parts.ts";
import type { HostState, Model, State } from "./model/state.ts";

/**
 * What the view loader gives: views [V·B, 3, S, S] view-major. `ids`, `groups` and `labels` are of the B
 * images, or of the V·B views where a view may show another image; labels −1, or absent, where unknown.
 */
export type LoadedBatch = {
  /** All of them, or those of some rows: then `places` [V·B] says where a row is among them, −1 where it is not. */
  views: Float32Array;
  places?: Int32Array | undefined;
  ids: Int32Array;
  groups: Int32Array;
  labels?: Int32Array | undefined;
  /** Crops of the views in pixels of their image, x, y, width, height: [V·B, 4]. Asked for where a sampler compares them. */
  crops?: () => Float32Array;
};

/** Where a step stands in its run, and how far it goes. */
export type StepAt = RunAt & { learningRate: number };

/**
 * A framework with its parts in place: pure functions that trace as one program each.
 *
 * - `step` consumes the state and a batch as in `batchSpec`; returns the next state and scalars:
 *   `loss` (nats), and unless metrics are off `positiveSimilarity`, `negativeSimilarity` (cosine),
 *   `accuracy` (share of anchors whose positive is nearest), `featureStd` (spread of unit embeddings,
 *   1 when even, 0 when collapsed) and `gradientNorm`.
 * - `batch` makes the arrays of one step from a loaded batch.
 * - `embed` gives features [N, D] of images in evaluation mode, `embedHead` unit embeddings [N, E].
 */
export type Framework = {
  readonly name: string;
  readonly encoder: Network;
  readonly head: Network;
  readonly viewCount: number;
  /** Views of an image that are encoded with gradient; the others are keys. */
  readonly queryViews: number;
  readonly batchSize: number; // images
  readonly batchSpec: BatchSpec;
  /** Rows and columns of its matrices of similarities. */
  readonly contested: readonly { readonly anchors: number; readonly candidates: number }[];
  /** Rows of embeddings that it keeps from step to step, in a queue or a bank. */
  readonly memoryRows: number;
  init: () => HostState;
  step: (state: State, batch: ArrayRecord) => [State, ArrayRecord];
  batch: (loaded: LoadedBatch, at: StepAt) => HostRecord;
  /** The same without the views. */
  beside: (loaded: LoadedBatch, at: StepAt) => HostRecord;
  /** Scalars of a step as they are shown: sums of pairs become shares. */
  figures: (scalars: Record<string, number>) => Record<string, number>;
  embed: (encoder: Variables, images: np.Array) => np.Array;
  embedHead: (model: Model, images: np.Array) => np.Array;
  /**
   * Unit embeddings [V·B, E] of a batch while training, where they depend on which images share a part of the
   * batch and all views are encoded together.
   */
  embedParts?: (model: Model, views: np.Array) => np.Array;
  /** Loss when embeddings carry no information, in nats; it fits a full memory. */
  chanceLoss: () => number;
  /** A program that returns the pairs of `count` anchors of a step, where the framework has pairs to show. */
  recorder?: (count: number) => Recorder;
  /** The step cut into programs over `count` micro-batches. */
  cached: (count: number) => CachedPrograms;
};

/** A sampler of a recorded chain, with its words for what it does to a pair. */
export type RecordedLink = {
  readonly name: string;
  readonly reasons: { dropped?: string; promoted?: string; demoted?: string; weighted?: string };
};

/** What the arrays of one chain mean. */
export type RecordedChain = {
  readonly key: string;
  readonly anchorViews: number; // A; anchor a · B + b is view a of image b of the batch
  readonly columns: readonly ColumnBlock[];
  readonly links: readonly RecordedLink[];
  readonly mixer: string | undefined;
  /** Options of the loss that its terms set, known once the program is compiled. */
  readonly overrides: () => readonly LossOverrides[];
};

/**
 * A program that returns pairs of a step: the very step, without its new state.
 *
 * For each chain `ofChain` gives `similarity`, `force` [R, M + S], the slope of the anchor's loss at each similarity,
 * `loss` [R] (nats), `ids` [M] of the candidates (−1 where a column is no image of the set), for each term
 * `term0.positive`, `term0.negative` [R, M + S] and perhaps `term0.weight` [R], the pairs before the first
 * sampler and after each, `stage0.positive` … [R, M], and of mixtures `mixture.first`, `mixture.second` (columns,
 * −1 for the anchor) and `mixture.share` [R, S].
 */
export type Recorder = {
  readonly count: number; // R, anchors
  readonly chains: readonly RecordedChain[];
  readonly batchSpec: BatchSpec;
  batch(loaded: LoadedBatch, at: StepAt, rows: Int32Array): HostRecord;
  /** The same without the views. */
  beside(loaded: LoadedBatch, at: StepAt, rows: Int32Array): HostRecord;
  /** Consumes both. */
  program: (state: State, batch: ArrayRecord) => ArrayRecord;
  /** The same behind the embeddings of a batch that is taken in micro-batches. Consumes all. */
  contrast: (
    embedded: Embedded<np.Array>,
    batch: ArrayRecord,
    memory: ArrayRecord,
    sampling: ArrayRecord,
  ) => ArrayRecord;
};
