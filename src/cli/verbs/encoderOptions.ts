import type { OptionSpec } from "../verb.ts";

const foreign = "Pretrained encoders and ONNX models:";

/** The encoder to begin with. */
export const fromOption: OptionSpec = {
  flags: "--from <what>",
  describe:
    "a pretrained encoder: a name of list starts, an id of a hub (org/name@revision), a folder or file; or a run",
};

/** What a user says of an encoder that does not say it itself. */
export const statedOptions: readonly OptionSpec[] = [
  {
    group: foreign,
    flags: "--image-size <px>",
    describe: "side of its images in pixels (its own)",
  },
  {
    group: foreign,
    flags: "--mean <r,g,b>",
    describe: "subtracted from pixels in [0, 1], as 0.485,0.456,0.406",
  },
  { group: foreign, flags: "--std <r,g,b>", describe: "what the difference is divided by" },
  {
    group: foreign,
    flags: "--output <name>",
    describe: "output of an ONNX model that holds the vectors (first)",
  },
];

/** Options about an encoder's vectors and where it runs. */
export const encoderOptions: readonly OptionSpec[] = [
  { flags: "--features <kind>", describe: "features before the head, or head (features)" },
  { flags: "--device <name>", describe: "as for training (cpu)" },
  { flags: "--threads <number>", describe: "one a core by default" },
  ...statedOptions,
];
