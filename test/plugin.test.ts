import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { FORMAT, ownCasesPath, parseCases } from "../src/conformance/index.ts";
import { contrapose, scratch, writeStripes } from "./cli.ts";

const folder = scratch();
afterAll(() => folder.remove());

const example = join(import.meta.dirname, "..", "examples", "parts.js");

test("the example of one's own loss and sampler trains as a plugin, from a folder without packages", async () => {
  const [plugin, data, out] = [folder.at("parts.js"), folder.at("train.bin"), folder.at("run")];
  copyFileSync(example, plugin);
  writeStripes(data, 64);
  const config = folder.at("config.yaml");
  const size =
    "imageSize: 8\nbatchSize: 16\nepochs: 1\nencoder: { name: convnet, width: 4, depth: 2 }\n";
  writeFileSync(
    config,
    `${size}tune: "off"\nplugins: [./parts.js]\nloss: { name: margin, margin: 0.4 }\n`,
  );
  const calls = { cwd: folder.path };
  const trained = await contrapose(
    ["train", data, "--out", out, "--config", config, "--samplers", "harder", "--json"],
    calls,
  );
  expect(trained.err).toContain("own        loss margin: give it again to go on with the run");
  expect(trained.code).toBe(0);
  const own = { own: ["loss margin", "sampler harder"], plugins: [plugin] };
  expect(trained.json().config).toMatchObject({ ...own, loss: { name: "margin", margin: 0.4 } });
  const records = readFileSync(join(out, "metrics.jsonl"), "utf8");
  expect(records).toMatch(/"kept":0\.\d/); // what the sampler reports
  const refused = await contrapose(["train", "--resume", out, "--epochs", "2"], calls);
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining(`--plugin ${plugin}`)]);
  const more = ["train", "--resume", out, "--epochs", "2", "--plugin", "parts.js", "--json"];
  expect((await contrapose(more, calls)).json()).toMatchObject({ epochs: 2, finished: true });
});

test("a plugin in TypeScript is read where Node reads it, else it is said in a sentence; packages too", async () => {
  const text = readFileSync(example, "utf8").replace(
    "perAnchor(similarity, {",
    "perAnchor(similarity: unknown, {",
  );
  writeFileSync(folder.at("parts.ts"), text.replaceAll('"margin"', '"typed"'));
  const typed = await contrapose(["list", "losses", "--plugin", "parts.ts"], { cwd: folder.path });
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) expect(typed.out).toContain("typed");
  else {
    expect(typed.code).toBe(2);
    expect(typed.err).toContain("does not read TypeScript, Node 22.18 and later do");
  }
  const place = folder.at("node_modules", "own-parts");
  mkdirSync(place, { recursive: true });
  copyFileSync(example, join(place, "index.js"));
  // a package brings its own imports: these are this checkout's
  const root = join(import.meta.dirname, "..");
  symlinkSync(root, folder.at("node_modules", "contrapose"));
  for (const name of ["@jax-js", "zod"])
    symlinkSync(join(root, "node_modules", name), folder.at("node_modules", name));
  writeFileSync(
    join(place, "package.json"),
    '{ "type": "module", "exports": { "import": "./index.js" } }',
  );
  const [one] = parseCases(readFileSync(ownCasesPath(), "utf8"), "own.json");
  writeFileSync(folder.at("cases.json"), JSON.stringify({ format: FORMAT, cases: [one] }));
  const checked = ["conformance", "cases.json", "--plugin", "own-parts", "--json"];
  const { out, code } = await contrapose(checked, { cwd: folder.path });
  expect([code, JSON.parse(out.trim().split("\n").at(-1)!)]).toMatchObject([
    0,
    { passed: 1, own: ["loss margin", "sampler harder"].map((name) => ({ name, breaches: [] })) },
  ]);
});
