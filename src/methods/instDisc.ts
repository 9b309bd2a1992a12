import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { type HostRecord, scalar, zeros } from "../core/arrays.ts";
import { ConfigError } from "../core/errors.ts";
import { LOWEST } from "../core/numerics.ts";
import { randomStream } from "../core/random.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { infoNce, instanceLogNormaliser, instanceNce } from "../losses/index.ts";
import { lookUp, randomBank, updateBank, updateMarks } from "../memory/index.ts";
import { buildChain, type Chain } from "./chain.ts";
import { asSupport, columnMask, differ, featureStd, pairMetrics, unitRows } from "./contrast.ts";
import { type Core, defineFramework } from "./framework.ts";
import { judge, type Judged } from "./judge.ts";
import { marksOf } from "./marks.ts";
import { descend, gradientAt, project, withSampling } from "./model.ts";
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

type Compared = Judged & { logNormaliser?: np.Array };
type Judge = (unit: np.Array, state: State, batch: ArrayRecord) => Compared;

/** Each image against every row: its own is the positive. */
function bySoftmax(parts: Parts, chain: Chain): Judge {
  return (unit, state, batch) => {
    const { rows, groups, labels } = state.memory!;
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
      mixing: { anchors: unit, rows: rows.ref, offset: 0 },
    };
    const pairs = { positive: np.subtract(1, other.ref), negative: other }; // [B, C]
    return judge(parts, chain, contest, pairs, { batch, state: state.sampling ?? {} });
  };
}

/** Each image against its own row and rows drawn at random; those of its group are left out. */
function byNoise(parts: Parts): Judge {
  return (unit, state, batch) => {
    const { rows, groups, logNormaliser } = state.memory!;
    const options = { temperature: parts.temperature, count: rows.shape[0] };
    const [b, k] = batch.noise.shape;
    const drawn = np.concatenate([batch.ids.ref.reshape([b, 1]), batch.noise.ref], 1); // [B, 1 + K]
    const candidates = lookUp(rows.ref, drawn); // [B, 1 + K, E]
    const similarity = unit.reshape([b, 1, -1]).mul(candidates).sum(-1); // [B, 1 + K]
    const estimate = instanceLogNormaliser(lax.stopGradient(similarity.ref), options); // []
    const known = logNormaliser.ref.greater(LOWEST / 2); // []
    const settled = np.where(known, logNormaliser.ref, estimate); // []
    const mine = batch.groups.ref.reshape([b, 1]); // [B, 1]
    const same = mine.ref.equal(lookUp(groups.ref, batch.noise.ref)).astype(np.float32); // [B, K]
    const kept = np.subtract(1, same.mul(mine.greaterEqual(0).astype(np.float32))); // [B, K]
    const pairs = {
      positive: columnMask(b, 1 + k, 0), // [B, 1 + K]
      negative: np.concatenate([np.zeros([b, 1]), kept.ref], 1), // [B, 1 + K]
    };
    const metrics = parts.metrics ? pairMetrics(similarity.ref, pairs) : {};
    const loss = instanceNce(similarity, settled.ref, options, kept).mean(); // []
    return { loss, metrics, logNormaliser: settled, sampling: {} };
  };
}

function instDiscStep(parts: Parts, momentum: number, judgeUnit: Judge): Core["step"] {
  return (state: State, batch: ArrayRecord): [State, ArrayRecord] => {
    const { views, learningRate } = batch;
    const { gradient, statistics, metrics, kept } = gradientAt(
      parts,
      state,
      (parameters, running) => {
        const projected = project(parts, parameters, running, views.ref);
        const unit = unitRows(projected.embedding); // [B, E]
        const fresh = lax.stopGradient(unit.ref); // [B, E]
        const { loss, metrics, sampling, logNormaliser } = judgeUnit(unit, state, batch);
        const spread: ArrayRecord = parts.metrics ? { featureStd: featureStd(fresh.ref) } : {};
        const kept = { ...sampling, fresh, ...(logNormaliser ? { logNormaliser } : {}) };
        return [
          loss,
          { statistics: projected.statistics, metrics: { ...metrics, ...spread }, kept },
        ];
      },
    );
    const { fresh, logNormaliser, ...sampling } = kept as ArrayRecord & {
      logNormaliser?: np.Array;
    };
    const bank = state.memory!;
    const { ids, groups, labels } = marksOf(batch);
    const memory: ArrayRecord = {
      rows: updateBank(bank.rows.ref, ids.ref, fresh, momentum),
      groups: updateMarks(bank.groups.ref, ids.ref, groups),
      labels: updateMarks(bank.labels.ref, ids, labels),
      ...(logNormaliser === undefined ? {} : { logNormaliser }),
    };
    const moved = { ...descend(parts, state, { gradient, statistics, learningRate }), memory };
    return [withSampling(moved, sampling), metrics];
  };
}

/** Refuses what the form "nce" would not look at: it has its own negatives and its own loss. */
function checkNoise({ samplers, chosenLoss, temperature }: Parts): void {
  if (samplers.some(({ name }) => name !== "groups")) {
    throw new ConfigError(
      'instDisc: the form "nce" draws its negatives itself, samplers do not apply',
      'use the form "softmax"',
    );
  }
  const { name, ...options } = chosenLoss;
  const plain = Object.entries(infoNce.options.parse({ temperature }));
  const odd = plain.find(([option, value]) => options[option] !== value)?.[0];
  if (name === "infoNce" && odd === undefined) return;
  const what = name === "infoNce" ? `its option ${odd} is set` : `the loss is ${name}`;
  throw new ConfigError(
    `instDisc: the form "nce" has its own loss and ${what}, expected infoNce with a temperature alone`,
    'use the form "softmax"',
  );
}

function buildInstDisc(parts: Parts, options: InstDiscOptions): Core {
  const { datasetSize, batchSize: images, seed } = parts;
  const nce = options.form === "nce";
  const chain = buildChain(
    nce ? { samplers: [] } : parts,
    { anchors: images, candidates: datasetSize, images, datasetSize },
    parts,
  );
  if (nce) checkNoise(parts);
  const judgeUnit = nce ? byNoise(parts) : bySoftmax(parts, chain);
  return {
    viewCount: 1,
    queryViews: 1,
    chains: [chain],
    ...(nce ? {} : { columns: [{ kind: "bank", count: datasetSize }] }),
    offers: nce ? [] : ["bank"],
    step: instDiscStep(parts, options.momentum, judgeUnit),
    initial: () => ({
      memory: {
        ...randomBank(datasetSize, parts.head.dimension, seed),
        ...(nce ? { logNormaliser: scalar(LOWEST) } : {}), // until the first step
      },
    }),
    ...(nce
      ? {
          extraBatch: { noise: { dtype: "int32", shape: [images, options.noise] } },
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
