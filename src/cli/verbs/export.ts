import type { Verb } from "../verb.ts";
import { fromOption, statedOptions } from "./encoderOptions.ts";

/** Exports an encoder. */
export const exportVerb: Verb = {
  name: "export",
  summary: "Write an encoder as ONNX and safetensors, or embeddings for another program",
  words: [
    {
      name: "[run]",
      describe: "a run, a checkpoint, a .safetensors file, or embeddings; none with --from",
    },
  ],
  options: [
    fromOption,
    {
      flags: "--to <program>",
      describe:
        "onnx or hub-folder for an encoder; tensorboard, atlas or lightly for embeddings (onnx)",
    },
    { flags: "--out <path>", describe: "folder or file to make (exported)" },
    { flags: "--batch <images>", describe: "write for batches of one size instead of any" },
    { flags: "--features <kind>", describe: "features before the head, or head (features)" },
    { flags: "--overwrite", describe: "replace the files" },
    ...statedOptions,
  ],
  examples: [
    "export runs/photos --out photos-encoder",
    "export runs/photos --to hub-folder --out photos-hub",
    "export photos --to tensorboard",
  ],
  load: async () => (await import("../run/export.ts")).runExport,
};
