import type { numpy as np } from "@jax-js/jax";

import { hostArray } from "../../core/arrays.ts";
import { type ArrayRecord, differentiate, disposeArrays } from "../../core/trees.ts";
import type { BatchSpec } from "../pairs/batchSpec.ts";
import type { Core } from "../defineFramework.ts";
import type { Framework, Recorder } from "../framework.ts";
import type { LossOverrides, Parts, Recording } from "../parts.ts";
import { anchorLosses, named, ofChain, recordedOnly, termsOf } from "./recording.ts";
import { asTree } from "../model/state.ts";
import { contrast, keysByView, stepOf } from "../step.ts";

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
  base: { spec: BatchSpec } & Pick<Framework, "batch" | "beside">,
  count: number,
): Recorder {
  const overrides: Recording["overrides"] = new Map();
  const recording: Recording = { count, overrides };
  const watched = { ...parts, recording, metrics: false };
  const core = build(watched);
  const chains = core.chains.map(({ key, sizes, links, mixer }) => ({
    key,
    anchorViews: sizes.anchors / sizes.images,
    columns: core.columns ?? [],
    links: links.map(({ part: { name, reasons } }) => ({ name, reasons })),
    mixer: mixer?.part.name,
    overrides: () => overrides.get(key) ?? [],
  }));
  /** Results of a step as those of the recorder. */
  const finished = (results: ArrayRecord): ArrayRecord => {
    const recorded = recordedOnly(results);
    const each = chains.map(({ key }) =>
      named(key, withForces(parts, ofChain(recorded, key), overrides.get(key) ?? [])),
    );
    return Object.assign({}, ...each) as ArrayRecord;
  };
  const asked = (rows: Int32Array) => ({
    rows: hostArray("int32", [count], Int32Array.from(rows)),
  });
  return {
    count,
    chains,
    batchSpec: { ...base.spec, rows: { dtype: "int32", shape: [count] } },
    batch: (loaded, at, rows) => ({ ...base.batch(loaded, at), ...asked(rows) }),
    beside: (loaded, at, rows) => ({ ...base.beside(loaded, at), ...asked(rows) }),
    program(state, batch) {
      const [after, results] = stepOf(watched, core)(state, batch);
      disposeArrays(asTree(after));
      return finished(results);
    },
    contrast(embedded, batch, memory, sampling) {
      const keys = keysByView(embedded.keys, parts.batchSize);
      const seen = { embedding: embedded.queries, keys, memory, batch };
      const [loss, { metrics }] = contrast(watched, core, seen, sampling);
      loss.dispose();
      return finished(metrics);
    },
  };
}
