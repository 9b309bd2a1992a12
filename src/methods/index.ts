export { frameworks } from "./catalogue.ts";
export { type Chosen, createFramework, FrameworkConfig } from "./createFramework.ts";
export type { BatchSpec, Framework, FrameworkEntry, LoadedBatch } from "./framework.ts";
export {
  type CachedPrograms,
  cachedExamples,
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
