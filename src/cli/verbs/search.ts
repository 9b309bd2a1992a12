import type { Verb } from "../verb.ts";
import { embeddingsWord, serverOptions } from "./storeOptions.ts";

/** Finds the images nearest to one. */
export const search: Verb = {
  name: "search",
  summary: "Find the images nearest to a picture, as a page and as a list",
  words: [embeddingsWord],
  options: [
    { flags: "--image <file>", describe: "the picture to ask with" },
    { flags: "--id <id>", describe: "ask with an image of the set instead" },
    { flags: "--k <number>", describe: "images to find (24)" },
    {
      flags: "--where <condition>",
      describe: `only images it holds for, as "label = 'shoe' and width > 200"`,
    },
    { flags: "--store <name>", describe: "exact, duckdb or qdrant (exact)" },
    { flags: "--sql <query>", describe: "ask DuckDB about the table images instead" },
    { flags: "--encoder <path>", describe: "where the encoder of the table is, if it was moved" },
    { flags: "--out <file>", describe: "the page (<embeddings>.search.html)" },
    { flags: "--device <name>", describe: "as for training (cpu)" },
    { flags: "--threads <number>", describe: "one a core by default" },
    { flags: "--overwrite", describe: "replace the file named with --out" },
    ...serverOptions,
  ],
  examples: [
    "search --image photo.jpg",
    `search photos --image photo.jpg --k 50 --where "label = 'shoe' and width > 200"`,
    `search photos --sql "select label, count(*) from images group by label"`,
  ],
  load: async () => (await import("../run/search.ts")).runSearch,
};
