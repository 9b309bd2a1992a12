export { benchMethods, type BenchMethodsOptions, type MethodCost } from "./bench/benchMethods.ts";
export { benchStep, type BenchStepOptions, type StepRate } from "./bench/benchStep.ts";
export {
  type AutomaticChoice,
  closeConfig,
  type DatasetFacts,
  openConfig,
  viewSize,
  withPreset,
} from "../config/automatic.ts";
export { readCheckpoint, readPosition, writeCheckpoint } from "./run/checkpoint.ts";
export {
  type ConfigTree,
  type Named,
  type RunConfig,
  TrainConfig,
  type TrainSettings,
} from "../config/schema.ts";
export {
  configSchema,
  type Entry,
  type JsonSchema,
  listSettings,
  type Setting,
} from "../config/settings.ts";
export { openTrainingData, type TrainingData } from "./dataset.ts";
export {
  type BaselineRecord,
  type CropRecord,
  type EvaluationRecord,
  type StepRecord,
  timeFields,
  type TrainEvent,
  type TrainListener,
} from "./events.ts";
export { type Meeting, meetStart } from "./kept/meetStart.ts";
export { closeKept, openKept } from "./kept/openKept.ts";
export { examineRun } from "./health/doctor.ts";
export { diagnose, findingNames } from "./health/diagnose.ts";
export type { Course, Diagnosis, Evidence, HealthRecord, Verdict } from "./health/records.ts";
export { describeDiagnosis } from "./health/watch.ts";
export {
  type InspectedAnchor,
  type InspectedImage,
  type InspectedPair,
  type InspectedStep,
  type InspectQuery,
  inspectRun,
  type ReasonCount,
} from "./pairs/inspectRun.ts";
export { readRecordedStep, recordedSteps, type RecordedStep } from "./pairs/pairFiles.ts";
export type { AnchorRow, PairRow, TermSaid } from "./pairs/pairRows.ts";
export { type Failure, TrainingStopped } from "./failure.ts";
export { configMistakes, omit, overlay, readConfigFile, setAt, valueOf } from "../config/layers.ts";
export { configHash, differences } from "../config/decisive.ts";
export { loadPlugins } from "../config/plugins.ts";
export { metricsLine } from "./run/metricsLine.ts";
export { type CostEstimate, estimateCost } from "./bench/estimate.ts";
export { type Passes, planRun, type RunPlan } from "./planRun.ts";
export type { Position } from "./run/position.ts";
export { type Method, type MethodName, methodNames, methods } from "../config/methods.ts";
export { replay, type Replayed } from "./replay.ts";
export { type AboutRun, readRunConfig, runConfig } from "./run/runConfig.ts";
export { existingRun, isRun, type RunFolder, runFolder } from "./run/runFolder.ts";
export { targetOf } from "./stepper.ts";
export { isBodyFrozen } from "../config/checkStart.ts";
export { openStart, type Start } from "../config/start.ts";
export { resume, train, type TrainOptions, type TrainResult } from "./train.ts";
export { followTraining } from "./ranks/followTraining.ts";
