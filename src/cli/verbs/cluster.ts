import type { Verb } from "../verb.ts";
import { embeddingsWord } from "./storeOptions.ts";

/** Groups images by their vectors. */
export const cluster: Verb = {
  name: "cluster",
  summary: "Put embedded images into groups that look alike, as a page and as a list",
  words: [embeddingsWord],
  options: [
    { flags: "--k <number>", describe: "groups (the classes there are, else by the images)" },
    { flags: "--seed <number>", describe: "another seed starts elsewhere (0)" },
    { flags: "--csv <file>", describe: "write id, cluster and similarity of every image" },
    { flags: "--out <file>", describe: "the page (<embeddings>.cluster.html)" },
    { flags: "--overwrite", describe: "replace files that are there" },
  ],
  examples: ["cluster photos", "cluster photos --k 20 --csv clusters.csv"],
  load: async () => (await import("../run/cluster.ts")).runCluster,
};
