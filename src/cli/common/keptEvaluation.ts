import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { z } from "zod";

import { DataError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import type { SplitChoice } from "../../data/index.ts";
import { encoderHash, type Evaluation } from "../../evaluate/index.ts";
import { writeFileAtomic } from "../../files/index.ts";
import type { LoadedEncoder } from "../../inference/index.ts";
import { omit, type RunFolder } from "../../train/index.ts";
import type { Printer } from "../printer.ts";

/** Images of an evaluation and of the report that makes one. */
export type EvaluationSources = {
  train?: string | undefined;
  test?: string | undefined;
  split?: SplitChoice | undefined;
};

/** An evaluation as it is kept in a run: without labels accuracies are null. */
type Written = Omit<Evaluation, "knn" | "linear"> &
  EvaluationSources & { knn: Evaluation["knn"] | null; linear: Evaluation["linear"] | null };

/** Writes a file of a run; where that cannot be, as in a read-only place, says so and goes on. */
export async function keepFile(path: string, text: string, printer: Printer): Promise<void> {
  try {
    await writeFileAtomic(path, `${text}\n`);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    printer.note(`not kept   ${error.message}`);
  }
}

/** Keeps an evaluation in its run, and where its images were. */
export async function keepEvaluation(
  folder: RunFolder,
  evaluation: Evaluation,
  { train, test, split }: EvaluationSources,
  printer: Printer,
): Promise<void> {
  const { knn = null, linear = null } = evaluation;
  const sources = { train: train && resolve(train), test: test && resolve(test), split };
  const kept = { run: folder.path, ...evaluation, knn, linear, ...sources };
  await keepFile(folder.evaluation, JSON.stringify(kept, null, 2), printer);
}

const accuracy = z.looseObject({
  accuracy: z.number(),
  balanced: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  withoutCopies: z.number().nullish(),
});
const vote = accuracy.extend({ k: z.number(), temperature: z.number() });
const accuracies = {
  knn: vote.nullish(),
  linear: accuracy.nullish(),
  knnStandardised: accuracy.optional(),
};
const spread = { uniformity: z.number(), effectiveRank: z.number(), dimension: z.number() };

/** The structure of an evaluation that is kept, as far as its readers go by it. */
const written = z.looseObject({
  ...accuracies,
  ...spread,
  alignment: z.number(),
  features: z.enum(["features", "head"]),
  encoder: z.string(),
  encoderHash: z.string(),
  classes: z.array(z.string()),
  images: z.looseObject({
    train: z.number(),
    test: z.number(),
    how: z.string(),
    copies: z.number().nullable(),
  }),
  baselines: z.looseObject({
    chance: z.number().nullable(),
    start: z.looseObject({ ...accuracies, ...spread, alignment: z.number() }).optional(),
    untrained: z.looseObject({ ...accuracies, ...spread, alignment: z.number() }).optional(),
    pixels: z.looseObject({ ...accuracies, ...spread }).optional(),
  }),
  train: z.string().optional(),
  test: z.string().optional(),
}) as z.ZodType<Written>;

/** The evaluation that was kept in a run; undefined where there is none, or none that can be read. */
export function keptEvaluation(folder: RunFolder): (Evaluation & EvaluationSources) | undefined {
  let kept: Written | undefined;
  try {
    kept = written.safeParse(parseJson(readFileSync(folder.evaluation, "utf8"))).data;
  } catch {
    return undefined;
  }
  if (kept === undefined) return undefined;
  const { knn, linear } = kept;
  return { ...omit(kept, "knn", "linear"), ...(knn && { knn }), ...(linear && { linear }) };
}

/** Whether an evaluation is what a report shows: of these very weights, before the head, beside baselines. */
export async function isReportable(
  { encoderHash: measured, baselines }: Evaluation,
  loaded: LoadedEncoder,
): Promise<boolean> {
  const same = measured === (await encoderHash(loaded, "features"));
  return same && (baselines.start ?? baselines.untrained) !== undefined;
}
