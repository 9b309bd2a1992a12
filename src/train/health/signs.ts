import type { StepRecord } from "../events.ts";
import type { Course, HealthRecord } from "./records.ts";

/** Steps that a mean is taken over. */
export const WINDOW = 10;

/** Steps of the start that are looked at. */
export const START = 3 * WINDOW;

/** A course as the checks read it. */
export type Signs = {
  readonly course: Course;
  readonly last: StepRecord;
  readonly probe: HealthRecord | undefined; // the newest
  /** Mean of a figure over the last steps that have it; undefined where none has. */
  readonly mean: (name: string) => number | undefined;
  /** The same over the first steps. */
  readonly early: (name: string) => number | undefined;
  readonly temperature: number | undefined;
  readonly done: number; // share of the run, 0 to 1
};

type Numbers = Readonly<Record<string, unknown>>;

function meanOf(records: readonly Numbers[], name: string): number | undefined {
  const values = records
    .map((record) => record[name])
    .filter((value): value is number => typeof value === "number");
  if (values.length === 0) return undefined;
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Reads a course; undefined where no step is done. */
export function signsOf(course: Course): Signs | undefined {
  const { steps, health, config, totalSteps } = course;
  const last = steps.at(-1);
  if (last === undefined) return undefined;
  const { temperature } = config.loss as { temperature?: unknown };
  return {
    course,
    last,
    probe: health.at(-1),
    mean: (name) => meanOf(steps.slice(-WINDOW), name),
    early: (name) => meanOf(steps.slice(0, WINDOW), name),
    temperature: typeof temperature === "number" ? temperature : undefined,
    done: (last.step + 1) / totalSteps,
  };
}

/** Adds a step to those that a diagnosis reads, which are the first and the last few of a run. */
export function addStep(kept: StepRecord[], record: StepRecord): void {
  kept.push(record);
  if (kept.length > START + WINDOW) kept.splice(START, 1);
}

/** How far positives are ahead of negatives in the mean, as a share of what is left to 1. */
export function leadOf(steps: readonly StepRecord[]): number | undefined {
  const [positive, negative] = ["positiveSimilarity", "negativeSimilarity"].map((name) =>
    meanOf(steps, name),
  );
  if (positive === undefined || negative === undefined) return undefined;
  return (positive - negative) / Math.max(1e-6, 1 - negative);
}

/** How many standard errors the mean of values lies above 0; undefined for fewer than five. */
export function errorsAbove(values: readonly number[]): number | undefined {
  const { length } = values;
  if (length < 5) return undefined;
  const mean = values.reduce((a, b) => a + b, 0) / length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return mean / Math.max(1e-9, Math.sqrt(squares / (length - 1) / length));
}
