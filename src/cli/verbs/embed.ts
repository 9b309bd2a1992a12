import type { Verb } from "../verb.ts";
import { cacheOption } from "./cacheOption.ts";
import { encoderOptions, fromOption } from "./encoderOptions.ts";
import { splitOption } from "./splitOption.ts";

/** Embeds images. */
export const embed: Verb = {
  name: "embed",
  summary: "Turn images into embeddings: a Parquet table, and an npy array with names",
  words: [
    {
      name: "[encoder]",
      describe: "a run, a checkpoint, a .safetensors or .onnx file; none with --from",
    },
    { name: "[images]", describe: "images, the same as --data" },
  ],
  options: [
    fromOption,
    { flags: "--data <path>", describe: "images (the images of the run)" },
    splitOption,
    { flags: "--out <file>", describe: "ends in .parquet, .npy or neither for both (embeddings)" },
    { flags: "--normalise", describe: "scale every embedding to length 1" },
    ...encoderOptions,
    cacheOption,
    { flags: "--overwrite", describe: "replace what is there, whatever it holds" },
  ],
  examples: [
    "embed ./photos --from efficientnet-lite0",
    "embed runs/photos",
    "embed runs/photos ./photos --out photos",
    "embed resnet50.onnx ./photos --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225",
  ],
  load: async () => (await import("../run/embed.ts")).runEmbed,
};
