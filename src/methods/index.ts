export { frameworks } from "./catalogue.ts";
export { createFramework, FrameworkConfig } from "./createFramework.ts";
export type {
  BatchSpec,
  Framework,
  FrameworkEntry,
  HostModel,
  HostState,
  LoadedBatch,
  Model,
  State,
} from "./framework.ts";
export { asHostTree, asTree } from "./framework.ts";
