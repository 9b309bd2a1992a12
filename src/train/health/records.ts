import type { RunConfig } from "../../config/schema.ts";
import type { BaselineRecord, EvaluationRecord, StepRecord } from "../events.ts";

/** What is looked at now and then beside the figures of a step. */
export type HealthRecord = {
  kind: "health";
  epoch: number; // from 0
  step: number; // from 0
  viewMean: number; // of the values that the encoder sees; near 0 where normalised
  viewStd: number; // of them; near 1
  viewDifference?: number; // of two views of an image, over that of two images; 0: they are the same
  updateRatio: number; // length of the weights' change in this step over their length
  weightNorm: number; // length of all weights
  /**
   * Where batch statistics are of parts of a batch: how far an image's embedding moves with the images beside it, over
   * what embeddings differ, and whether its two views move alike (cosine; 0 where they do not).
   */
  companionShift?: number;
  companionAlignment?: number;
  queueTurnover?: number; // share of the queue's rows that this step changed
  duplicateShare: number; // of the images that look like another one of the set
  elapsedSeconds: number;
};

/** What a diagnosis goes by: records of one run in their order, from its start. */
export type Course = {
  readonly config: Pick<RunConfig, "framework" | "loss" | "method" | "batchSize" | "samplers"> &
    Partial<Pick<RunConfig, "mixer" | "groups" | "from" | "adapter">>;
  readonly steps: readonly StepRecord[];
  readonly health: readonly HealthRecord[];
  readonly evaluations: readonly EvaluationRecord[];
  readonly baselines?: BaselineRecord | undefined;
  readonly totalSteps: number;
};

/** Sound, worth an eye, or not going to work. */
export type Verdict = "healthy" | "watch" | "broken";

/** A measured figure beside what is expected of it. */
export type Evidence = { name: string; value: number; expected: string };

/** What is wrong with a run, or that nothing is. */
export type Diagnosis = {
  verdict: Verdict;
  /** The name of what was found; "healthy" for nothing. */
  finding: string;
  sentence: string;
  evidence: Evidence[];
  /** One thing to change; nothing where nothing is wrong. */
  change?: string;
  /** Whether a sound run may be so while it is young. */
  passing?: boolean;
};
