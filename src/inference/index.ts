export {
  type ActivationMaps,
  type Activations,
  noMaps,
  openActivations,
} from "./activationMaps.ts";
export {
  centreCrop,
  type Embedder,
  type EmbedderOptions,
  imageRows,
  type ImageSource,
  type InputFormat,
  openFeatures,
  openHeadFeatures,
  type Rows,
} from "./embedder.ts";
export {
  describeEncoder,
  descriptionOf,
  type EncoderDescription,
  encoderMetadata,
  fillVariables,
  loadEncoder,
  type LoadedEncoder,
  type LoadedHead,
  loadHead,
  networkFor,
  type Training,
  weightsPath,
} from "./encoderFile.ts";
export { type OnnxEncoder, openOnnxEncoder, type StatedInput } from "./onnxEncoder.ts";
export {
  datasetName,
  type Images,
  openImages,
  type OpenImagesOptions,
  packedIn,
  packedSize,
} from "./openImages.ts";
export { labelledOnly, labelsIn, largestShare } from "./labels.ts";
export { readGroups, writeGroups } from "./groupsFile.ts";
export { joinGroups } from "./joinGroups.ts";
export { PIXEL_SIDE, pixelFeatures, rawRows } from "./rawPixels.ts";
export { refuseSame } from "./sameImages.ts";
export { viewPairRows } from "./viewPairRows.ts";
