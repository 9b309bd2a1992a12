import { openEventWriter } from "../../files/index.ts";
import { type AppendLog, openAppendLog } from "./appendLog.ts";
import type { BaselineRecord, CropRecord, EvaluationRecord, StepRecord } from "../events.ts";
import type { HealthRecord } from "../health/records.ts";
import type { RunFolder } from "./runFolder.ts";

const METRICS = "metrics.jsonl";

/** A line of metrics.jsonl. */
export type RunRecord = StepRecord | EvaluationRecord | BaselineRecord | CropRecord | HealthRecord;

/** Bytes of what a checkpoint notes of the growing files. */
export type Lengths = { readonly [METRICS]: number };

/** The growing files of a run: metrics.jsonl, train.log and TensorBoard's events. */
export type RunFiles = {
  record(record: RunRecord): void;
  log(line: string): void;
  /** Forces all to the disk; lengths in bytes by name. */
  flush(): Lengths;
  close(): void;
};

/** Figures of a record under TensorBoard's tags. */
function scalarsOf(record: RunRecord): Record<string, number> {
  const parent = record.kind === "step" ? "train" : record.kind;
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, value]) =>
      typeof value === "number" && !["epoch", "step"].includes(name)
        ? [[`${parent}/${name}`, value]]
        : [],
    ),
  );
}

/**
 * Opens the files of a run, cut back to what a checkpoint noted: metrics.jsonl by its length, TensorBoard's
 * events by a mark that hides what an earlier sitting wrote after that step.
 */
export function openRunFiles(
  folder: RunFolder,
  from: { lengths: Lengths; step: number } | undefined,
): RunFiles {
  const events = openEventWriter(folder.path, from?.step);
  const metrics: AppendLog = openAppendLog(folder.metrics, from?.lengths[METRICS] ?? 0);
  const log: AppendLog = openAppendLog(folder.log);
  return {
    record(record) {
      metrics.append(JSON.stringify(record));
      events.scalars(record.step, scalarsOf(record));
    },
    log: (line) => log.append(`${new Date().toISOString()} ${line}`),
    flush: () => ({ [METRICS]: metrics.flush() }),
    close() {
      metrics.close();
      events.close();
      log.close();
    },
  };
}
