export { adapters } from "./adapters.ts";
export { type ConformanceCase, FORMAT, parseCases, readCases } from "./caseFile.ts";
export { type CaseResult, checkCases, type CheckOptions } from "./checkCases.ts";
export { type Comparison, compareOutputs, type Tolerance } from "./compareOutputs.ts";
export { ownCases, ownCasesPath } from "./ownCases.ts";
export { checkStarts, START_TOLERANCE, type StartResult, type StartWay } from "./startCases.ts";
