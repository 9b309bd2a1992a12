import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { type HostRecord, scalar, zeros } from "../core/arrays.ts";
import { ConfigError } from "../core/errors.ts";
import { LOWEST } from "../core/numerics.ts";
import { randomStream } from "../core/random.ts";
import { Count } from "../core/ranges.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { infoNce, instanceLogNormaliser, instanceNce } from "../losses/index.ts";
import { lookUp, randomBank, updateBank, updateMarks } from "../memory/index.ts";
import { buildChain } from "./pairs/chain.ts";
import { asSupport, columnMask, differ, pairMetrics, unitRows } from "./judge/contrast.ts";
import { type Contests, type Core, defineFramework, type Seen } from "./defineFramework.ts";
import { marksOf } from "./pairs/marks.ts";
import type { Parts } from "./parts.ts";

/** Each image against every row: its own is the positive. */
function againstBank({ embedding, memory, batch }: Seen): Contests {
  const { rows, groups, labels } = memory;
  const unit = unitRows(embedding); // [B, E]
  const [images, count] = [unit.shape[0], rows.shape[0]];
  const similarity = np.matmul(unit.ref, rows.ref.transpose()); // [B, C]
  const anchors = marksOf(batch);
  const all = np.arange(count); // [C]
  const other = differ(anchors.ids.ref, all.ref); // [B, C]
  const contest = {
    similarity,
    support: lax.stopGradient(asSupport(similarity.ref, images)), // [1, B, C]
    ownViews: [],
    ownIds: [],
    anchors,
    candidates: { ids: all, groups: groups.ref, labels: labels.ref },
    pool: count - 1,
    mixing: { anchors: unit.ref, rows: rows.ref, offset: 0 },
  };
  const pairs = { positive: np.subtract(1, other.ref), negative: other }; // [B, C]
  const fresh = lax.stopGradient(unit.ref); // [B, E]
  return { contests: [{ contest, pairs }], unit, kept: { fresh } };
}

/** Each image against its own row and rows drawn at random; those of its group are left out. */
function againstNoise(parts: Parts, { embedding, memory, batch }: Seen): Contests {
  const { rows, groups, logNormaliser } = memory;
  const unit = unitRows(embedding); // [B, E]
  const options = { temperature: parts.temperature, count: rows.shape[0] };
  const [b, k] = batch.noise.shape;
  const drawn = np.concatenate([batch.ids.ref.reshape([b, 1]), batch.noise.ref], 1); // [B, 1 + K]
  const candidates = lookUp(rows.ref, drawn); // [B, 1 + K, E]
  const similarity = unit.ref.reshape([b, 1, -1]).mul(candidates).sum(-1); // [B, 1 + K]
  const estimate = instanceLogNormaliser(lax.stopGradient(similarity.ref), options); // []
  const known = logNormaliser.ref.greater(LOWEST / 2); // []
  const settled = np.where(known, logNormaliser.ref, estimate); // []
  const mine = batch.groups.ref.reshape([b, 1]); // [B, 1]
  const same = mine.ref.equal(lookUp(groups.ref, batch.noise.ref)).astype(np.float32); // [B, K]
  const others = np.subtract(1, same.mul(mine.greaterEqual(0).astype(np.float32))); // [B, K]
  const pairs = {
    positive: columnMask(b, 1 + k, 0), // [B, 1 + K]
    negative: np.concatenate([np.zeros([b, 1]), others.ref], 1), // [B, 1 + K]
  };
  const metrics = parts.metrics ? pairMetrics(similarity.ref, pairs) : {};
  const loss = instanceNce(similarity, settled.ref, options, others).mean(); // []
  const kept = { fresh: lax.stopGradient(unit.ref), logNormaliser: settled };
  return { contests: { loss, metrics, sampling: {} }, unit, kept };
}

