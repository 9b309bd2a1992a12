export { type EmbeddedImages, embedImages, type EmbedOptions } from "./embedImages.ts";
export {
  encoderHash,
  type ImageEncoder,
  type ImageEncoderOptions,
  openImageEncoder,
} from "./imageEncoder.ts";
export { type FeaturesKind, openEncoder, type OpenEncoder } from "./embedSet.ts";
export { evaluate, evaluateModel, type Evaluation } from "./evaluate.ts";
export { missingStart } from "./keptSight.ts";
export type { EvaluateOptions } from "./plan.ts";
export { exportEncoder, type Exported } from "./exportEncoder.ts";
export { exportHubFolder, type HubFolder } from "./hubFolder.ts";
export { type Accuracies, type Spread } from "./measure.ts";
export { nearestImages, type NearestImages } from "./nearestImages.ts";
