import type { numpy as np } from "@jax-js/jax";

import { hostArray, type HostRecord } from "../core/arrays.ts";
import { type ArrayRecord, differentiate, disposeArrays } from "../core/trees.ts";
import type { BatchSpec } from "./batchSpec.ts";
import type { ColumnBlock, Core, LoadedBatch, StepAt } from "./framework.ts";
import type { LossOverrides, Parts } from "./parts.ts";
import {
  anchorLosses,
  named,
  ofChain,
  type Recording,
  recordedOnly,
  termsOf,
} from "./recording.ts";
import { asTree, type State } from "./state.ts";

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
  /** Consumes both. */
  program: (state: State, batch: ArrayRecord) => ArrayRecord;
  /** The same behind the embeddings [V·B, E] of a batch, where the step can be cut there. Consumes all. */
  contrast?: (embeddings: np.Array, batch: ArrayRecord, sampling: ArrayRecord) => ArrayRecord;
};

/** The arrays of a chain with loss and force of every recorded anchor. Consumes the arrays. */
function withForces(parts: Parts, arrays: ArrayRecord, overrides: readonly LossOverrides[]) {
  const objective = ({ similarity }: ArrayRecord): [np.Array, ArrayRecord] => {
    const each = anchorLosses(parts, similarity, termsOf(arrays, overrides)); // [R] each
    similarity.dispose();
    const loss = each.reduce((sum, losses) => sum.add(losses)); // [R]
    return [loss.ref.sum(), { loss }];
  };
  const { value, gradient, extra } = differentiate(objective)({
    similarity: arrays.similarity.ref,
  });
  value.dispose();
  return { ...arrays, force: gradient.similarity, loss: extra.loss };
}

/** Makes the recorder of a framework: `build` gives its core with other parts. */
export function recorderOf(
  parts: Parts,
  build: (parts: Parts) => Core,
  base: { spec: BatchSpec; batch(loaded: LoadedBatch, at: StepAt): HostRecord },
  count: number,
): Recorder {
  const overrides: Recording["overrides"] = new Map();
  const recording: Recording = { count, overrides };
  const core = build({ ...parts, recording, metrics: false });
  const chains = core.chains.map(({ key, sizes, links, mixer }) => ({
    ...{ key, anchorViews: sizes.anchors / sizes.images, columns: core.columns ?? [] },
    links: links.map(({ part: { name, reasons } }) => ({ name, reasons })),
    mixer: mixer?.part.name,
    overrides: () => overrides.get(key) ?? [],
  }));
  const { contrast } = core;
  /** Results of a step as those of the recorder. */
  const finished = (results: ArrayRecord): ArrayRecord => {
    const recorded = recordedOnly(results);
    const each = chains.map(({ key }) =>
      named(key, withForces(parts, ofChain(recorded, key), overrides.get(key) ?? [])),
    );
    return Object.assign({}, ...each) as ArrayRecord;
  };
  return {
    count,
    chains,
    batchSpec: { ...base.spec, rows: { dtype: "int32", shape: [count] } },
    batch: (loaded, at, rows) => ({
      ...base.batch(loaded, at),
      rows: hostArray("int32", [count], Int32Array.from(rows)),
    }),
    program(state, batch) {
      const [after, results] = core.step(state, batch);
      disposeArrays(asTree(after));
      return finished(results);
    },
    ...(contrast === undefined
      ? {}
      : {
          contrast(embeddings, batch, sampling) {
            const [loss, { metrics }] = contrast(embeddings, batch, sampling);
            loss.dispose();
            return finished(metrics);
          },
        }),
  };
}
