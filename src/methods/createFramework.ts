import { z } from "zod";

import { type DataOf, hostArray, type HostRecord, scalar } from "../core/arrays.ts";
import { choiceFrom } from "../core/catalogue.ts";
import { ConfigError } from "../core/errors.ts";
import { parseOptions } from "../core/options.ts";
import { encoders, heads, type Head, type Network, type Encoder } from "../encoders/index.ts";
import { losses, type Loss } from "../losses/index.ts";
import { optimisers, type OptimiserEntry } from "../optim/index.ts";
import { unitRows } from "./contrast.ts";
import { frameworks } from "./catalogue.ts";
import { copyModel } from "./copyModel.ts";
import { cachedPrograms } from "./gradientCache.ts";
import type { BatchSpec, Core, Framework, FrameworkEntry } from "./framework.ts";
import type { Parts } from "./parts.ts";
import type { HostModel, HostState } from "./state.ts";

/** What a framework is made of. Every choice is a name or a name with options. */
export const FrameworkConfig = z.strictObject({
  framework: choiceFrom(frameworks, "simclr").describe("where candidates come from"),
  encoder: choiceFrom(encoders, "resnet18").describe("images to features"),
  head: choiceFrom(heads, "mlp").describe("features to the embedding that the loss sees"),
  loss: choiceFrom(losses, "infoNce").describe("what is minimised"),
  optimiser: choiceFrom(optimisers, "sgd").describe("how parameters follow the gradient"),
  averaging: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("decay of an average of the weights, updated each step; 0 keeps none"),
  batchSize: z.int().min(1).describe("images of a step, each in several views"),
  imageSize: z.int().min(1).describe("side of a view in pixels"),
  datasetSize: z.int().min(1).describe("images of the dataset"),
  seed: z.int().nonnegative().default(0).describe("seed of the first weights and of every draw"),
  metrics: z.boolean().default(true).describe("measure similarities and norms in every step"),
});
/** A name from a catalogue, or options with or without a name. */
export type Chosen = string | { name?: string; [option: string]: unknown };

/** Config as callers write it; what is left out has the defaults of the schema of the same name. */
export type FrameworkConfig = {
  framework?: Chosen;
  encoder?: Chosen;
  head?: Chosen;
  loss?: Chosen;
  optimiser?: Chosen;
  averaging?: number;
  batchSize: number;
  imageSize: number;
  datasetSize: number;
  seed?: number;
  metrics?: boolean;
};

type Named = { name: string; [option: string]: unknown };

/** The name of a choice and its options. */
function opened(choice: unknown): [string, Record<string, unknown>] {
  const { name, ...options } = choice as Named;
  return [name, options];
}

function buildParts(config: z.output<typeof FrameworkConfig>, entry: FrameworkEntry): Parts {
  const { batchSize, imageSize, datasetSize, seed, metrics, averaging } = config;
  const [encoderName, encoderOptions] = opened(config.encoder);
  const [headName, headOptions] = opened(config.head);
  const [lossName, lossOptions] = opened(config.loss);
  const [optimiserName, optimiserOptions] = opened(config.optimiser);
  const splits = entry.splits?.(opened(config.framework)[1], batchSize) ?? 1;
  if (splits > 1 && encoderOptions.normalisation === "batch") {
    encoderOptions.normalisation = { splitBatch: splits };
  }
  if (splits > 1 && headOptions.batchNorm === true) headOptions.batchNorm = { splitBatch: splits };
  const encoder: Network = (encoders as unknown as Record<string, Encoder>)[encoderName](
    encoderOptions,
    { imageSize },
  );
  const head = (heads as unknown as Record<string, Head>)[headName](encoder.dimension, headOptions);
  const loss = (losses as unknown as Record<string, Loss>)[lossName];
  const optimiser = (optimisers as unknown as Record<string, OptimiserEntry>)[optimiserName](
    { ...encoder.parameters, ...head.parameters },
    optimiserOptions,
  );
  return {
    encoder,
    head,
    loss: (similarity, pairs) => loss(similarity, pairs, lossOptions),
    temperature: typeof lossOptions.temperature === "number" ? lossOptions.temperature : 1,
    optimiser,
    ...{ batchSize, imageSize, datasetSize, seed, metrics, averaging },
  };
}

function initialState(parts: Parts, core: Core): HostState {
  const model: HostModel = {
    encoder: parts.encoder.init(parts.seed),
    head: parts.head.init(parts.seed),
  };
  const average = parts.averaging > 0 ? { average: copyModel(model) } : {};
  return { ...model, optimiser: parts.optimiser.init(), ...average, ...core.initial?.(model) };
}

function batchSpecOf(parts: Parts, core: Core): BatchSpec {
  const { batchSize, imageSize } = parts;
  return {
    views: { dtype: "float32", shape: [core.viewCount * batchSize, 3, imageSize, imageSize] },
    ids: { dtype: "int32", shape: [batchSize] },
    groups: { dtype: "int32", shape: [batchSize] },
    learningRate: { dtype: "float32", shape: [] },
    ...core.extraBatch,
  };
}

/** Builds encoder, head, loss, optimiser and framework of a config. Throws `ConfigError` on mistakes. */
export function createFramework(config: FrameworkConfig): Framework {
  const parsed = parseOptions("framework", FrameworkConfig, config);
  const [name, options] = opened(parsed.framework);
  const entry = (frameworks as unknown as Record<string, FrameworkEntry>)[name];
  if (parsed.batchSize > parsed.datasetSize) {
    throw new ConfigError(
      `batchSize is ${parsed.batchSize}, expected at most the ${parsed.datasetSize} images of the dataset`,
    );
  }
  const parts = buildParts(parsed, entry);
  const core = entry.build(parts, options);
  const spec = batchSpecOf(parts, core);
  const { contrast } = core;
  const [rows] = spec.views.shape;
  return {
    name,
    encoder: parts.encoder,
    head: parts.head,
    viewCount: core.viewCount,
    batchSpec: spec,
    init: () => initialState(parts, core),
    step: core.step,
    batch: ({ views, ids, groups }, { learningRate, step }): HostRecord => ({
      views: hostArray("float32", spec.views.shape, views as DataOf<"float32">),
      ids: hostArray("int32", spec.ids.shape, ids as DataOf<"int32">),
      groups: hostArray("int32", spec.groups.shape, groups as DataOf<"int32">),
      learningRate: scalar(learningRate),
      ...core.extra?.({ step }),
    }),
    embed: (encoder, images) => parts.encoder.apply(encoder, images, { training: false }).features,
    embedHead: ({ encoder, head }, images) => {
      const { features } = parts.encoder.apply(encoder, images, { training: false });
      return unitRows(parts.head.apply(head, features, { training: false }).features);
    },
    chanceLoss: core.chanceLoss,
    ...(contrast ? { cached: (count) => cachedPrograms(parts, contrast, rows, count) } : {}),
  };
}
