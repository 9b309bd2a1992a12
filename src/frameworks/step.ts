import { lax, type numpy as np } from "@jax-js/jax";

import type { ArrayRecord } from "../core/trees.ts";
import type { Chain } from "./pairs/chain.ts";
import { featureStd, rowsOfViews, upTo } from "./judge/contrast.ts";
import type { Contests, Core, Seen } from "./defineFramework.ts";
import { judge, type Judged } from "./judge/judge.ts";
import { encodeKeys } from "./model/keyEncoder.ts";
import { descend, gradientAt, project, withSampling } from "./model/model.ts";
import type { Parts } from "./parts.ts";
import { recordedOnly } from "./judge/recording.ts";
import type { State } from "./model/state.ts";

/** Mean of the loss over the chains; metrics are those of the first, and the loss of every chain. */
function combined(judged: readonly Judged[], chains: readonly Chain[]): Judged {
  const [first] = judged;
  if (judged.length === 1) return first;
  const measured = Object.keys(first.metrics).length > 0;
  const metrics = { ...first.metrics };
  judged.forEach((each, i) => {
    const { key } = chains[i];
    const name = `loss${key[0].toUpperCase()}${key.slice(1)}`;
    if (measured) metrics[name] = lax.stopGradient(each.loss.ref);
    Object.assign(metrics, recordedOnly(each.metrics));
  });
  const sum = judged.map(({ loss }) => loss).reduce((total, loss) => total.add(loss));
  const sampling = Object.assign({}, ...judged.map((each) => each.sampling)) as ArrayRecord;
  return { loss: sum.mul(1 / judged.length), sampling, metrics };
}

/** What is measured of a step beside what its chains measure. */
function withCounts(metrics: ArrayRecord, { unit, counts = {} }: Contests): ArrayRecord {
  const added = Object.entries(counts).map(([name, count]) => [name, metrics[name].add(count)]);
  const spread = { featureStd: featureStd(lax.stopGradient(unit)) };
  return { ...metrics, ...(Object.fromEntries(added) as ArrayRecord), ...spread };
}

/** What comes of the embeddings of a step beside its loss. */
export type Contrasted = { metrics: ArrayRecord; sampling: ArrayRecord; kept: ArrayRecord };

/** The part of a step behind its embeddings: the loss, in nats, and all that it changes but weights. */
export function contrast(
  parts: Parts,
  core: Core,
  seen: Seen,
  sampling: ArrayRecord,
): [np.Array, Contrasted] {
  const contested = core.contests(seen);
  const { contests, kept = {} } = contested;
  const given = { batch: seen.batch, state: sampling };
  const judged =
    "loss" in contests
      ? contests
      : combined(
          contests.map(({ contest, pairs }, i) =>
            judge(parts, core.chains[i], contest, pairs, given),
          ),
          core.chains,
        );
  const metrics = parts.metrics ? withCounts(judged.metrics, contested) : judged.metrics;
  return [judged.loss, { metrics, sampling: judged.sampling, kept }];
}

/** Keys [K·B, E] as those of each view, K of [B, E]. Lent. */
export const keysByView = (keys: np.Array | undefined, images: number): np.Array[] =>
  keys === undefined ? [] : upTo(keys.shape[0] / images).map((i) => rowsOfViews(keys, [i], images));

/** The training step of a framework. Consumes state and batch. */
export function stepOf(
  parts: Parts,
  core: Core,
): (state: State, batch: ArrayRecord) => [State, ArrayRecord] {
  const { keys: keying, queryViews } = core;
  const images = parts.batchSize;
  return (state, batch) => {
    const { views, learningRate, bodyRate } = batch;
    const memory = state.memory ?? {};
    const queries = rowsOfViews(views, upTo(queryViews), images);
    const keyed = keying && encodeKeys(parts, state, views, keying);
    const behind = { keys: keysByView(keyed?.keys, images), memory, batch };
    const { gradient, statistics, metrics, kept } = gradientAt(
      parts,
      state,
      (parameters, running) => {
        const { embedding, statistics } = project(parts, parameters, running, queries);
        const seen = { ...behind, embedding };
        const [loss, { metrics, ...others }] = contrast(parts, core, seen, state.sampling ?? {});
        return [loss, { statistics, metrics, kept: others }];
      },
    );
    const moved = descend(parts, state, {
      gradient,
      statistics,
      rates: { learningRate, bodyRate },
    });
    const key = keyed === undefined ? {} : { key: keyed.key };
    const remembered = core.remember && { memory: core.remember(behind, kept.kept) };
    return [withSampling({ ...moved, ...key, ...remembered }, kept.sampling), metrics];
  };
}
