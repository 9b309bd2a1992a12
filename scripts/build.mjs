// Builds dist/ with plain tsc into a fresh folder, then swaps it in, so a failed build leaves the last good one.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, renameSync, rmSync } from "node:fs";

const fresh = `dist.${process.pid}`;
const tsc = new URL("../node_modules/typescript/bin/tsc", import.meta.url).pathname;
const { status } = spawnSync(
  process.execPath,
  [tsc, "-p", "tsconfig.build.json", "--outDir", fresh],
  { stdio: "inherit" },
);
if (status !== 0) {
  rmSync(fresh, { recursive: true, force: true });
  process.exit(status ?? 1);
}
const main = `${fresh}/cli/main.js`;
if (existsSync(main)) chmodSync(main, 0o755);
copyFileSync("test/cases/own.json", `${fresh}/conformance/own.json`);
const old = `${fresh}.old`;
if (existsSync("dist")) renameSync("dist", old);
renameSync(fresh, "dist");
rmSync(old, { recursive: true, force: true });
