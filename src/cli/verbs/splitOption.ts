import type { OptionSpec } from "../verb.ts";

/** The option that says which part of images in parts is read. */
export const splitOption: OptionSpec = {
  flags: "--split <part>",
  describe: "train, val, test, unlabeled or all, where images lie in parts (all but held-out ones)",
};
