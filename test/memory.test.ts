import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { contrapose, scratch, writeStripes } from "./cli.ts";

const folder = scratch();
afterAll(() => folder.remove());

test("memory stays flat over two thousand steps", async () => {
  const images = folder.at("stripes_batch.bin");
  writeStripes(images, 160);
  const run = folder.at("run");
  // a small heap makes the collector work all along: in a large one garbage looks like a leak for a thousand steps
  const env = { NODE_OPTIONS: "--max-old-space-size=64" };
  const args = [
    ...["train", images, "--out", run, "--epochs", "200", "--batch-size", "16", "--quiet"],
    ...["--encoder", "convnet", "--width", "4", "--set", "encoder.depth=2", "--threads", "1"],
    ...["--set", "evaluation.every=20", "--set", "checkpoint.keepEvery=0"],
  ];
  const called = await contrapose(args, { env });
  expect([called.err, called.code]).toEqual(["", 0]);
  const records = readFileSync(join(run, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  const memory = records.flatMap((line) => {
    const { kind, memoryMiB } = JSON.parse(line) as { kind: string; memoryMiB: number };
    return kind === "step" ? [memoryMiB] : [];
  });
  expect(memory).toHaveLength(2000);
  const largest = (from: number, to: number) => Math.max(...memory.slice(from, to));
  // the first steps fill caches; a leak goes on after them
  expect(largest(1000, 2000) - largest(500, 1000)).toBeLessThan(10); // MiB
}, 60_000);
