import type { OptionSpec } from "../verb.ts";

const foreign = "ONNX models of other makers:";

/** Options about an encoder's vectors and where it runs. */
export const encoderOptions: readonly OptionSpec[] = [
  { flags: "--features <kind>", describe: "features before the head, or head (features)" },
  { flags: "--device <name>", describe: "as for training (cpu)" },
  { flags: "--threads <number>", describe: "one a core by default" },
  { group: foreign, flags: "--size <px>", describe: "side of its images in pixels" },
  {
    group: foreign,
    flags: "--mean <r,g,b>",
    describe: "subtracted from pixels in [0, 1], as 0.485,0.456,0.406",
  },
  { group: foreign, flags: "--std <r,g,b>", describe: "what the difference is divided by" },
  { group: foreign, flags: "--output <name>", describe: "output that holds the vectors (first)" },
];
