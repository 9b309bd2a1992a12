import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";

import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Comparison } from "../src/compare/index.ts";
import { VERSION } from "../src/core/version.ts";
import { readJsonLines } from "../src/files/index.ts";
import { contrapose, scratch, writeStripes } from "./cli.ts";

const folder = scratch();
const images = folder.at("stripes_batch.bin");
const out = folder.at("compared");
const small = [
  ...["--epochs", "1", "--batch-size", "16", "--encoder", "convnet", "--width", "4"],
  ...["--set", "encoder.depth=2", "--workers", "0", "--parallel", "2"],
];
const call = ["compare", images, "--methods", "simclr,decoupled", "--seeds", "2", "--out", out];

beforeAll(() => writeStripes(images, 48));
afterAll(() => folder.remove());

test("two methods of two seeds are interrupted, gone on with, and not repeated", async () => {
  const stopped = await contrapose([...call, ...small, "--json"], {
    kill(child) {
      child.stderr!.on("data", (text: Buffer) => {
        if (text.toString().includes("1 of 4")) child.kill("SIGINT");
      });
    },
  });
  expect(stopped.code).toBe(130);
  expect(stopped.json()).toMatchObject({ finished: false });
  const first = (await readJsonLines(folder.at("compared", "results.jsonl"))) as { run: string }[];
  expect(first.length).toBeGreaterThan(0);
  const metrics = folder.at("compared", first[0].run, "metrics.jsonl");
  const written = statSync(metrics).mtimeMs;

  const called = await contrapose([...call, ...small, "--json"]);
  expect(called.err).not.toContain("error");
  expect(called.code).toBe(0);
  expect(statSync(metrics).mtimeMs).toBe(written);
  const all = called.json() as unknown as Comparison & { finished: boolean };
  expect(all).toMatchObject({ finished: true, base: "simclr", seeds: [0, 1], comparisons: 1 });
  expect(all.runs).toEqual({ total: 4, done: 4, failed: [] });
  expect(all.arms.map(({ name, seeds, verdict }) => [name, seeds, verdict])).toEqual([
    ["simclr", [0, 1], "base"],
    ["decoupled", [0, 1], "few"], // of two seeds nothing is called a difference
  ]);
  expect(all.arms[1].measures.knn!.difference!.n).toBe(2);
  expect(all.baselines.chance).toBeGreaterThan(0);
  for (const file of ["compare.html", "compare.md", "compare.json", "comparison.json"]) {
    expect(existsSync(folder.at("compared", file)), file).toBe(true);
  }
  const kept = await readJsonLines(folder.at("compared", "results.jsonl"));
  expect(kept).toHaveLength(4);
  expect(kept[0]).toMatchObject({ seed: 0, contrapose: VERSION });
  const { decisive } = kept[0] as { decisive: Record<string, unknown> };
  expect(decisive).toMatchObject({ encoder: { name: "convnet", width: 4 }, seed: 0 });
  expect(decisive).toMatchObject({
    dataset: expect.stringMatching(/^[0-9a-f]{8}/),
    testImages: null,
  });
}, 180_000);

test("runs of an arm are made again where that is asked for, those of others are kept", async () => {
  const results = folder.at("compared", "results.jsonl");
  const dates = async () =>
    new Map(
      ((await readJsonLines(results)) as { arm: string; seed: number; date: string }[]).map(
        ({ arm, seed, date }) => [`${arm} ${seed}`, date],
      ),
    );
  const before = await dates();
  const one = call.map((word) => (word === "2" ? "1" : word)); // seed
  const called = await contrapose([...one, ...small, "--again", "decoupled", "--json"]);
  expect(called.err).not.toContain("error");
  const all = called.json() as unknown as Comparison;
  expect(all.runs.done).toBe(2);
  expect(all.command).not.toContain("--again");
  const after = await dates();
  const changed = [...after.keys()].filter((key) => after.get(key) !== before.get(key));
  expect([changed, after.size]).toEqual([["decoupled 0"], 4]);
}, 180_000);

test("other settings are refused, not mixed in", async () => {
  const called = await contrapose([...call, ...small, "--temperature", "0.7"]);
  expect(called.code).toBe(2);
  expect(called.err).toContain("the run simclr-seed0");
  expect(called.err).toContain("loss.temperature is 0.7, was 0.2");
  const parallel = await contrapose([...call, ...small.slice(0, -1), "1"]);
  expect(parallel.code).toBe(2);
  expect(parallel.err).toContain("begun with 2");
});

