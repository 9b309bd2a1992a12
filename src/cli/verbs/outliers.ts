import type { Verb } from "../verb.ts";
import { cacheOption } from "./cacheOption.ts";
import { encoderOptions, fromOption } from "./encoderOptions.ts";
import { splitOption } from "./splitOption.ts";

/** Finds images unlike the others. */
export const outliers: Verb = {
  name: "outliers",
  summary: "Find the odd images, far from all others to an encoder, as a page and as a list",
  words: [
    {
      name: "[images]",
      describe: "what embed wrote, or with --from images themselves (embeddings)",
    },
  ],
  options: [
    fromOption,
    {
      flags: "--k <number>",
      describe:
        "distance to the k-th nearest image counts: odd images that are alike are found as long as there are no more of them (20, at most half of the images)",
    },
    { flags: "--csv <file>", describe: "write id, score, distance and nearest of every image" },
    { flags: "--out <file>", describe: "the page (<images>.outliers.html)" },
    splitOption,
    ...encoderOptions,
    cacheOption,
    { flags: "--overwrite", describe: "replace files that are there" },
  ],
  examples: [
    "outliers photos",
    "outliers ./photos --from efficientnet-lite0",
    "outliers photos --k 50 --csv outliers.csv",
  ],
  load: async () => (await import("../run/outliers.ts")).runOutliers,
};
