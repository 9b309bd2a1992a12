export { compile, type CompileOptions, resultSpecs } from "./compile.ts";
export { availableDevices, checkDevice, defaultThreads, type Device } from "./device.ts";
export { primitives } from "./lower/lower.ts";
export type { Program } from "./program.ts";
export type { Spec, SpecTree } from "./spec.ts";
export { startJax, type TracedFunction } from "./trace.ts";
export { type ExportNames, exportOnnx } from "./exportOnnx.ts";
export { type OnnxModel, type OnnxOptions, openOnnx } from "./openOnnx.ts";
export {
  filledModel,
  type OnnxBody,
  type OnnxGraph,
  onnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  type ReadBeside,
  strippedModel,
  wholeModel,
} from "./onnxGraph.ts";
