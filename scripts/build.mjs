// Builds dist/ — plain tsc for the package, Vite for the studio's page — into a fresh folder, then swaps it in, so a failed build leaves the last good one.
import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { resolve } from "node:path";

const fresh = `dist.${process.pid}`;

function fail(status, why) {
  if (why !== undefined) process.stderr.write(`${why}\n`);
  rmSync(fresh, { recursive: true, force: true });
  process.exit(status);
}

async function buildPage() {
  const [{ build }, { svelte }] = await Promise.all([
    import("vite"),
    import("@sveltejs/vite-plugin-svelte"),
  ]).catch((error) => fail(1, `${error.message}\nnpm install brings what package.json names`));
  await build({
    root: "studio",
    configFile: false,
    logLevel: "error",
    clearScreen: false,
    plugins: [svelte({ configFile: false, compilerOptions: { runes: true } })],
    build: {
      outDir: resolve(fresh, "studio"),
      emptyOutDir: true,
      target: "es2022",
      ...{ assetsInlineLimit: 0, modulePreload: { polyfill: false } }, // the page runs no inline script
    },
  });
}

const tsc = new URL("../node_modules/typescript/bin/tsc", import.meta.url).pathname;
const typed = spawn(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", fresh], {
  stdio: "inherit",
});
const compiled = new Promise((done) => typed.on("close", done));
await buildPage().catch((error) => fail(1, error.message));
const status = await compiled;
if (status !== 0) fail(status ?? 1);
const main = `${fresh}/cli/main.js`;
if (existsSync(main)) chmodSync(main, 0o755);
copyFileSync("test/cases/own.json", `${fresh}/conformance/own.json`);
const old = `${fresh}.old`;
if (existsSync("dist")) renameSync("dist", old);
renameSync(fresh, "dist");
rmSync(old, { recursive: true, force: true });
