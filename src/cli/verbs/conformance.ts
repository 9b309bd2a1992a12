import type { Verb } from "../verb.ts";

/** Checks losses and samplers against reference cases. */
export const conformance: Verb = {
  name: "conformance",
  summary: "Check losses, samplers, crops or pretrained encoders against known results",
  words: [{ name: "[files...]", describe: "case files (those that come with the package)" }],
  options: [
    {
      flags: "--starts <folder>",
      describe: "check pretrained encoders instead: repositories with an expected.json",
    },
    {
      flags: "--device <name>",
      describe: "cpu or webgpu in float32, reference in float64 (cpu)",
    },
  ],
  examples: [
    "conformance",
    "conformance --starts encoders",
    "conformance cases.json --device reference --json",
  ],
  failed: ({ failed }) => failed !== 0,
  load: async () => (await import("../run/conformance.ts")).runConformance,
};
