export { compile, type CompileOptions } from "./compile.ts";
export { availableDevices, checkDevice, defaultThreads, type Device } from "./device.ts";
export { primitives } from "./lower.ts";
export type { Program } from "./program.ts";
export type { Spec, SpecTree } from "./spec.ts";
export { startJax, type TracedFunction } from "./trace.ts";
export { type ExportNames, exportOnnx } from "./exportOnnx.ts";
export { type OnnxModel, type OnnxOptions, type OnnxValue, openOnnx } from "./openOnnx.ts";
