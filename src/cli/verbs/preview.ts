import type { Verb } from "../verb.ts";
import { cacheOption } from "./cacheOption.ts";
import { settingOptions } from "./settingOptions.ts";

/** Shows views. */
export const preview: Verb = {
  name: "preview",
  summary: "Show the views that a config makes, as a picture, with an estimate of its cost",
  words: [{ name: "[data]", describe: "images, the same as --data" }],
  options: async () => [
    ...(await settingOptions("--out")),
    { flags: "--out <file>", describe: "the picture, a PNG file (preview.png)" },
    { flags: "--images <number>", describe: "images in the picture (8)" },
    { flags: "--count <number>", describe: "views of each image (8)" },
    { flags: "--no-estimate", describe: "do not time the training step" },
    cacheOption,
    { flags: "--overwrite", describe: "replace the picture" },
  ],
  examples: [
    "preview ./photos",
    "preview ./photos --views moco --set views.grey=0.5 --out views.png",
  ],
  load: async () => (await import("../run/preview.ts")).runPreview,
};
