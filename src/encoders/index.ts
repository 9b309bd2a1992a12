import { type Adapter, adapters } from "./adapters.ts";
import { convnet } from "./convnet.ts";
import { convnext } from "./convnext.ts";
import { linear, mlp, none } from "./heads.ts";
import { mobilenet } from "./mobilenet.ts";
import { resnet, resnet18, resnet34, resnet50 } from "./resnet.ts";
import { vit, vitSmall, vitTiny } from "./vit.ts";

export { type Adapter, adapters };
export { defineHead, type Head } from "./heads.ts";
export type { Initial, InitialSpec } from "./initial.ts";
export { combine, type Layer, plain, type Scope, sequence, skip } from "./layer.ts";
export * as layers from "./layers.ts";
export { loadVariables, type LoadReport } from "./loadVariables.ts";
export type { Facts, NamedEncoder } from "./named/family.ts";
export { type Origin, underMakersNames } from "./named/makersNames.ts";
export { recognise, type Recognised, variablesFrom } from "./named/recognise.ts";
export { blocksOf, frozenNames } from "./partly/blocks.ts";
export { partlyTrained, type Trained } from "./partly/partlyTrained.ts";
export { stacked } from "./network.ts";
export type {
  Applied,
  Encoder,
  EncoderContext,
  HostVariables,
  Network,
  Variables,
} from "./network.ts";
export { defineEncoder, encoderOf } from "./network.ts";
export { onnxOperators, type TrainableGraph, trainableGraph } from "./onnx/graph.ts";
export { onnxFeatures, type OnnxLayout, onnxNetwork, onnxVariables } from "./onnx/onnxNetwork.ts";
export { Normalisation, normalisation } from "./normalisation.ts";
export {
  convnet,
  convnext,
  mobilenet,
  linear,
  mlp,
  none,
  resnet,
  resnet18,
  resnet34,
  resnet50,
  vit,
  vitSmall,
  vitTiny,
};

/** Every encoder, by the name used in configs, on the command line and in the docs. */
export const encoders = {
  resnet,
  resnet18,
  resnet34,
  resnet50,
  convnet,
  convnext,
  mobilenet,
  vit,
  vitTiny,
  vitSmall,
};

/** Every head, by name. */
export const heads = { linear, mlp, none };
