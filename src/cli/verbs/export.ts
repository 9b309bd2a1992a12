import type { Verb } from "../verb.ts";

/** Exports an encoder. */
export const exportVerb: Verb = {
  name: "export",
  summary: "Write an encoder as ONNX and safetensors, with the code that loads them",
  words: [{ name: "<run>", describe: "a run, a checkpoint or a weights.safetensors file" }],
  options: [
    { flags: "--out <folder>", describe: "folder to make (exported)" },
    { flags: "--batch <images>", describe: "write for batches of one size instead of any" },
    { flags: "--features <kind>", describe: "features before the head, or head (features)" },
    { flags: "--overwrite", describe: "replace the files" },
  ],
  examples: ["export runs/photos --out photos-encoder"],
  load: async () => (await import("../run/export.ts")).runExport,
};
