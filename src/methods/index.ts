export type { BatchSpec } from "./batchSpec.ts";
export type { Named } from "./chain.ts";
export { frameworks } from "./catalogue.ts";
export { addToCatalogues, catalogues, entryOfKind, isOwn, type Kind } from "./catalogues.ts";
export { type ChosenParts, createFramework, FrameworkConfig } from "./createFramework.ts";
export { defineFramework, type FrameworkEntry } from "./defineFramework.ts";
export type { Framework, LoadedBatch, StepAt } from "./framework.ts";
export {
  type CachedPrograms,
  cachedExamples,
  embedCached,
  type CachedRunners,
  microBatch,
  runCached,
} from "./gradientCache.ts";
export {
  asHostTree,
  asTree,
  type HostModel,
  type HostState,
  type Model,
  type State,
} from "./state.ts";
export type { ColumnBlock } from "./defineFramework.ts";
export type { RecordedChain, RecordedLink, Recorder } from "./framework.ts";
export { ofChain } from "./recording.ts";
export { loocPairs, loocTerms } from "./loocTerms.ts";
export { qualityMetrics } from "./quality.ts";
export { nearestAnchors, type NearestAnchors } from "./nearestAnchors.ts";
