import type { numpy as np } from "@jax-js/jax";
import type { z } from "zod";

import type { HostRecord } from "../core/arrays.ts";
import type { Named } from "../core/catalogue.ts";
import type { Pairs } from "../core/pairs.ts";
import type { ArrayRecord } from "../core/trees.ts";
import type { Network } from "../encoders/index.ts";
import type { Need } from "../sampling/index.ts";
import type { BatchSpec } from "./pairs/batchSpec.ts";
import type { Chain, RunAt } from "./pairs/chain.ts";
import type { Contest, Judged } from "./judge/judge.ts";
import type { Parts } from "./parts.ts";

/** Neighbouring candidates of one kind. */
export type ColumnBlock = {
  /** Views of the batch, keys of a slower encoder, predictions; or rows kept from earlier steps. */
  readonly kind: "view" | "key" | "prediction" | "queue" | "bank";
  readonly count: number;
  /** View of the batch that the columns show; "other": the one of two that the anchor is not. */
  readonly view?: number | "other";
  /** Whether a column is of each anchor's own image, rather than of one image for all. */
  readonly own?: boolean;
};

/**
 * What a framework sees of a step. Embeddings are those of the head, before they are made unit rows, view-major;
 * `embedding` is owned, all else is lent.
 */
export type Seen = {
  /** [Q·B, E] of the first Q = `queryViews` views of B images, with gradient. */
  readonly embedding: np.Array;
  /** [B, E] of each view that `keys` of the core names, without gradient. */
  readonly keys: readonly np.Array[];
  /** The memory before the step; empty where the framework has none. */
  readonly memory: ArrayRecord;
  readonly batch: ArrayRecord;
};

/** Similarities of anchors and candidates, and the pairs they stand for before the first sampler. */
export type Contested = { contest: Contest; pairs: Pairs };

/** What is contrasted with what in a step. */
export type Contests = {
  /** One for each chain; the loss is the mean over them. Or what a framework with a loss of its own made of them. */
  contests: readonly Contested[] | Judged;
  /** [N, E] unit rows whose spread is measured. */
  unit: np.Array;
  /** Added to metrics of these names. */
  counts?: ArrayRecord;
  /** Arrays for `remember`, without gradient. */
  kept?: ArrayRecord;
};

/**
 * What `build` of a framework gives: what is contrasted with what, and what is remembered. Encoding, gradient, samplers,
 * loss, metrics and descent are the same for all (`step.ts`).
 */
export type Core = {
  viewCount: number;
  /** Views of an image that are encoded with gradient, the first ones. */
  queryViews: number;
  /** Views that a slowly averaged copy of encoder and head encodes as keys, and how it follows. */
  keys?: { readonly views: readonly number[]; readonly momentum: number; readonly splits: number };
  /** Samplers and mixers, one chain for each matrix of similarities. */
  chains: readonly Chain[];
  /** What the columns of every chain stand for, in their order; absent where no chain is asked. */
  columns?: readonly ColumnBlock[] | undefined;
  /** What it offers to samplers that need it. */
  offers: readonly Need[];
  /** Arrays beside views, marks, learningRate and those of the chains. */
  extraBatch?: BatchSpec;
  extra?(at: RunAt): HostRecord;
  contests(seen: Seen): Contests;
  /** The memory at the start of a run. */
  memory?: () => HostRecord;
  /** Rows of embeddings in it. */
  memoryRows?: number;
  /** The memory after a step: `seen` without its embedding, and what `contests` kept. `kept` is owned. */
  remember?: (seen: Omit<Seen, "embedding">, kept: ArrayRecord) => ArrayRecord;
  /** Loss when embeddings carry no information, in nats; it fits a full memory. */
  chanceLoss: () => number;
};

/** What a framework's file declares. */
export type FrameworkDefinition<O extends z.ZodObject = z.ZodObject> = {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly options: O;
  /** Whether all candidates are of the batch; by default not. */
  readonly inBatch?: boolean;
  /** Whether positives are views of the anchor's own image, encoded in the same step; by default not. */
  readonly pairsViews?: boolean;
  /** The framework of the same candidates and views that its cost is held against; itself unless said. */
  base?(options: z.output<O>): Named;
  /** Augmentations that have a space of their own each, in which views share them; none unless said. */
  spaces?(options: z.output<O>): readonly string[];
  /** Why a run has no pairs to show, and what would show some; undefined where it has. */
  withoutPairs?(options: z.output<O>): { readonly why: string; readonly hint: string } | undefined;
  /** Normalisation of the encoder where its config says plain "batch"; undefined leaves it. */
  splits?(options: z.output<O>, batchSize: number): number;
  /** The head that the framework needs in place of one: several side by side, or one with a predictor. */
  head?(options: z.output<O>, make: (inputs: number) => Network, inputs: number): Network;
  build(parts: Parts, options: z.output<O>): Core;
};

/** An entry of the catalogue of frameworks. */
export type FrameworkEntry<O extends z.ZodObject = z.ZodObject> = FrameworkDefinition<O> & {
  readonly kind: "framework";
};

/** Makes an entry of the catalogue. */
export function defineFramework<O extends z.ZodObject>(
  definition: FrameworkDefinition<O>,
): FrameworkEntry<O> {
  return { kind: "framework", ...definition };
}
