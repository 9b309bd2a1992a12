import { z } from "zod";

import type { RunRecord } from "./runFiles.ts";

const count = z.int().min(0);
const place = { epoch: count, step: count, elapsedSeconds: z.number() };
const figures = (...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, z.number().exactOptional()]));

const step = z.looseObject({
  kind: z.literal("step"),
  ...place,
  loss: z.number(),
  chanceLoss: z.number(),
  learningRate: z.number(),
  ...figures("positiveSimilarity", "negativeSimilarity", "accuracy", "featureStd"),
  ...figures("gradientNorm", "imagesPerSecond", "waitShare", "memoryMiB"),
});

const asked = { knnAsked: z.enum(["test", "training"]).exactOptional() };

const evaluation = z.looseObject({
  kind: z.literal("evaluation"),
  ...place,
  ...asked,
  ...figures("knnAccuracy", "knnBalanced", "knnWithoutCopies", "knnK", "knnTemperature"),
  ...figures("knnChance", "knnClasses", "knnImages", "knnAmong"),
  ...figures("viewAgreement", "viewImages", "uniformity", "effectiveRank"),
});

const baselines = z.looseObject({
  kind: z.literal("baselines"),
  ...place,
  ...asked,
  ...figures("knnPixels", "knnStart", "balancedPixels", "balancedStart"),
  ...figures("knnChance", "knnImages", "knnAmong", "copies"),
  ...figures("knnPixelsWithoutCopies", "knnStartWithoutCopies"),
  ...figures("agreementPixels", "agreementStart", "viewImages"),
});

const health = z.looseObject({
  kind: z.literal("health"),
  ...place,
  ...figures("viewMean", "viewStd", "viewDifference", "updateRatio", "weightNorm"),
  ...figures("companionShift", "companionAlignment", "queueTurnover", "duplicateShare"),
});

const known = ["step", "evaluation", "baselines", "health"];
const other = z.looseObject({ ...place, kind: z.string().refine((kind) => !known.includes(kind)) });

/** A figure that was no finite number is null in JSON: it is left out. */
const withoutNulls = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
    : value;

/** The structure of a line of metrics.jsonl, as far as its readers go by it. */
export const metricsLine = z.preprocess(
  withoutNulls,
  z.union([step, evaluation, baselines, health, other]),
) as z.ZodType<RunRecord>;
