export { type Arm, checkFree, fileUnder, foreignParts, makeArms, withArm } from "./arms.ts";
export type {
  ArmMeasure,
  ArmSummary,
  Budget,
  Comparison,
  FailedRun,
  MeasureName,
} from "./comparison.ts";
export { baselinesOf, factsOf } from "./facts.ts";
export {
  appendResult,
  checkCompareFolder,
  compareFolder,
  type CompareFolder,
  type CompareState,
  forgetResults,
  readResults,
  readState,
  writeState,
} from "./folder.ts";
export { parseBudget, parseSeeds, splitList } from "./lists.ts";
export { renderMarkdown } from "./markdown.ts";
export {
  type CompareData,
  fileNames,
  planArm,
  type PlannedArm,
  type PlannedRun,
  planRuns,
  refuseChanged,
  runConfigPath,
  type RunStanding,
  runTree,
  standingOf,
} from "./plan.ts";
export type { Baseline, RunResult } from "./result.ts";
export { type RunFigures, runFigures, speedOf } from "./runFigures.ts";
export { figureMeanings, summarise, type SummaryFacts } from "./summarise.ts";
export { isLabelled, type Table, tablesOf } from "./tables.ts";
