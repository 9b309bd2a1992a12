import type { OptionSpec } from "../verb.ts";

const server = "Qdrant:";

/** Options about where vectors are kept. */
export const serverOptions: readonly OptionSpec[] = [
  { group: server, flags: "--url <address>", describe: "the server (http://localhost:6333)" },
  { group: server, flags: "--collection <name>", describe: "its collection (the table's name)" },
];

/** The word that names embeddings. */
export const embeddingsWord = {
  name: "[embeddings]",
  describe: "what embed wrote, as photos or photos.parquet (embeddings)",
};