/** The bank with the rows of a batch moved, and what else it remembers. */
function remembered(momentum: number): NonNullable<Core["remember"]> {
  return ({ memory: bank, batch }, { fresh, ...others }): ArrayRecord => {
    const { ids, groups, labels } = marksOf(batch);
    return {
      rows: updateBank(bank.rows.ref, ids.ref, fresh, momentum),
      groups: updateMarks(bank.groups.ref, ids.ref, groups),
      labels: updateMarks(bank.labels.ref, ids, labels),
      ...others,
    };
  };
}

/** Refuses what the form "nce" would not look at: it has its own negatives and its own loss. */
function checkNoise({ samplers, chosenLoss, temperature }: Parts): void {
  if (samplers.some(({ entry }) => entry.name !== "groups")) {
    throw new ConfigError(
      'instDisc: the form "nce" draws its negatives itself, samplers do not apply',
      'use the form "softmax"',
    );
  }
  const { entry, options } = chosenLoss;
  const plain = Object.entries(infoNce.options.parse({ temperature }));
  const odd = plain.find(([option, value]) => options[option] !== value)?.[0];
  const { name } = entry;
  if (name === "infoNce" && odd === undefined) return;
  const what = name === "infoNce" ? `its option ${odd} is set` : `the loss is ${name}`;
  throw new ConfigError(
    `instDisc: the form "nce" has its own loss and ${what}, expected infoNce with a temperature alone`,
    'use the form "softmax"',
  );
}

/** Rows for every image of a batch, uniform with replacement over the whole bank. */
function drawNoise(parts: Parts, count: number, step: number): HostRecord {
  const noise = zeros([parts.batchSize, count], "int32");
  const stream = randomStream(parts.seed, "noise", step);
  for (let i = 0; i < noise.data.length; i++) noise.data[i] = stream.integer(parts.datasetSize);
  return { noise };
}

/** What the form "nce" has in place of that of "softmax". */
function byNoise(parts: Parts, noise: number): Partial<Core> {
  checkNoise(parts);
  const { batchSize: images, datasetSize, seed } = parts;
  return {
    offers: [],
    columns: undefined,
    contests: (seen) => againstNoise(parts, seen),
    memory: () => ({
      ...randomBank(datasetSize, parts.head.dimension, seed),
      logNormaliser: scalar(LOWEST), // until the first step
    }),
    extraBatch: { noise: { dtype: "int32", shape: [images, noise] } },
    extra: ({ step }) => drawNoise(parts, noise, step),
    // every row as probable as any other, P = 1 / count
    chanceLoss: () => Math.log(1 + noise) + noise * Math.log(1 + 1 / noise),
  };
}

/** Every image is a class of its own, with its averaged embedding in a bank. */
export const instDisc = defineFramework({
  name: "instDisc",
  summary: "Candidates are a bank with a row for every image of the dataset.",
  source: "Wu et al. 2018, arXiv:1805.01978",
  options: z.strictObject({
    form: z
      .enum(["softmax", "nce"])
      .default("softmax")
      .describe(
        '"softmax" compares with every row of the bank by the chosen loss, "nce" with a few by noise-contrastive estimation',
      ),
    noise: Count.default(1024).describe('rows drawn for each image in the form "nce"'),
    momentum: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("share of an image's row that stays when the image is seen"),
  }),
  withoutPairs: ({ form }) =>
    form === "nce"
      ? {
          why: 'instDisc draws its negatives itself in the form "nce"',
          hint: "train with --set framework.form=softmax to see pairs",
        }
      : undefined,
  build(parts, { form, noise, momentum }) {
    const { datasetSize, batchSize: images, seed } = parts;
    const nce = form === "nce";
    const width = parts.head.dimension;
    const sizes = { anchors: images, candidates: datasetSize, images, datasetSize, width };
    return {
      viewCount: 1,
      queryViews: 1,
      chains: [buildChain(nce ? { samplers: [] } : parts, sizes, parts)],
      columns: [{ kind: "bank", count: datasetSize }],
      offers: ["bank"],
      contests: againstBank,
      memoryRows: datasetSize,
      memory: () => randomBank(datasetSize, parts.head.dimension, seed),
      remember: remembered(momentum),
      chanceLoss: () => Math.log(datasetSize),
      ...(nce ? byNoise(parts, noise) : {}),
    };
  },
});
