import type { Evaluation, Measured, Measures } from "../reportData.ts";

/** What was measured: the run, then what learned nothing. */
export const subjects = [
  { key: "trained", name: "this run" },
  { key: "start", name: "start, not adapted" },
  { key: "pixels", name: "raw pixels" },
  { key: "untrained", name: "untrained encoder" },
  { key: "chance", name: "chance" },
] as const;

export type SubjectKey = (typeof subjects)[number]["key"];

/** A number of one subject, if it was measured. */
export function measuredOf(
  evaluation: Evaluation,
  subject: SubjectKey,
  measure: keyof Measures,
): Measured | undefined {
  const measures = subject === "trained" ? evaluation.trained : evaluation.baselines?.[subject];
  const measured = measures?.[measure];
  return measured && Number.isFinite(measured.value) ? measured : undefined;
}
