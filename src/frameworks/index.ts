export type { BatchSpec } from "./pairs/batchSpec.ts";
export { buildChain, type Chain } from "./pairs/chain.ts";
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
export { createFramework, type FrameworkConfig } from "./createFramework.ts";
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
export type { CachedPrograms, Embedded } from "./model/gradientCache.ts";
export {
  cachedExamples,
  type CachedName,
  type CachedRunners,
  embedCached,
  type EmbeddedBatch,
  finishCached,
  microBatchesOf,
  recycleCached,
  rowsOf,
  type Sharing,
} from "./model/runCached.ts";
export {
  asHostState,
  asHostTree,
  asTree,
  type HostModel,
  type HostState,
  type Model,
  type State,
} from "./model/state.ts";
export type { RecordedChain, RecordedLink, Recorder } from "./framework.ts";
export { ofChain } from "./judge/recording.ts";
export { loocPairs, loocTerms } from "./pairs/loocTerms.ts";
export { qualityMetrics } from "./judge/quality.ts";
export { nearestAnchors, type NearestAnchors } from "./pairs/nearestAnchors.ts";
export type { Parts } from "./parts.ts";
export { type ChosenParts, commonSettings } from "./settings.ts";
