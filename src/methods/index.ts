export type { BatchSpec } from "./batchSpec.ts";
export { buildChain, type Chain, type Named } from "./chain.ts";
export { frameworks } from "./catalogue.ts";
export {
  addToCatalogues,
  catalogues,
  entryOfKind,
  frameworkNamed,
  isOwn,
  type Kind,
  samplerNamed,
} from "./catalogues.ts";
export { type ChosenParts, createFramework, FrameworkConfig } from "./createFramework.ts";
export {
  type ColumnBlock,
  type Contests,
  type Core,
  defineFramework,
  type FrameworkDefinition,
  type FrameworkEntry,
  type Seen,
} from "./defineFramework.ts";
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
export type { RecordedChain, RecordedLink, Recorder } from "./framework.ts";
export { ofChain } from "./recording.ts";
export { loocPairs, loocTerms } from "./loocTerms.ts";
export { qualityMetrics } from "./quality.ts";
export { nearestAnchors, type NearestAnchors } from "./nearestAnchors.ts";
export type { Parts } from "./parts.ts";
