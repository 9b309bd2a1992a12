import type { Verb } from "../verb.ts";

/** Opens the studio. */
export const studio: Verb = {
  name: "studio",
  summary: "Open a local page: runs as they train, pairs, a map, search, duplicates",
  words: [{ name: "[folders...]", describe: "where runs, embeddings and images lie (.)" }],
  options: [
    { flags: "--port <number>", describe: "of this machine's own address (a free one)" },
    { flags: "--no-open", describe: "open no browser" },
    {
      flags: "--demo",
      describe: "draw sample images, train on them, and open on that (contrapose-studio)",
    },
  ],
  examples: ["studio", "studio runs ./photos", "studio --demo"],
  load: async () => (await import("../run/studio.ts")).runStudio,
};
