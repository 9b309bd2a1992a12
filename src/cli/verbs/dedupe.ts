import type { Verb } from "../verb.ts";
import { cacheOption } from "./cacheOption.ts";
import { splitOption } from "./splitOption.ts";

/** Finds duplicates. */
export const dedupe: Verb = {
  name: "dedupe",
  summary:
    "Find duplicates: copies, nearly equal pictures, and images that an encoder takes for one",
  words: [
    {
      name: "[images]",
      describe: "what embed wrote, or images themselves: then by their pixels only (embeddings)",
    },
  ],
  options: [
    {
      flags: "--strictness <level>",
      describe:
        "how alike copies are: exact (the same pixels), strict (changed as a whole only), normal (photos also in places, as by a mark), loose (shots of one scene too); normal by default",
    },
    {
      flags: "--threshold <cosine>",
      describe: "join images from this similarity of vectors on, however they look",
    },
    { flags: "--mutual <k>", describe: "also join images each among the other's k nearest" },
    { flags: "--no-vectors", describe: "go by pixels only" },
    {
      flags: "--write-groups <file>",
      describe: "write the groups for contrapose train --groups: never each other's negatives",
    },
    { flags: "--out <file>", describe: "the page (<images>.dedupe.html in this folder)" },
    {
      group: "What was decided:",
      flags: "--apply <file>",
      describe:
        "say what may go by the decisions made in contrapose studio, or with --move or --hard-link do it",
    },
    {
      group: "What was decided:",
      flags: "--move <folder>",
      describe: "move what may go there; nothing is deleted",
    },
    {
      group: "What was decided:",
      flags: "--hard-link",
      describe: "make files of the very same bytes one on the disk, under all their names",
    },
    {
      group: "What was decided:",
      flags: "--undo <file>",
      describe: "take back what --apply did, by the list that it wrote",
    },
    splitOption,
    cacheOption,
    { flags: "--overwrite", describe: "replace files that are there" },
  ],
  examples: [
    "dedupe ./photos",
    "dedupe ./scans --strictness strict",
    "dedupe photos --threshold 0.98",
    "dedupe photos --write-groups groups.json",
    "dedupe ./photos --apply photos.decisions.json --move ./duplicates",
  ],
  load: async () => (await import("../run/dedupe.ts")).runDedupe,
};
