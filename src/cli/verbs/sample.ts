import type { Verb } from "../verb.ts";

/** Renders sample images. */
export const sample: Verb = {
  name: "sample",
  summary: "Render a labelled set of sample images of known factors",
  words: [{ name: "[folder]", describe: "folder to make, the same as --out" }],
  options: [
    { flags: "--out <folder>", describe: "folder to make" },
    { flags: "--train <images>", describe: "training images (2000)" },
    { flags: "--test <images>", describe: "test images (500)" },
    { flags: "--size <px>", describe: "side of an image in pixels (64)" },
    { flags: "--label <factor>", describe: "factor whose values are the classes (shape)" },
    { flags: "--format <name>", describe: "png or jpg (png)" },
    { flags: "--seed <number>", describe: "another seed draws another set (0)" },
    {
      flags: "--set <option=value>",
      many: true,
      describe: "any option of a sample set, as clutter=0.8; repeatable",
    },
    { flags: "--continue", describe: "draw what is missing of a set that was stopped" },
    { flags: "--overwrite", describe: "replace the set in the folder" },
  ],
  examples: ["sample ./shapes", "sample ./shapes --train 10000 --size 96 --label texture"],
  load: async () => (await import("../run/sample.ts")).runSample,
};
