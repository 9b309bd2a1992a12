export * from "./atomic.ts";
export * from "./atomicFolder.ts";
export * from "./fileError.ts";
export * from "./jsonLines.ts";
export * from "./safetensors.ts";
export type { SafetensorsHeader, TensorEntry } from "./safetensorsHeader.ts";
