export {
  type ActivationMaps,
  type Activations,
  noMaps,
  openActivations,
} from "./activationMaps.ts";
export {
  centreCrop,
  featuresOf,
  type FixedEmbedder,
  headFeaturesOf,
  openFixedEmbedder,
  type Embedder,
  type EmbedderOptions,
  imageRows,
  type ImageSource,
  openFeatures,
  openHeadFeatures,
  type ReadyRows,
  type Rows,
} from "./embedder.ts";
export { encoderRows, inputCut, storedFor } from "./encoderRows.ts";
export {
  adapterFor,
  describeEncoder,
  descriptionOf,
  type EncoderDescription,
  encoderMetadata,
  networkFor,
  type Start,
  type Training,
} from "./description.ts";
export {
  type FileSum,
  checkFinite,
  fileSum,
  OTHER_CHECKPOINT,
  POSITION,
  readSummed,
  readWeights,
  sumOf,
} from "./checkpointFile.ts";
export {
  fillVariables,
  loadEncoder,
  type LoadedEncoder,
  type LoadedHead,
  loadHead,
  onnxAt,
  START,
  weightsPath,
} from "./encoderFile.ts";
export { hashOfWeights } from "./encoderHash.ts";
export { type FeatureFile } from "./featureFile.ts";
export {
  featuresIn,
  fixedEncoder,
  type FixedEncoder,
  keepImages,
  type KeepOptions,
  keepRows,
} from "./keepRows.ts";
export { type OnnxEncoder, openOnnxEncoder } from "./onnxEncoder.ts";
export { graphFile } from "./onnxGraphText.ts";
export { imageInput } from "./imageInput.ts";
export { repositoryAt } from "./repository.ts";
export {
  datasetName,
  type Images,
  openImages,
  type OpenImagesOptions,
  packedIn,
  packedSize,
} from "./openImages.ts";
export { type InputFormat, inputFormat, type StatedInput } from "./format.ts";
export { labelledOnly, labelsIn, largestShare } from "./labels.ts";
export { readGroups, writeGroups } from "./groupsFile.ts";
export { joinGroups } from "./joinGroups.ts";
export { PIXEL_SIDE, pixelFeatures, rawRows } from "./rawPixels.ts";
export { refuseSame } from "./sameImages.ts";
export { type ListedStart, resolveStart, starts } from "./starts.ts";
export { viewPairRows } from "./viewPairRows.ts";
