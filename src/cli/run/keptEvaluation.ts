import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { DataError } from "../../core/errors.ts";
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

/** The evaluation that was kept in a run; undefined where there is none, or none that can be read. */
export function keptEvaluation(folder: RunFolder): (Evaluation & EvaluationSources) | undefined {
  let kept: Written | null;
  try {
    kept = JSON.parse(readFileSync(folder.evaluation, "utf8")) as Written | null;
  } catch {
    return undefined;
  }
  if (typeof kept !== "object" || kept === null) return undefined;
  const { knn, linear } = kept;
  return { ...omit(kept, "knn", "linear"), ...(knn && { knn }), ...(linear && { linear }) };
}

/** Whether an evaluation is what a report shows: of these very weights, before the head, beside baselines. */
export async function isReportable(
  { encoderHash: measured, baselines }: Evaluation,
  loaded: LoadedEncoder,
): Promise<boolean> {
  const same = measured === (await encoderHash(loaded, "features"));
  return same && baselines.untrained !== undefined;
}
