import type { OptionSpec, Verb } from "../verb.ts";
import { settingOptions } from "./settingOptions.ts";

const comparison = "Comparison:";

/** What the comparison decides itself, or says in its own words. */
const replaced = ["--method", "--seed", "--minutes", "--out", "--config"];

const own: readonly OptionSpec[] = [
  {
    group: comparison,
    flags: "--methods <names>",
    describe: "what to compare, as simclr,debiased,hcl; the first is the base",
  },
  {
    group: comparison,
    flags: "--configs <files>",
    describe: "config files to compare, as a.yaml,b.yaml",
  },
  {
    group: comparison,
    flags: "--over <path=values>",
    many: true,
    describe: "values of a setting to compare, as loss.temperature=0.1,0.2; repeatable",
  },
  {
    group: comparison,
    flags: "--seeds <seeds>",
    describe: "a number of seeds, or a list of them as 0,1,2 (3)",
  },
  {
    group: comparison,
    flags: "--budget <time>",
    describe: "time to train each run, as 10m, 90s or 1h; or give --epochs",
  },
  {
    group: comparison,
    flags: "--parallel <runs>",
    describe: "runs at once (one a core while half of the memory is enough)",
  },
  {
    group: comparison,
    flags: "--config <file>",
    describe: "settings of all arms from a JSON or YAML file",
  },
  {
    group: comparison,
    flags: "--out <folder>",
    describe: "folder of the comparison, gone on with where it is there (runs/compare-…)",
  },
  {
    group: comparison,
    flags: "--overwrite",
    describe: "make runs again that were made with other settings",
  },
  {
    group: comparison,
    flags: "--again <arms>",
    describe: "make the runs of these arms again, as after a change of their code",
  },
];

/** Compares methods. */
export const compare: Verb = {
  name: "compare",
  summary: "Compare methods over seeds under one budget: accuracy, cost, sampling, with intervals",
  words: [{ name: "[data]", describe: "images, the same as --data" }],
  options: async () => [...own, ...(await settingOptions(...replaced))],
  examples: [
    "compare ./photos --methods simclr,debiased,hcl,fnc --seeds 3 --budget 10m --test ./labelled",
    "compare ./photos --methods simclr --over loss.temperature=0.1,0.2,0.5 --epochs 20",
    "compare ./photos --configs plain.yaml,ours.yaml --seeds 0,1,2,3,4 --epochs 50 --out runs/ours",
  ],
  failed: ({ runs }) => ((runs as { failed?: unknown[] } | undefined)?.failed ?? []).length > 0,
  load: async () => (await import("../run/compare.ts")).runCompare,
};
