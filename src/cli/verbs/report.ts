import type { Verb } from "../verb.ts";
import { cacheOption } from "./cacheOption.ts";

/** Writes the report of a run. */
export const report: Verb = {
  name: "report",
  summary: "Write report.html of a run: curves, views, neighbours, numbers and their meaning",
  words: [{ name: "<run>", describe: "folder of a run" }],
  options: [
    { flags: "--train <path>", describe: "as for evaluate (the images of the run)" },
    { flags: "--test <path>", describe: "as for evaluate" },
    { flags: "--out <file>", describe: "another file than report.html in the run" },
    { flags: "--overwrite", describe: "replace the file given by --out" },
    { flags: "--again", describe: "measure anew although evaluation.json is there" },
    cacheOption,
  ],
  examples: ["report runs/photos"],
  load: async () => (await import("../run/report.ts")).runReport,
};
