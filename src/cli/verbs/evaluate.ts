import type { Verb } from "../verb.ts";
import { cacheOption } from "./cacheOption.ts";
import { fromOption, statedOptions } from "./encoderOptions.ts";
import { splitOption } from "./splitOption.ts";

/** Evaluates an encoder. */
export const evaluate: Verb = {
  name: "evaluate",
  summary: "Measure an encoder: k-NN, linear probe, alignment, uniformity, rank",
  words: [
    {
      name: "[run]",
      describe: "a run, a checkpoint, a .safetensors or .onnx file; none with --from",
    },
  ],
  options: [
    fromOption,
    { flags: "--train <path>", describe: "labelled images to learn from (the images of the run)" },
    {
      flags: "--test <path>",
      describe:
        "labelled images to ask (the held-out part beside --train, else a fifth of --train)",
    },
    {
      ...splitOption,
      describe: "part of --test to ask, else of --train: val, test; train, all (what is held out)",
    },
    {
      flags: "--groups <file>",
      describe: "groups of --train, as dedupe writes them: none is both held out and learned from",
    },
    {
      flags: "--labels <file>",
      describe: "labels of --train, in the place of those that lie with it (those of the run)",
    },
    { flags: "--k <number>", describe: "neighbours that vote (20)" },
    { flags: "--temperature <number>", describe: "of the vote's weights (0.07)" },
    { flags: "--features <kind>", describe: "features before the head, or head (features)" },
    { flags: "--no-baselines", describe: "leave out the untrained encoder and the raw pixels" },
    { flags: "--seed <number>", describe: "of the held-out part and the views (0)" },
    { flags: "--device <name>", describe: "as for training (cpu)" },
    { flags: "--threads <number>", describe: "one a core by default" },
    ...statedOptions,
    cacheOption,
  ],
  examples: [
    "evaluate --from efficientnet-lite0 --train labelled/train --test labelled/test",
    "evaluate runs/photos --train labelled/train --test labelled/test",
  ],
  load: async () => (await import("../run/evaluate.ts")).runEvaluate,
};
