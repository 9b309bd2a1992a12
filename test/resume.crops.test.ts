import type { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { readSafetensors } from "../src/files/safetensors.ts";
import { timeFields } from "../src/train/events.ts";
import { contrapose, scratch, writeStripes } from "./cli.ts";

// contrastive crops, whose boxes are made anew after each of the first three epochs
const folder = scratch();
const images = folder.at("stripes_batch.bin");
const settings = [
  ...["--epochs", "4", "--batch-size", "16", "--encoder", "convnet", "--width", "4"],
  ...["--set", "encoder.depth=2", "--threads", "1", "--workers", "1", "--quiet"],
  ...["--set", "checkpoint.seconds=0.02", "--set", "evaluation.every=0"],
  ...["--set", "views.crop.kind=contrastive", "--set", "views.crop.threshold=0.6"],
  ...["--set", "views.falsePositives=0.1"],
];
const startArguments = (run: string) => ["train", images, "--out", run, ...settings];
const statePath = (run: string, name: string) =>
  join(run, "checkpoints", name, "state.safetensors");

type Line = Record<string, unknown>;
const linesOf = (run: string) =>
  readFileSync(join(run, "metrics.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

function resultOf(run: string) {
  const timeless = linesOf(run).map((line) =>
    Object.entries(line).filter(([name]) => !(timeFields as readonly string[]).includes(name)),
  );
  const weights = join(run, "checkpoints", "last", "weights.safetensors");
  const files = [weights, statePath(run, "last")];
  return { timeless, files: files.map((file) => readFileSync(file).toString("base64")) };
}

/** Kills a run without warning once metrics.jsonl has so many lines. */
const killAfter = (run: string, count: number) => (child: ReturnType<typeof spawn>) => {
  const metrics = join(run, "metrics.jsonl");
  const timer = setInterval(() => {
    const lines = existsSync(metrics) ? readFileSync(metrics, "utf8").split("\n").length - 1 : 0;
    if (lines >= count) child.kill("SIGKILL");
  }, 1);
  child.on("close", () => clearInterval(timer));
};

beforeAll(async () => {
  writeStripes(images, 104);
  const whole = await contrapose(startArguments(folder.at("whole")));
  expect([whole.err, whole.code]).toEqual(["", 0]);
});
afterAll(() => folder.remove());

test("boxes are made after the warm-up, recorded, and kept in the checkpoint", async () => {
  const run = folder.at("whole");
  const made = linesOf(run).filter(({ kind }) => kind === "crops");
  expect(made.map(({ epoch, step }) => [epoch, step])).toEqual([
    [1, 6],
    [2, 12],
    [3, 18],
  ]);
  for (const { boxArea, restrictedShare } of made) {
    expect(boxArea).toBeGreaterThan(0);
    expect(boxArea).toBeLessThan(1);
    expect(restrictedShare).toBeGreaterThan(0);
  }
  expect(readFileSync(join(run, "train.log"), "utf8")).toMatch(
    /boxes after epoch 3 .* restrict .* %/,
  );
  const { arrays } = await readSafetensors(statePath(run, "last"));
  expect(arrays["views/boxes"].shape).toEqual([104, 4]);
  const early = await readSafetensors(statePath(run, "epoch-0001"));
  expect(early.arrays["views/boxes"].data).not.toEqual(arrays["views/boxes"].data);
});

test("a run killed before, between and after refreshes goes on bit for bit", async () => {
  const run = folder.at("killed");
  let called = await contrapose(startArguments(run), { kill: killAfter(run, 4) });
  let kills = 0;
  for (const lines of [9, 18]) {
    if (called.code === 0) break;
    kills++;
    const more = ["--quiet", "--workers", String(kills % 3)];
    called = await contrapose(["train", "--resume", run, ...more], { kill: killAfter(run, lines) });
  }
  if (called.code !== 0) called = await contrapose(["train", "--resume", run, "--quiet"]);
  expect([called.err, called.code]).toEqual(["", 0]);
  expect(kills).toBeGreaterThan(1);
  expect(resultOf(run)).toEqual(resultOf(folder.at("whole")));
}, 60_000);

test("a step after a refresh is repeated with the boxes of its checkpoint", async () => {
  const run = folder.at("whole");
  const [step, checkpoint] = [12, join(run, "checkpoints", "epoch-0002")];
  const record = linesOf(run).find((line) => line.kind === "step" && line.step === step)!;
  const failure = { run, checkpoint, step, epoch: 2, notFinite: [], ...record, figures: {} };
  const path = folder.at("failure.json");
  writeFileSync(path, JSON.stringify(failure));
  const { code, json } = await contrapose(["train", "--replay", path, "--json"]);
  expect(code).toBe(0);
  expect((json().figures as Record<string, string>).loss).toBe(String(record.loss));
});
