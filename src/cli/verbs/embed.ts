import type { Verb } from "../verb.ts";

/** Embeds images. */
export const embed: Verb = {
  name: "embed",
  summary: "Turn images into embeddings: a Parquet table, and an npy array with names",
  words: [{ name: "<run>", describe: "a run, a checkpoint or a weights.safetensors file" }],
  options: [
    { flags: "--data <path>", describe: "images (the images of the run)" },
    { flags: "--out <file>", describe: "ends in .parquet, .npy or neither for both (embeddings)" },
    { flags: "--features <kind>", describe: "features before the head, or head (features)" },
    { flags: "--normalise", describe: "scale every embedding to length 1" },
    { flags: "--device <name>", describe: "as for training (cpu)" },
    { flags: "--threads <number>", describe: "one a core by default" },
    { flags: "--overwrite", describe: "replace the files" },
  ],
  examples: ["embed runs/photos --data ./photos --out photos.parquet"],
  load: async () => (await import("../run/embed.ts")).runEmbed,
};
