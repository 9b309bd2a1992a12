import type { Verb } from "../verb.ts";

/** Lists what configs can name. */
export const list: Verb = {
  name: "list",
  summary: "List methods, encoders, losses and more, with sources and options",
  words: [
    {
      name: "[kind]",
      describe: "methods, encoders, heads, losses, optimisers, views, starts or settings",
    },
  ],
  options: [],
  examples: ["list", "list encoders", "list settings --json"],
  load: async () => (await import("../run/list.ts")).runList,
};
