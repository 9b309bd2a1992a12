import type { Verb } from "../verb.ts";
import { settingOptions } from "./settingOptions.ts";

const running = "Run:";

/** Trains an encoder. */
export const train: Verb = {
  name: "train",
  summary: "Train an encoder on images",
  words: [{ name: "[data]", describe: "images, the same as --data" }],
  options: async () => [
    ...(await settingOptions()),
    {
      group: running,
      flags: "--resume <run>",
      describe: "go on with a run that was stopped; --data says where its images are now",
    },
    {
      group: running,
      flags: "--checkpoint <name>",
      describe: "with --resume: another checkpoint than last",
    },
    { group: running, flags: "--overwrite", describe: "replace the run in --out" },
    {
      group: running,
      flags: "--replay <file>",
      describe: "repeat a step that failed, from its failure.json",
    },
  ],
  examples: [
    "train ./photos",
    "train ./photos --minutes 60 --out runs/photos",
    "train --config recipe.yaml --seed 1 --set views.jitter.strength=0.5",
    "train --resume runs/photos",
  ],
  load: async () => (await import("../run/train.ts")).runTrain,
  follow: async () => (await import("../../train/ranks/followTraining.ts")).followTraining,
};
