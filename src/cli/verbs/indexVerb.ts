import type { Verb } from "../verb.ts";
import { embeddingsWord, serverOptions } from "./storeOptions.ts";

/** Puts embeddings into a store. */
export const indexVerb: Verb = {
  name: "index",
  summary: "Put embeddings into a store: a DuckDB file, or a Qdrant server (optional for search)",
  words: [embeddingsWord],
  options: [
    { flags: "--store <name>", describe: "duckdb, qdrant, or exact to check and measure (duckdb)" },
    { flags: "--overwrite", describe: "replace the database or the collection" },
    ...serverOptions,
  ],
  examples: ["index photos", "index photos --store qdrant --url http://localhost:6333"],
  load: async () => (await import("../run/indexStore.ts")).runIndex,
};
