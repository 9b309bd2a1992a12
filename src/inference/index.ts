export {
  centreCrop,
  type Embedder,
  type EmbedderOptions,
  type ImageSource,
  type InputFormat,
  openEmbedder,
  openFeatures,
  renderInputs,
} from "./embedder.ts";
export {
  describeEncoder,
  descriptionOf,
  type EncoderDescription,
  encoderMetadata,
  fillVariables,
  loadEncoder,
  type LoadedEncoder,
  networkFor,
  weightsPath,
} from "./encoderFile.ts";
