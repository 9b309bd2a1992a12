import type { Verb } from "../verb.ts";
import { splitOption } from "./splitOption.ts";

/** Packs images. */
export const pack: Verb = {
  name: "pack",
  summary: "Decode images once into a packed dataset, and report what was skipped",
  words: [{ name: "[data]", describe: "images, the same as --data" }],
  options: [
    { flags: "--data <path>", describe: "a folder of images, CIFAR or IDX files, tar shards" },
    { flags: "--out <folder>", describe: "folder of the packed dataset (packed/<data>)" },
    {
      flags: "--size <px>",
      describe: "shorter side of the stored images; smaller ones stay (160)",
    },
    { flags: "--strict", describe: "fail at the first file that cannot be used" },
    {
      flags: "--damaged <choice>",
      describe: "reject broken files, or accept what can be decoded (reject)",
    },
    {
      flags: "--range <low,high>",
      describe:
        "values of pixels of more than 8 bits shown black and white (found from all images)",
    },
    splitOption,
    {
      flags: "--labels <choice>",
      describe: "auto, none, or the folder level, 0 the outermost (auto)",
    },
    {
      flags: "--set <option=value>",
      many: true,
      describe: "any option of packing, as nearDuplicates=false; repeatable",
    },
    { flags: "--overwrite", describe: "replace a dataset packed from elsewhere or otherwise" },
  ],
  examples: [
    "pack ./photos --out packed/photos",
    "pack cifar-10-batches-bin --split test --out packed/test",
  ],
  load: async () => (await import("../run/pack.ts")).runPack,
};
