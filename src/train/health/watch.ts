import type { RunConfig } from "../../config/schema.ts";
import type { BaselineRecord, EvaluationRecord, StepRecord } from "../events.ts";
import type { RunRecord } from "../run/runFiles.ts";
import { diagnose } from "./diagnose.ts";
import type { Diagnosis, HealthRecord } from "./records.ts";
import { addStep } from "./signs.ts";

/** `watch: waiting for data. Steps wait for their views. (waitShare 0.31, expected below 0.02)`. */
export function describeDiagnosis({
  verdict,
  finding,
  sentence,
  evidence,
  change,
}: Diagnosis): string {
  const name = finding === verdict ? "" : `: ${finding}`;
  const facts = evidence.map(
    ({ name: what, value, expected }) => `${what} ${shown(value)}, expected ${expected}`,
  );
  const known = verdict === "healthy" ? "" : ` (${facts.join("; ")})`;
  const todo = change === undefined ? "" : ` Change: ${change}`;
  return `${verdict}${name}. ${sentence}${known}${todo}`;
}

/** A number with as many digits as carry meaning. */
const shown = (value: number): string =>
  Number.isInteger(value) ? String(value) : Number(value.toPrecision(3)).toString();

/**
 * Follows a run while it trains, and says where its verdict changes.
 *
 * @param totalSteps that are planned for the run
 */
export function watchHealth(config: RunConfig, totalSteps: () => number) {
  const steps: StepRecord[] = [];
  const health: HealthRecord[] = [];
  const evaluations: EvaluationRecord[] = [];
  let baselines: BaselineRecord | undefined;
  let said = "healthy";
  return {
    /**
     * Takes a record in. After a look at the run's health the diagnosis, where it was not the last one said; what
     * young runs pass through is not said.
     */
    see(record: RunRecord): Diagnosis | undefined {
      if (record.kind === "step") addStep(steps, record);
      if (record.kind === "evaluation") evaluations.push(record);
      if (record.kind === "baselines") baselines = record;
      if (record.kind !== "health") return undefined;
      health.push(record);
      const course = { config, steps, health, evaluations, baselines, totalSteps: totalSteps() };
      const diagnosis = diagnose(course);
      if (diagnosis.passing === true || diagnosis.finding === said) return undefined;
      said = diagnosis.finding;
      return diagnosis;
    },
  };
}
