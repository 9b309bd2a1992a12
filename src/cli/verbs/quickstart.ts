import type { Verb } from "../verb.ts";

/** A whole run on sample images. */
export const quickstart: Verb = {
  name: "quickstart",
  summary: "A whole run on sample images in about three minutes: draw, train, evaluate, report",
  options: [
    { flags: "--out <folder>", describe: "folder to make (contrapose-quickstart)" },
    { flags: "--minutes <number>", describe: "time for training (2)" },
    { flags: "--seed <number>", describe: "of images and training (0)" },
  ],
  load: async () => (await import("../run/quickstart.ts")).runQuickstart,
};
