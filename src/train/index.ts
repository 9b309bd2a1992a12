export { benchMethods, type BenchMethodsOptions, type MethodCost } from "./benchMethods.ts";
export { benchStep, type BenchStepOptions, type StepRate } from "./benchStep.ts";
export {
  type AutomaticChoice,
  closeConfig,
  type DatasetFacts,
  openConfig,
  viewSize,
  withPreset,
} from "./automatic.ts";
export { readCheckpoint, readPosition, writeCheckpoint } from "./checkpoint.ts";
export {
  type ConfigTree,
  configSchema,
  type Named,
  type RunConfig,
  TrainConfig,
  type TrainSettings,
} from "./config.ts";
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
} from "./inspectRun.ts";
export { readRecordedStep, recordedSteps, type RecordedStep } from "./pairFiles.ts";
export type { AnchorRow, PairRow, TermSaid } from "./pairRows.ts";
export { type Failure, TrainingStopped } from "./failure.ts";
export { configMistakes, omit, overlay, readConfigFile, setAt, valueOf } from "./layers.ts";
export { configHash, differences } from "./decisive.ts";
export { loadPlugins } from "./plugins.ts";
export { metricsLine } from "./metricsLine.ts";
export { type CostEstimate, estimateCost } from "./estimate.ts";
export { type Passes, planRun, type RunPlan } from "./planRun.ts";
export type { Position } from "./position.ts";
export { type Method, type MethodName, methodNames, methods } from "./presets.ts";
export { replay, type Replayed } from "./replay.ts";
export { type AboutRun, readRunConfig, runConfig } from "./runConfig.ts";
export { existingRun, isRun, type RunFolder, runFolder } from "./runFolder.ts";
export { targetOf } from "./stepper.ts";
export { openStart, type Start } from "./start.ts";
export { resume, train, type TrainOptions, type TrainResult } from "./train.ts";
