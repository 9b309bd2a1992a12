import type { Verb } from "../verb.ts";
import { cacheOption } from "./cacheOption.ts";

/** Shows recorded pairs. */
export const inspect: Verb = {
  name: "inspect",
  summary: "Show which pairs a run contrasted: positives, negatives, and what samplers did to them",
  words: [{ name: "<run>", describe: "folder of a run" }],
  options: [
    {
      flags: "--anchor <image>",
      describe: "one anchor, by path or number (all that were recorded)",
    },
    { flags: "--step <number>", describe: "one step (all that were recorded)" },
    { flags: "--top <number>", describe: "pairs of each list (24)" },
    { flags: "--data <path>", describe: "the images, where they have moved" },
    { flags: "--out <file>", describe: "another file than inspect.html in the run" },
    { flags: "--overwrite", describe: "replace the file given by --out" },
    cacheOption,
  ],
  examples: ["inspect runs/photos", "inspect runs/photos --anchor shoes/red.jpg --step 120"],
  load: async () => (await import("../run/inspect.ts")).runInspect,
};
