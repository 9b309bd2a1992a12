import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { readJsonLines, readNpy, readParquet, readSafetensors } from "../src/files/index.ts";
import { contrapose, scratch, writeStripes } from "./cli.ts";

const folder = scratch();
const images = folder.at("stripes_batch.bin");
const heldOut = folder.at("held_batch.bin");
const run = folder.at("run");
const small = [
  ...["--epochs", "6", "--batch-size", "16", "--encoder", "convnet", "--width", "8"],
  ...["--set", "encoder.depth=2", "--threads", "1", "--workers", "0", "--quiet"],
  ...["--set", "evaluation.k=5"],
];

type Numbers = { accuracy: number; k: number; temperature: number };
type Evaluated = {
  knn: Numbers;
  linear: Numbers;
  alignment: number;
  uniformity: number;
  effectiveRank: number;
  baselines: { chance: number; untrained: { knn: Numbers }; pixels: { knn: Numbers } };
};

type Leaky = {
  images: { copies: number };
  knn: Numbers & { withoutCopies: number | null };
};

beforeAll(async () => {
  writeStripes(images, 128);
  writeStripes(heldOut, 40);
  const trained = await contrapose(["train", images, "--test", heldOut, "--out", run, ...small]);
  expect([trained.err, trained.code]).toEqual(["", 0]);
});
afterAll(() => folder.remove());

describe("evaluate", () => {
  test("gives accuracies beside chance, an untrained encoder and raw pixels", async () => {
    const args = ["evaluate", run, "--train", images, "--test", heldOut, "--k", "5", "--json"];
    const { code, json, err } = await contrapose(args);
    expect(err).not.toContain("error");
    expect(code).toBe(0);
    const found = json() as unknown as Evaluated;
    expect(found.knn).toMatchObject({ k: 5, temperature: 0.07 });
    expect(found.knn.accuracy).toBeGreaterThan(0.6); // four kinds of stripes
    expect(found.linear.accuracy).toBeGreaterThan(0.6);
    expect(found.alignment).toBeGreaterThanOrEqual(0);
    expect(found.uniformity).toBeLessThan(0);
    expect(found.effectiveRank).toBeGreaterThan(1);
    expect(found.baselines.chance).toBeCloseTo(0.25);
    expect(found.baselines.untrained.knn.accuracy).toBeGreaterThan(0);
    expect(found.baselines.pixels.knn.accuracy).toBeGreaterThan(0);
    // training measured the same of the same images: one figure, one meaning
    const lines = (await readJsonLines(join(run, "metrics.jsonl"))) as Record<string, unknown>[];
    const { untrained, pixels } = found.baselines;
    expect(lines.find(({ kind }) => kind === "baselines")).toMatchObject({
      knnPixels: pixels.knn.accuracy,
      knnStart: untrained.knn.accuracy,
      knnAsked: "test",
      knnImages: 40,
      knnK: 5,
    });
    expect(lines.findLast(({ kind }) => kind === "evaluation")).toMatchObject({
      knnAccuracy: found.knn.accuracy,
      knnAsked: "test",
      knnImages: 40,
    });
  });

  test("is the same twice, and holds images out where no test images are given", async () => {
    const weights = join(run, "checkpoints", "last", "weights.safetensors");
    const args = ["evaluate", weights, "--no-baselines", "--json", "--quiet"];
    const [one, other] = [await contrapose(args), await contrapose(args)];
    expect(one.code).toBe(0);
    expect(one.json()).toEqual(other.json());
    expect(one.json().images).toMatchObject({
      how: "a fifth of the training images, asked of the others",
    });
  });

  test("asks the test images of a run where none are given, and counts copies among them", async () => {
    const { code, json, out } = await contrapose(["evaluate", run, "--no-baselines", "--json"]);
    expect([code, out === ""]).toEqual([0, false]);
    expect(json().images).toMatchObject({ test: 40, how: "test images as given" });
    const mixed = folder.at("mixed_batch.bin"); // 40 held out, 128 that were trained on
    writeFileSync(mixed, Buffer.concat([readFileSync(heldOut), readFileSync(images)]));
    const args = ["evaluate", run, "--train", images, "--test", mixed, "--no-baselines", "--json"];
    const leaky = (await contrapose(args)).json() as unknown as Leaky;
    expect(leaky.images.copies).toBeGreaterThanOrEqual(128);
    expect(leaky.knn.withoutCopies).not.toBe(leaky.knn.accuracy);
  });

  test("refuses the training images as test images", async () => {
    const called = await contrapose(["evaluate", run, "--test", images]);
    expect(called.code).toBe(2);
    expect(called.err).toContain("the test images are the training images themselves (128 images)");
  });

  test("measures embeddings behind the head as well", async () => {
    const args = ["evaluate", run, "--features", "head", "--test", heldOut, "--no-baselines"];
    const { code, json } = await contrapose([...args, "--json", "--quiet"]);
    expect(code).toBe(0);
    expect(json()).toMatchObject({ features: "head", dimension: 128 });
  });
});

