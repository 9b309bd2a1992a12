import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { type HostRecord, scalar, zeros } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import { refPairs } from "../core/pairs.ts";
import { type ArrayRecord, refArrays } from "../core/trees.ts";
import { instanceNce, instanceNormaliser } from "../losses/index.ts";
import { lookUp, randomBank, updateBank, updateGroups } from "../memory/index.ts";
import { differ, featureStd, firstColumn, pairMetrics, unitRows } from "./contrast.ts";
import { type Core, defineFramework } from "./framework.ts";
import { descend, gradientAt, project } from "./model.ts";
import type { Parts } from "./parts.ts";
import type { State } from "./state.ts";

const InstDiscOptions = z.strictObject({
  form: z
    .enum(["softmax", "nce"])
    .default("softmax")
    .describe(
      '"softmax" compares with every row of the bank by the chosen loss, "nce" with a few by noise-contrastive estimation',
    ),
  noise: z.int().positive().default(1024).describe('rows drawn for each image in the form "nce"'),
  momentum: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("share of an image's row that stays when the image is seen"),
});
type InstDiscOptions = z.output<typeof InstDiscOptions>;

type Judge = (
  unit: np.Array,
  bank: ArrayRecord,
  batch: ArrayRecord,
) => { loss: np.Array; metrics: ArrayRecord; normaliser?: np.Array };

/** Each image against every row: its own is the positive, rows of its group are left out. */
function bySoftmax(parts: Parts): Judge {
  return (unit, { rows, groups }, batch) => {
    const count = rows.shape[0];
    const similarity = np.matmul(unit, rows.transpose()); // [B, C]
    const other = differ(batch.ids, np.arange(count)); // [B, C]
    const pairs = {
      positive: np.subtract(1, other.ref), // [B, C]
      negative: other.mul(differ(batch.groups, groups)), // [B, C]
    };
    const metrics = parts.metrics ? pairMetrics(similarity.ref, refPairs(pairs)) : {};
    return { loss: parts.loss(similarity, pairs).mean(), metrics };
  };
}

/** Each image against its own row and rows drawn at random. */
function byNoise(parts: Parts): Judge {
  return (unit, { rows, groups, normaliser }, batch) => {
    groups.dispose();
    const options = { temperature: parts.temperature, count: rows.shape[0] };
    const [b, k] = batch.noise.shape;
    const drawn = np.concatenate([batch.ids.reshape([b, 1]), batch.noise], 1); // [B, 1 + K]
    const candidates = lookUp(rows, drawn); // [B, 1 + K, E]
    const similarity = unit.reshape([b, 1, -1]).mul(candidates).sum(-1); // [B, 1 + K]
    const estimate = instanceNormaliser(lax.stopGradient(similarity.ref), options); // []
    const settled = np.where(normaliser.ref.greater(0), normaliser, estimate); // []
    const pairs = {
      positive: firstColumn(b, 1 + k), // [B, 1 + K]
      negative: np.subtract(1, firstColumn(b, 1 + k)), // [B, 1 + K]
    };
    const metrics = parts.metrics ? pairMetrics(similarity.ref, pairs) : {};
    const loss = instanceNce(similarity, settled.ref, options).mean(); // []
    return { loss, metrics, normaliser: settled };
  };
}

function buildInstDisc(parts: Parts, options: InstDiscOptions): Core {
  const { datasetSize, batchSize, seed } = parts;
  const nce = options.form === "nce";
  const judge = nce ? byNoise(parts) : bySoftmax(parts);
  const step = (state: State, batch: ArrayRecord): [State, ArrayRecord] => {
    const { views, learningRate, ...marks } = batch;
    const bank = state.memory!;
    const { gradient, statistics, metrics } = gradientAt(parts, state, (parameters, running) => {
      const projected = project(parts, parameters, running, views);
      const unit = unitRows(projected.embedding); // [B, E]
      const fresh = lax.stopGradient(unit.ref); // [B, E]
      const judged = judge(unit, refArrays(bank), refArrays(marks));
      const measured: ArrayRecord = {
        ...judged.metrics,
        ...(parts.metrics ? { featureStd: featureStd(fresh.ref) } : {}),
        fresh,
        ...(judged.normaliser ? { normaliser: judged.normaliser } : {}),
      };
      return [judged.loss, { statistics: projected.statistics, metrics: measured }];
    });
    const { fresh, normaliser, ...scalars } = metrics;
    const memory: ArrayRecord = {
      rows: updateBank(bank.rows, marks.ids.ref, fresh, options.momentum),
      groups: updateGroups(bank.groups, marks.ids.ref, marks.groups.ref),
      ...(nce ? { normaliser } : {}),
    };
    return [{ ...descend(parts, state, { gradient, statistics, learningRate }), memory }, scalars];
  };
  return {
    viewCount: 1,
    step,
    initial: () => ({
      memory: {
        ...randomBank(datasetSize, parts.head.dimension, seed),
        ...(nce ? { normaliser: scalar(0) } : {}),
      },
    }),
    ...(nce
      ? {
          extraBatch: { noise: { dtype: "int32", shape: [batchSize, options.noise] } },
          extra: ({ step: at }) => drawNoise(parts, options.noise, at),
        }
      : {}),
    chanceLoss: () => (nce ? chanceOfNoise(options.noise) : Math.log(datasetSize)),
  };
}

/** Rows for every image of a batch, uniform with replacement over the whole bank. */
function drawNoise(parts: Parts, count: number, step: number): HostRecord {
  const noise = zeros([parts.batchSize, count], "int32");
  const stream = randomStream(parts.seed, "noise", step);
  for (let i = 0; i < noise.data.length; i++) noise.data[i] = stream.integer(parts.datasetSize);
  return { noise };
}

/** The loss when every row is as probable as any other, P = 1 / count. */
function chanceOfNoise(noise: number): number {
  return Math.log(1 + noise) + noise * Math.log(1 + 1 / noise);
}

/** Every image is a class of its own, with its averaged embedding in a bank. */
export const instDisc = defineFramework({
  name: "instDisc",
  summary: "Candidates are a bank with a row for every image of the dataset.",
  source: "Wu et al. 2018, arXiv:1805.01978",
  options: InstDiscOptions,
  build: buildInstDisc,
});
