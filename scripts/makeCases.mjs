// Writes test/cases/own.json from the loops in test/reference, with fixed seeds: the same file every time.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "contrapose-cases-"));
try {
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const options = [
    ...["--rootDir", root, "--outDir", folder, "--module", "NodeNext", "--target", "ES2023"],
    ...["--rewriteRelativeImportExtensions", "--skipLibCheck", "--ignoreConfig"],
  ];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const source = join(root, "test/reference/ownCases.ts");
  const { status } = spawnSync(process.execPath, [tsc, source, ...options], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
  const compiled = join(folder, "test/reference/ownCases.js");
  const { ownCaseFile } = await import(pathToFileURL(compiled).href);
  mkdirSync(join(root, "test/cases"), { recursive: true });
  writeFileSync(join(root, "test/cases/own.json"), ownCaseFile());
} finally {
  rmSync(folder, { recursive: true, force: true });
}
