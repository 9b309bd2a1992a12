import type { Verb } from "../verb.ts";
import { cacheOption } from "./cacheOption.ts";
import { encoderOptions, fromOption } from "./encoderOptions.ts";
import { splitOption } from "./splitOption.ts";

/** Names images to label next. */
export const suggestLabels: Verb = {
  name: "suggest-labels",
  summary: "Name the images to label next, typical and uncertain ones, as a page and as a list",
  words: [
    {
      name: "[images]",
      describe: "what embed wrote, or with --from images themselves (embeddings)",
    },
  ],
  options: [
    fromOption,
    {
      flags: "--labels <file>",
      describe: "labels so far, as train --labels takes them (those that lie with the images)",
    },
    { flags: "--count <number>", describe: "images to name (20)" },
    {
      flags: "--uncertain <number>",
      describe: "of these by how level the vote of the labelled is (half where there are labels)",
    },
    { flags: "--seed <number>", describe: "of the clusters (0)" },
    {
      flags: "--csv <file>",
      describe:
        "write path,label,why,score,cluster,guess: fill in label, and train --labels takes it",
    },
    { flags: "--out <file>", describe: "the page (<images>.suggest-labels.html)" },
    splitOption,
    ...encoderOptions,
    cacheOption,
    { flags: "--overwrite", describe: "replace files that are there" },
  ],
  examples: [
    "suggest-labels ./photos --from efficientnet-lite0 --count 50 --csv labels.csv",
    "suggest-labels photos --labels labels.csv --csv next.csv",
  ],
  load: async () => (await import("../run/suggestLabels.ts")).runSuggestLabels,
};
