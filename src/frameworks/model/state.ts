import type { HostRecord, HostTree } from "../../core/arrays.ts";
import type { ArrayRecord, ArrayTree } from "../../core/trees.ts";
import type { HostVariables, Variables } from "../../encoders/index.ts";
import type { OptimiserState } from "../../optim/index.ts";

/** Encoder and head, inside a program. */
export type Model = { encoder: Variables; head: Variables };

/** Encoder and head outside a program. */
export type HostModel = { encoder: HostVariables; head: HostVariables };

/**
 * All that a run carries from step to step; a checkpoint is this tree.
 *
 * `average` is there with weight averaging, `key` (the momentum encoder) and `memory` (a queue or a
 * bank) where the framework has them, `sampling` where a sampler keeps something.
 */
export type State = {
  encoder: Variables;
  head: Variables;
  optimiser: OptimiserState;
  average?: Model;
  key?: Model;
  memory?: ArrayRecord;
  sampling?: ArrayRecord;
};

/** `State` outside a program: what `init` makes and checkpoints hold. */
export type HostState = {
  encoder: HostVariables;
  head: HostVariables;
  optimiser: { [slot: string]: HostRecord };
  average?: HostModel;
  key?: HostModel;
  memory?: HostRecord;
  sampling?: HostRecord;
};

/** Parameters of encoder and head, the first argument of every gradient. */
export type ModelParameters = { encoder: ArrayRecord; head: ArrayRecord };
/** Running statistics of encoder and head. */
export type ModelStatistics = { encoder: ArrayRecord; head: ArrayRecord };

/** A state seen as a tree of arrays. */
export const asTree = (state: State | Model): ArrayTree => state;

/** A host state seen as a tree that programs take. */
export const asHostTree = (state: HostState): HostTree => state;

/** What a program gave where it returns a state. */
// eslint-disable-next-line no-restricted-syntax -- the tree that a program gives is known to its function only
export const asHostState = (tree: HostTree): HostState => tree as unknown as HostState;
