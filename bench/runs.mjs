// What the benches that train share: calls of the command line, and lines of results.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const main = join(import.meta.dirname, "..", "dist", "cli", "main.js");

/** What a call prints as JSON; ends this process with the call's exit code where that is not 0. */
export function contrapose(...args) {
  const { status, stdout } = spawnSync(process.execPath, [main, ...args, "--json"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) process.exit(status ?? 1);
  return JSON.parse(stdout.trimEnd().split("\n").at(-1));
}

/** Records of a file, one a line; none where there is no file. */
export const linesOf = (file) =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line))
    : [];

/** Options of a sample set as flags. */
export const sampleFlags = (options) =>
  Object.entries(options).map(([key, value]) => `--set=${key}=${JSON.stringify(value)}`);
