export * from "./core/errors.ts";
export { detectSource, openDataset, packDataset, renderSamples } from "./data/index.ts";
export { compile } from "./engine/index.ts";
export {
  embedImages,
  evaluate,
  exportEncoder,
  nearestImages,
  openImageEncoder,
} from "./evaluate/index.ts";
export { loadEncoder, openImages } from "./inference/index.ts";
export { addToCatalogues, createFramework } from "./frameworks/index.ts";
export { renderReport } from "./report/index.ts";
export {
  resume,
  type RunConfig,
  train,
  type TrainResult,
  type TrainSettings,
} from "./train/index.ts";
export { VERSION } from "./core/version.ts";
