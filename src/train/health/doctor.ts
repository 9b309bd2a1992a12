import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { readJsonLines } from "../../files/index.ts";
import { readPosition } from "../run/checkpoint.ts";
import { readFailure } from "../failure.ts";
import { metricsLine } from "../run/metricsLine.ts";
import { readRunConfig } from "../run/runConfig.ts";
import type { RunRecord } from "../run/runFiles.ts";
import { existingRun, type RunFolder } from "../run/runFolder.ts";
import { diagnose } from "./diagnose.ts";
import { startHint } from "../startHint.ts";
import type { Diagnosis } from "./records.ts";

/** A run that stopped at a number that is not finite, after `done` steps; undefined where it came past that step. */
function stopped(path: string, done: number, upTo: number): Diagnosis | undefined {
  if (!existsSync(path)) return undefined;
  const { step, notFinite } = readFailure(path);
  if (step > upTo || step < done) return undefined;
  return {
    verdict: "broken",
    finding: "not finite",
    sentence: `Training stopped at step ${step}: ${notFinite.join(", ")} became no number.`,
    evidence: [],
    change: `a lower learning rate; contrapose train --replay ${path} repeats the step`,
  };
}

/** Steps that the last checkpoint has done where the records up to `upTo` end before them, else undefined. */
function stepsBeyond(folder: RunFolder, recorded: number, upTo: number): number | undefined {
  const last = join(folder.checkpoints, "last");
  if (!existsSync(join(last, "position.json"))) return undefined;
  const { step, lengths } = readPosition(last);
  const cut = upTo >= step && statSync(folder.metrics).size < lengths["metrics.jsonl"];
  return cut || recorded < Math.min(step, upTo + 1) ? step : undefined;
}

/** A diagnosis that says that it goes by a part of the records only; what is not broken may be so for all that is known. */
function ofPart(diagnosis: Diagnosis, recorded: number, done: number): Diagnosis {
  const rest = recorded < done ? "" : ", and not all that was measured";
  const what = `metrics.jsonl is cut short: it has ${recorded} of the ${done} steps that the last checkpoint has done${rest}`;
  if (diagnosis.verdict === "broken") {
    return { ...diagnosis, sentence: `${diagnosis.sentence} And ${what}.` };
  }
  const { finding, sentence, evidence } = diagnosis;
  const far = finding === "healthy" ? "Up to there nothing is wrong." : `Up to there: ${sentence}`;
  return {
    verdict: "watch",
    finding: "records cut short",
    sentence: `${what}, so how the run ended is not known. ${far}`,
    evidence,
    change: "put the whole metrics.jsonl back, or judge the encoder by contrapose evaluate",
  };
}

/** Diagnoses a run from what it wrote, to the end or up to a step. */
export async function examineRun(
  path: string,
  options: { upTo?: number | undefined } = {},
): Promise<Diagnosis & { steps: number; totalSteps: number; hint?: string }> {
  const folder = existingRun(path);
  const { about, ...config } = readRunConfig(folder);
  if (!existsSync(folder.metrics)) {
    throw new DataError(`doctor: ${quoted(path)} has no metrics.jsonl, nothing was trained`);
  }
  const upTo = options.upTo ?? Infinity;
  const all = await readJsonLines(folder.metrics, metricsLine);
  const lines = all.filter(({ step }) => step <= upTo);
  const of = <K extends RunRecord["kind"]>(kind: K) =>
    lines.filter((line): line is Extract<RunRecord, { kind: K }> => line.kind === kind);
  const steps = of("step");
  const perEpoch = Math.max(1, Math.floor(about.dataset.images / config.batchSize));
  const totalSteps = Math.max(config.epochs * perEpoch, steps.length);
  const [health, evaluations, baselines] = [of("health"), of("evaluation"), of("baselines").at(-1)];
  const found = diagnose({ config, steps, health, evaluations, baselines, totalSteps });
  const failed = stopped(folder.failure, steps.length, upTo);
  const diagnosis = found.verdict === "broken" ? found : (failed ?? found);
  const beyond = stepsBeyond(folder, steps.length, upTo);
  const said = beyond === undefined ? diagnosis : ofPart(diagnosis, steps.length, beyond);
  const hint =
    (config.init ?? config.from) === undefined ? startHint(about.dataset.shortSide) : undefined;
  return { ...said, steps: steps.length, totalSteps, ...(hint !== undefined && { hint }) };
}