test("embed writes the same features to Parquet and npy, with ids and labels", async () => {
  const out = folder.at("embedded");
  const { code } = await contrapose(["embed", run, "--data", heldOut, "--out", out]);
  expect(code).toBe(0);
  const rows = (await readParquet(`${out}.parquet`)) as {
    id: string;
    label: string;
    vector: number[];
  }[];
  const array = await readNpy(`${out}.npy`);
  const names = readFileSync(`${out}.names.txt`, "utf8").trimEnd().split("\n");
  expect(rows.map(({ id }) => id)).toEqual(names);
  expect(array.shape).toEqual([40, rows[0].vector.length]);
  expect(Array.from(rows[7].vector)).toEqual(
    Array.from(array.data.slice(7 * array.shape[1], 8 * array.shape[1])),
  );
  expect(new Set(rows.map(({ label }) => label)).size).toBe(4);
  const again = await contrapose(["embed", run, "--data", heldOut, "--out", out, "--json"]);
  expect(again.json()).toMatchObject({ fresh: 0, kept: 40 });
  const array2 = await contrapose(["embed", run, "--data", heldOut, "--out", `${out}.npy`]);
  expect(array2.code).toBe(2);
  expect(array2.err).toContain("exists, and there is no table (.parquet) to go on from");
});

describe("export", () => {
  const out = folder.at("exported");

  test("writes a model for any batch that gives the encoder's features", async () => {
    const { code, json } = await contrapose(["export", run, "--out", out, "--json"]);
    expect(code).toBe(0);
    const exported = json() as { batch: string; relative: number };
    expect(exported.batch).toBe("any");
    expect(exported.relative).toBeLessThan(1e-4);
    const { arrays, metadata } = await readSafetensors(join(out, "weights.safetensors"));
    expect(Object.keys(arrays).length).toBeGreaterThan(4);
    expect(JSON.parse(metadata.encoder)).toMatchObject({ name: "convnet", width: 8 });
    expect(readFileSync(join(out, "README.md"), "utf8")).toContain("onnxruntime.InferenceSession");
  });

  test("weights exported start another run and are evaluated as they are", async () => {
    const weights = join(out, "weights.safetensors");
    const to = folder.at("continued");
    const args = ["train", images, "--init", weights, "--out", to, ...small, "--epochs", "1"];
    const { code, err } = await contrapose(args.filter((word) => word !== "--quiet"));
    expect(code).toBe(0);
    expect(err).toMatch(/init {7}\d+ arrays from .*not in the file, drawn anew: head/);
    const cwd = folder.path; // the images are packed here, the weights are of no run
    const evaluated = await contrapose(["evaluate", weights, "--train", images, "--json"], { cwd });
    expect(evaluated.code).toBe(0);
  });

  const interpreter = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3"; // Debian's has the packages
  const python = spawnSync(interpreter, ["-c", "import torch"]).status === 0;
  test.skipIf(!python)("PyTorch gives the same features (needs python3-torch)", async () => {
    const to = folder.at("torch-run");
    const flags = ["--encoder", "resnet", "--width", "8", "--blocks", "1,1", "--epochs", "1"];
    const args = ["train", images, "--out", to, "--batch-size", "16", ...flags, "--quiet"];
    const trained = await contrapose([...args, "--threads", "1", "--workers", "0"]);
    expect(trained.code).toBe(0);
    const script = join(import.meta.dirname, "torchFeatures.py");
    const embedded = await contrapose([
      "embed",
      to,
      "--data",
      heldOut,
      "--out",
      folder.at("t.npy"),
    ]);
    expect(embedded.code).toBe(0);
    const weights = join(to, "checkpoints", "last", "weights.safetensors");
    const result = spawnSync(interpreter, [script, weights, heldOut, folder.at("t.npy")]);
    expect(result.stderr.toString()).toBe("");
    const largest = Number(result.stdout.toString());
    process.stdout.write(`largest difference to PyTorch: ${largest.toExponential(1)}\n`);
    expect(largest).toBeLessThan(1e-4);
  });
});