test("runs on images without labels, behind a pretrained encoder, are judged by test images with labels beside it", async () => {
  const bare = folder.at("bare");
  mkdirSync(bare);
  for (let i = 0; i < 16; i++) {
    const raw = { width: 32, height: 32, channels: 3 as const };
    const pixels = Uint8Array.from({ length: 3072 }, (_, p) => (p * (i + 3)) % 251);
    await sharp(pixels, { raw })
      .png()
      .toFile(folder.at("bare", `${i}.png`));
  }
  const where = ["--test", images, "--out", folder.at("unlabelled")];
  const methods = ["--methods", "simclr,decoupled", "--seeds", "1"];
  const every = ["--set", "evaluation.every=1", "--json"];
  const from = ["--from", folder.at("compared", "runs", "simclr-seed0")];
  const brief = ["--epochs", "1", "--batch-size", "16", "--parallel", "2", "--kept-views", "4"];
  const args = [...methods, ...where, ...from, ...brief, ...every];
  const called = await contrapose(["compare", bare, ...args]);
  expect(called.err).not.toContain("failed");
  expect(called.err.match(/features {3}of /g)).toHaveLength(3); // both arms go by the same
  expect(called.code).toBe(0);
  const all = called.json() as unknown as Comparison;
  expect(all.runs).toEqual({ total: 2, done: 2, failed: [] });
  expect(all.arms[0].measures.knn!.mean).toBeGreaterThan(0);
  const { start, untrained } = all.baselines;
  expect(start!.knnBalanced).toBeGreaterThan(0);
  expect(untrained).toBeNull();
  const { besideStart, measures } = all.arms[1];
  expect(besideStart!.mean).toBeCloseTo(measures.knnBalanced!.mean - start!.knnBalanced!, 12);
}, 120_000);

describe("bad input gives one sentence and exit code 2:", () => {
  test.each([
    [["--methods", "simclr,hlc"], '"hlc" is no method'],
    [["--methods", "simclr,hcl", "--budget", "5m"], "exclude each other"],
    [["--methods", "simclr,hcl", "--over", "seed=0,1"], "decides for all runs"],
    [["--methods", "simclr,hcl", "--set", "seed=4"], "decides for all runs"],
    [["--methods", "simclr,hcl", "--over", "loss.temprature=1,2"], "did you mean temperature?"],
    [["--methods", "simclr,hcl", "--loss", "infoNce"], "hcl would no longer be hcl"],
    [["--methods", "simclr", "--over", "from=a,b"], "from differs between arms"],
    [["--methods", "simclr", "--over", "imageSize=32,64", "--from", "a"], "imageSize differs"],
  ])("%j", async (args, sentence) => {
    const called = await contrapose(["compare", images, "--epochs", "1", ...args]);
    expect(called.code).toBe(2);
    expect(called.err).toContain(sentence);
    expect(called.err.trim().split("\n").length).toBeLessThanOrEqual(2);
    expect(called.out).toBe("");
  });

  test("epochs by --set beside a budget", async () => {
    const args = ["--methods", "simclr,hcl", "--set", "epochs=5", "--budget", "10m"];
    const called = await contrapose(["compare", images, ...args]);
    expect([called.code, called.err]).toEqual([2, expect.stringContaining("exclude each other")]);
  });

  test("groups that cannot be read, of a comparison and of an evaluation", async () => {
    const groups = ["--groups", folder.at("nowhere.json")];
    const place = folder.at("grouped");
    const called = await contrapose([...call.slice(0, -1), place, ...small, ...groups]);
    expect([called.code, called.err]).toEqual([2, expect.stringContaining("nowhere.json")]);
    expect(existsSync(folder.at("grouped", "configs"))).toBe(false);
    const run = folder.at("compared", "runs", "simclr-seed0");
    const evaluated = await contrapose(["evaluate", run, "--train", images, ...groups]);
    expect([evaluated.code, evaluated.err]).toEqual([2, expect.stringContaining("nowhere.json")]);
  });

  test("a folder that is no comparison", async () => {
    const called = await contrapose([...call.slice(0, -1), folder.path, ...small]);
    expect(called.code).toBe(2);
    expect(called.err).toContain("holds other files and no comparison");
  });

  test("arms that disagree about the epochs", async () => {
    const files = ["a", "b"].map((name) => folder.at(`${name}.json`));
    files.forEach((file, i) => writeFileSync(file, JSON.stringify({ epochs: i + 1 })));
    const called = await contrapose(["compare", images, "--configs", files.join()]);
    expect(called.code).toBe(2);
    expect(called.err).toContain("epochs differs between arms");
  });
});
