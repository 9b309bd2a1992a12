import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { VERSION } from "../src/core/version.ts";

const root = join(import.meta.dirname, "..");
type Manifest = {
  version: string;
  exports: Record<string, string | { types: string; default: string }>;
  scripts: Record<string, string>;
};
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

describe("the package", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "contrapose-package-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("says the same version in package.json and in the code", () => {
    expect(VERSION).toBe(manifest.version);
  });

  test("has every file that its exports name", () => {
    const files = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : [entry.types, entry.default],
    );
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  test("exports every folder of the library", () => {
    const folders = readdirSync(join(root, "src")).filter((name) =>
      existsSync(join(root, "src", name, "index.ts")),
    );
    expect(Object.keys(manifest.exports)).toEqual(
      expect.arrayContaining(folders.map((name) => `./${name}`)),
    );
  });

  test("has types that need none of Node's own outside the command line", () => {
    const declarations = readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".d.ts") && !path.startsWith("cli/"))
      .filter((path) => {
        const text = readFileSync(join(root, "dist", path), "utf8").replace(/\/\*[^]*?\*\//g, "");
        return /\bBuffer\b|NodeJS\.|"node:/.test(text);
      });
    expect(declarations).toEqual(["data/sources/records.d.ts"]); // no index reaches it
  });

  test("runs no script of its own when it is installed", () => {
    const hooks = ["preinstall", "install", "postinstall", "prepare"];
    expect(hooks.filter((hook) => hook in manifest.scripts)).toEqual([]);
  });

  test("has no setting that npm warns of", () => {
    const { stderr } = spawnSync("npm", ["prefix"], { cwd: root, encoding: "utf8" });
    expect(stderr).not.toContain("project config");
  });

  test("packs what it needs and nothing else, and the command runs from the tarball", () => {
    const out = execFileSync(
      "npm",
      ["pack", "--json", "--ignore-scripts", "--pack-destination", folder],
      {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    const [{ filename, files }] = JSON.parse(out) as {
      filename: string;
      files: { path: string }[];
    }[];
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["LICENSE", "README.md", "dist/cli/main.js"]));
    const named = readFileSync(join(root, "README.md"), "utf8").match(/examples\/[\w./-]+\w/g);
    expect(paths).toEqual(expect.arrayContaining(named!));
    expect(paths.filter((path) => /\.test\.|^src\/|^test\/|^bench\//.test(path))).toEqual([]);
    const scripts = paths.filter((path) => path.endsWith(".js"));
    const forTests = /\/testing\.js$|from "vitest"/; // helpers of the project's own tests
    expect(
      scripts.filter((path) => forTests.test(path + readFileSync(join(root, path), "utf8"))),
    ).toEqual([]);
    execFileSync("tar", ["xzf", join(folder, filename), "-C", folder]);
    expect(readdirSync(join(folder, "package"))).toContain("dist");
    // dependencies are those of this checkout; `npx` of the tarball would download the same ones
    execFileSync("ln", ["-s", join(root, "node_modules"), join(folder, "package", "node_modules")]);
    const version = execFileSync(
      process.execPath,
      [join(folder, "package", "dist", "cli", "main.js"), "--version"],
      { encoding: "utf8" },
    );
    expect(version.trim()).toBe(VERSION);
  });
});
