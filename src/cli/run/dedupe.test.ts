import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

import { expect, test } from "vitest";

const source = resolve(import.meta.dirname, "../..");
const imported = /(?:^|\n)(?:import|export)\s(?!type\b)(?:[^"';]*?\sfrom\s)?"([^"]+)";/g;

/** Files of the project and packages that a file loads with it. */
function loaded(file: string, files = new Set<string>(), packages = new Set<string>()) {
  if (files.has(file)) return { files, packages };
  files.add(file);
  for (const [, name] of readFileSync(file, "utf8").matchAll(imported)) {
    if (name.startsWith(".")) loaded(join(dirname(file), name), files, packages);
    else if (!name.startsWith("node:")) packages.add(name);
  }
  return { files, packages };
}

test("dedupe starts without the engine and what belongs to training", () => {
  const { files, packages } = loaded(join(source, "cli/run/dedupe.ts"));
  const folders = new Set([...files].map((file) => relative(source, file).split("/")[0]));
  expect(files.size).toBeGreaterThan(100);
  for (const folder of ["engine", "losses", "encoders", "methods", "hub", "compare"]) {
    expect(folders).not.toContain(folder);
  }
  expect([...packages].sort()).toEqual(["hyparquet-writer", "sharp", "tar-stream", "zod"]);
});