test("report writes a page that holds everything itself", async () => {
  const { code, json } = await contrapose(["report", run, "--test", heldOut, "--json", "--quiet"]);
  expect(code).toBe(0);
  const page = readFileSync(String(json().report), "utf8");
  expect(page).toContain("<!doctype html>");
  expect(page).not.toMatch(/<script|src="http|href="http/);
  expect(existsSync(join(run, "report.json"))).toBe(true);
  const notes = folder.at("notes.txt");
  writeFileSync(notes, "mine");
  const refused = await contrapose(["report", run, "--out", notes]);
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("exists")]);
  expect(readFileSync(notes, "utf8")).toBe("mine");
});

test("report measures again, on the same images, where what is kept is of other weights", async () => {
  const file = join(run, "evaluation.json");
  const kept = JSON.parse(readFileSync(file, "utf8")) as Evaluated;
  const stale = { ...kept, knn: { ...kept.knn, accuracy: 0.123 }, encoderHash: "another" };
  writeFileSync(file, JSON.stringify(stale));
  const { code, json } = await contrapose(["report", run, "--json", "--quiet"]);
  expect(code).toBe(0);
  expect(json().evaluation).toMatchObject({ knn: kept.knn, images: { test: 40 } });
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(kept);
});

test("preview draws views, warns and estimates", async () => {
  const out = folder.at("views.png");
  const args = ["preview", images, "--out", out, "--images", "2", "--count", "3", "--set"];
  const called = await contrapose([
    ...args,
    "views.crop.scale=[0.02,1]",
    "--epochs",
    "3",
    "--json",
  ]);
  expect(called.code).toBe(0);
  expect(readFileSync(out).subarray(1, 4).toString()).toBe("PNG");
  const { warnings, estimate } = called.json() as { warnings: string[]; estimate: object };
  expect(warnings.join()).toContain("2 % of an image");
  expect(estimate).toMatchObject({ stepsPerEpoch: 4 });
});

test("sample draws a set, pack packs it and says so in JSON", async () => {
  const set = folder.at("shapes");
  const drawn = await contrapose(["sample", set, "--train", "30", "--test", "10", "--size", "32"]);
  expect(drawn.code).toBe(0);
  const packed = await contrapose(["pack", join(set, "train"), "--out", folder.at("p"), "--json"]);
  expect(packed.code).toBe(0);
  expect(packed.json()).toMatchObject({ images: 30, skipped: [] });
  const again = await contrapose(["pack", join(set, "train"), "--out", folder.at("p"), "--json"]);
  expect(again.json()).toMatchObject({ images: 30, packed: 0, kept: 30 });
});

test("bench step times a training step", async () => {
  const shape = ["--width", "4", "--blocks", "1,1", "--batch", "16", "--steps", "2"];
  const { code, json } = await contrapose(["bench", "step", ...shape, "--json"]);
  expect(code).toBe(0);
  const { imagesPerSecond, medianMs } = json() as { imagesPerSecond: number; medianMs: number };
  expect(imagesPerSecond).toBeCloseTo(16_000 / medianMs, -1);
});

/** A small disk in memory; only root can mount one. */
function smallDisk(path: string, size: string): boolean {
  mkdirSync(path, { recursive: true });
  return spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path]).status === 0;
}

test("a disk that fills up while training ends it with one sentence and a whole checkpoint", async (context) => {
  const disk = folder.at("disk");
  if (!smallDisk(disk, "700k")) return context.skip("needs the right to mount a tmpfs");
  try {
    const to = join(disk, "run");
    const flags = [...small, "--epochs", "400", "--set", "checkpoint.keepEvery=1"];
    const packed = await contrapose(["pack", images, "--out", folder.at("packed")]);
    expect(packed.code).toBe(0);
    const called = await contrapose(["train", folder.at("packed"), "--out", to, ...flags]);
    expect(called.code).toBe(1);
    expect(called.err).toContain("the disk is full");
    expect(called.err.trim().split("\n").length).toBeLessThanOrEqual(2);
    const evaluated = await contrapose([
      "embed",
      to,
      "--data",
      folder.at("packed"),
      "--out",
      folder.at("e"),
    ]);
    expect(evaluated.code).toBe(0);
  } finally {
    spawnSync("umount", [disk]);
  }
});
