import type { Verb } from "../verb.ts";

/** Diagnoses a run. */
export const doctor: Verb = {
  name: "doctor",
  summary: "Say whether a run is healthy, with the evidence and one thing to change",
  words: [{ name: "<run>", describe: "folder of a run, finished or still training" }],
  options: [{ flags: "--step <number>", describe: "as it stood after this step (the last)" }],
  examples: ["doctor runs/photos"],
  load: async () => (await import("../run/doctor.ts")).runDoctor,
};
