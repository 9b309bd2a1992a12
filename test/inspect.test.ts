import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { numpy as np } from "@jax-js/jax";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startJax } from "../src/engine/trace.ts";
import { type Loss, losses } from "../src/losses/index.ts";
import {
  type AnchorRow,
  type PairRow,
  readRecordedStep,
  recordedSteps,
  type TermSaid,
} from "../src/train/index.ts";
import { contrapose, scratch, writeStripes } from "./cli.ts";

const folder = scratch();
const images = folder.at("stripes_batch.bin");
const settings = [
  ...["--epochs", "4", "--batch-size", "16", "--encoder", "convnet", "--width", "4"],
  ...["--set", "encoder.depth=2", "--threads", "1", "--workers", "1", "--quiet"],
  ...["--set", "evaluation.every=0"],
];

type Run = { path: string; losses: number[] };
const runs: Record<string, Run> = {};

async function trained(method: string, ...more: string[]): Promise<Run> {
  const path = folder.at(method);
  const called = await contrapose([
    ...["train", images, "--out", path, "--method", method, ...settings, ...more],
  ]);
  expect(called.err).toBe("");
  const lines = readFileSync(join(path, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  const records = lines.map((line) => JSON.parse(line) as { kind: string; loss: number });
  const losses = records.flatMap(({ kind, loss }) => (kind === "step" ? [loss] : []));
  return { path, losses };
}

beforeAll(async () => {
  await startJax();
  writeStripes(images, 80);
  const all = ["--set", "record.steps=4", "--set", "record.anchors=16"];
  const small = ["--set", "framework.queueSize=32", "--set", "mixer.warmup=0"];
  runs.mochi = await trained("mochi", ...all, ...small);
  const found = ["topK=3", "threshold=-1", "warmup=0"];
  const options = found.flatMap((text) => ["--set", `samplers.falseNegatives.${text}`]);
  runs.fnc = await trained("fnc", ...all, ...options);
  runs.plain = await trained("simclr", "--set", "record.steps=0");
}, 120_000);
afterAll(() => folder.remove());

/** The loss of an anchor computed again from nothing but its recorded pairs, as the config names the loss. */
async function again(path: string, anchor: AnchorRow, pairs: readonly PairRow[]): Promise<number> {
  const config = JSON.parse(readFileSync(join(path, "config.json"), "utf8")) as {
    loss: { name: string };
  };
  const { name, ...options } = config.loss;
  const loss = (losses as unknown as Record<string, Loss>)[name];
  const own = pairs.filter(
    (row) => row.anchorRow === anchor.anchorRow && row.space === anchor.space,
  );
  let sum = 0;
  for (const [t, { weight, ...said }] of (JSON.parse(anchor.terms) as TermSaid[]).entries()) {
    const rows = own.filter(({ term }) => term === t);
    const column = (key: "similarity" | "positive" | "negative") =>
      np.array([rows.map((row) => row[key])], { dtype: np.float64 });
    const weights = { positive: column("positive"), negative: column("negative") };
    const value = loss(column("similarity"), weights, { ...options, ...said });
    sum += weight * ((await value.data())[0] as number);
  }
  return sum;
}

describe("what is recorded is what the loss used", () => {
  test.each(["mochi", "fnc"])("%s: the loss of every anchor comes again", async (method) => {
    const { path } = runs[method];
    const steps = recordedSteps(join(path, "pairs"));
    expect(steps).toEqual([0, 6, 13, 19]);
    for (const step of steps) {
      const { anchors, pairs } = await readRecordedStep(join(path, "pairs"), step);
      expect(anchors).toHaveLength(16);
      for (const anchor of anchors) {
        expect(anchor.leftOut).toBe(0);
        expect(Math.abs((await again(path, anchor, pairs)) - anchor.loss)).toBeLessThan(2e-5);
      }
    }
  });

  test("the mean over all anchors is the loss in metrics.jsonl", async () => {
    const { path, losses } = runs.mochi;
    for (const step of [6, 19]) {
      const { anchors } = await readRecordedStep(join(path, "pairs"), step);
      const mean = anchors.reduce((sum, { loss }) => sum + loss, 0) / anchors.length;
      expect(Math.abs(mean - losses[step])).toBeLessThan(2e-5);
    }
  });

  test("samplers and mixers say what they did", async () => {
    const { pairs } = await readRecordedStep(join(runs.fnc.path, "pairs"), 13);
    const attracted = pairs.filter(({ reasons }) => reasons === "attracted");
    expect(attracted).toHaveLength(3 * 16);
    expect(attracted.every(({ role, force }) => role === "positive" && force < 0)).toBe(true);
    const mixed = (await readRecordedStep(join(runs.mochi.path, "pairs"), 13)).pairs.filter(
      ({ kind }) => kind === "mixture",
    );
    expect(mixed.length).toBeGreaterThan(16);
    const anchorsOwn = mixed.filter(({ first }) => first === -1);
    expect(anchorsOwn.length).toBeGreaterThan(0);
    for (const { share, reasons, candidate } of anchorsOwn) {
      expect(share).toBeLessThan(0.5);
      expect([reasons, candidate]).toEqual(["mixed", null]);
    }
  });

  test("recording changes nothing of the run", async () => {
    const silent = folder.at("silent");
    const called = await contrapose([
      ...["train", images, "--out", silent, "--method", "simclr", ...settings],
      ...["--set", "record.steps=5"],
    ]);
    expect(called.err).toBe("");
    const weights = (path: string) =>
      readFileSync(join(path, "checkpoints", "last", "weights.safetensors")).toString("base64");
    expect(weights(silent)).toBe(weights(runs.plain.path));
    expect(existsSync(join(runs.plain.path, "pairs"))).toBe(false);
  });
});

describe("contrapose inspect", () => {
  test("writes a page, and tells the pairs of one anchor as JSON", async () => {
    const { path } = runs.fnc;
    const called = await contrapose(["inspect", path, "--step", "13", "--json"]);
    expect(called.err).toBe("");
    const { page, steps } = called.json() as {
      page: string;
      steps: { anchors: { path: string; image: number; positives: unknown[] }[] }[];
    };
    const [{ anchors }] = steps;
    expect(anchors).toHaveLength(16);
    const text = readFileSync(page, "utf8");
    expect(text).toContain("attracted");
    expect(text).toContain("data:image/webp;base64,");
    expect(text).not.toMatch(/https?:\/\//);
    const one = await contrapose(["inspect", path, "--anchor", String(anchors[3].image)]);
    expect(one.code).toBe(0);
    expect(one.out).toContain("pulled towards");
  });

  test("says what it cannot show", async () => {
    const without = await contrapose(["inspect", runs.plain.path]);
    expect([without.code, without.err]).toEqual([
      2,
      expect.stringMatching(/no recorded pairs\n {2}hint: .*record\.steps/),
    ]);
    const step = await contrapose(["inspect", runs.fnc.path, "--step", "7"]);
    expect([step.code, step.err]).toEqual([
      2,
      expect.stringMatching(/step 7 was not recorded, only 0, 6, 13, 19/),
    ]);
    const anchor = await contrapose(["inspect", runs.fnc.path, "--anchor", "nothing.jpg"]);
    expect(anchor.code).toBe(2);
    expect(anchor.err).toMatch(/"nothing\.jpg" is no anchor/);
  });
});

describe("contrapose doctor", () => {
  test("gives a verdict with its evidence", async () => {
    const called = await contrapose(["doctor", runs.mochi.path, "--json"]);
    expect(called.err).toBe("");
    const { verdict, finding, evidence, steps } = called.json();
    expect([typeof verdict, typeof finding, steps]).toEqual(["string", "string", 20]);
    expect(evidence).not.toHaveLength(0);
    const early = await contrapose(["doctor", runs.mochi.path, "--step", "3"]);
    expect(early.code).toBe(0);
    expect(early.out).toMatch(/steps {6}4 of 20/);
  });

  test("says what is no run", async () => {
    const nowhere = await contrapose(["doctor", folder.at("nowhere")]);
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringMatching(/does not exist/)]);
  });
});
