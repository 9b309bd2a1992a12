import type { OptionSpec } from "../verb.ts";

/** Where images are packed, of verbs that open some. */
export const cacheOption: OptionSpec = {
  flags: "--cache <folder>",
  describe: "where images are packed (.packed beside the run, or as CONTRAPOSE_CACHE says)",
};
