import type { Verb } from "../verb.ts";

/** Measures this machine. */
export const bench: Verb = {
  name: "bench",
  summary: "Measure speed on this machine: bench step, bench methods, bench views",
  words: [
    {
      name: "<what>",
      describe: "step (a training step), methods (what sampling costs) or views (augmentation)",
    },
  ],
  options: [
    { flags: "--encoder <name>", describe: "step: encoder (resnet)" },
    { flags: "--width <channels>", describe: "step: width of the first stage (64)" },
    { flags: "--blocks <list>", describe: "step: residual blocks of each stage (2,2,2,2)" },
    { flags: "--batch <images>", describe: "step: images in the batch tensor, both views (64)" },
    { flags: "--size <px>", describe: "step: side of an image (32)" },
    { flags: "--method <name>", describe: "step: simclr, moco or instDisc (simclr)" },
    { flags: "--steps <number>", describe: "step: steps to time (6)" },
    { flags: "--device <name>", describe: "step: cpu, webgpu, … (cpu)" },
    { flags: "--threads <number>", describe: "step: one a core by default" },
    { flags: "--methods <names>", describe: "methods: which ones, as ring,mochi (all)" },
    { flags: "--queue <keys>", describe: "methods: length of a queue (4096)" },
    {
      flags: "--images <number>",
      describe: "methods: images of the dataset, rows of a bank (50000)",
    },
    { flags: "--rounds <number>", describe: "methods: alternations that are timed (5)" },
    { flags: "--seconds <number>", describe: "views: time for each measurement (2)" },
  ],
  examples: [
    "bench methods --json",
    "bench step --width 64 --blocks 2,2,2,2 --batch 64 --json",
    "bench views",
  ],
  load: async () => (await import("../run/bench.ts")).runBench,
};
