import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { VERSION } from "../src/core/version.ts";
import { contrapose, scratch, writeStripes } from "./cli.ts";

const folder = scratch();
const images = folder.at("stripes_batch.bin");
const heldOut = folder.at("held_batch.bin");
const run = folder.at("run");
const small = [
  ...["--epochs", "2", "--batch-size", "16", "--encoder", "convnet", "--width", "4"],
  ...["--set", "encoder.depth=2", "--threads", "1", "--workers", "0"],
];

beforeAll(async () => {
  writeStripes(images, 96);
  writeStripes(heldOut, 40);
  const trained = await contrapose(["train", images, "--out", run, ...small, "--json"]);
  expect(trained.err).toContain("epoch");
  expect(trained.code).toBe(0);
  const answer = trained.json();
  expect(answer).toMatchObject({ run, epochs: 2, steps: 12, finished: true });
  expect(Number(answer.loss)).toBeGreaterThan(0);
  expect(Number(answer.knn)).toBeGreaterThan(0);
});
afterAll(() => folder.remove());

/** An error is one sentence and perhaps a hint, on stderr; nothing is said on stdout. */
function expectSentence(called: { code: number | null; out: string; err: string }, code: number) {
  expect(called.err).toMatch(/^error /m);
  expect(called.err).not.toMatch(/^\s+at /m);
  expect(called.err.trim().split("\n").length).toBeLessThanOrEqual(2);
  expect(called.out).toBe("");
  expect(called.code).toBe(code);
}

describe("the frame", () => {
  test("--version prints the version alone", async () => {
    const { out, err, code } = await contrapose(["--version"]);
    expect([out, err, code]).toEqual([`${VERSION}\n`, "", 0]);
  });

  test("help of the program and of each verb names what there is", async () => {
    const { out, code } = await contrapose([]);
    expect(code).toBe(0);
    const verbs = ["quickstart", "sample", "pack", "preview", "train", "evaluate", "embed"];
    for (const verb of [...verbs, "export", "report", "bench", "list"]) expect(out).toContain(verb);
    const help = await contrapose(["train", "--help"]);
    expect(help.code).toBe(0);
    for (const option of ["--data", "--batch-size", "--resume", "--set"]) {
      expect(help.out).toContain(option);
    }
  });

  test("every wrong option is reported at once, with suggestions", async () => {
    const called = await contrapose(["train", images, "--epoch", "3", "--batchsize", "4", "--bad"]);
    expect(called.code).toBe(2);
    expect(called.err).toContain("train: 3 mistakes");
    expect(called.err).toContain("--epoch is not an option, did you mean --epochs?");
    expect(called.err).toContain("--batchsize is not an option, did you mean --batch-size?");
    expect(called.err).toContain("--bad is not an option");
  });

  test("a verb that does not exist is answered with the nearest", async () => {
    const called = await contrapose(["trian"]);
    expectSentence(called, 2);
    expect(called.err).toContain("did you mean contrapose train?");
  });

  test("list --json gives every catalogue with options", async () => {
    const { json, code } = await contrapose(["list", "--json"]);
    expect(code).toBe(0);
    const { methods, encoders } = json() as Record<string, { name: string }[]>;
    expect(methods.map(({ name }) => name)).toContain("simclr");
    expect(encoders.map(({ name }) => name)).toContain("resnet");
  });

  test("progress that nobody reads any more ends no run", async () => {
    const out = folder.at("unread");
    const { code, json } = await contrapose(["train", images, "--out", out, ...small, "--json"], {
      kill: ({ stderr }) => stderr?.once("data", () => stderr.destroy()),
    });
    expect(code).toBe(0);
    expect(json()).toMatchObject({ steps: 12, finished: true });
  });

  test("nothing that moves the cursor or colours is written to a pipe", async () => {
    const { out, err } = await contrapose(["train", "--resume", run]);

    expect(out + err).not.toMatch(/[\u001b\r]/);
  });
});

describe("a config", () => {
  test("with three mistakes is answered with all three", async () => {
    const config = folder.at("bad.json");
    const text = { batchSize: "many", optimiser: { name: "sdg" }, loss: { temprature: 0.1 } };
    writeFileSync(config, JSON.stringify({ data: images, ...text }));
    const { code, err } = await contrapose(["train", "--config", config]);
    expect(code).toBe(2);
    expect(err).toContain("train: 3 mistakes");
    expect(err).toMatch(/batchSize: .*many/);
    expect(err).toMatch(/optimiser: "sdg" is none of .*did you mean sgd\?/);
    expect(err).toMatch(/temprature is not an option of infoNce, did you mean temperature\?/);
  });

  test("as YAML with flags over it ends in the run's config.json", async () => {
    const config = folder.at("recipe.yaml");
    const out = folder.at("recipe-run");
    const lines = ["$schema: x", "epochs: 9", "batchSize: 16", "encoder:", "  name: convnet"];
    const more = ["  width: 4", "  depth: 2", "threads: 1", "workers: 0", "seed: 3"];
    writeFileSync(config, [...lines, ...more].join("\n"));
    const flags = ["--epochs", "1", "--temperature", "0.5", "--weight-decay", "0.01"];
    const called = await contrapose(["train", images, "--config", config, "--out", out, ...flags]);
    expect(called.code).toBe(0);
    const written = JSON.parse(readFileSync(join(out, "config.json"), "utf8")) as object;
    expect(written).toMatchObject({
      epochs: 1,
      seed: 3,
      loss: { name: "infoNce", temperature: 0.5 },
      optimiser: { name: "adamw", weightDecay: 0.01 },
      encoder: { name: "convnet", width: 4 },
    });
  });

  test("that is no YAML is answered with the place", async () => {
    const config = folder.at("broken.yaml");
    writeFileSync(config, "epochs: [1\nbatch: }");
    const called = await contrapose(["train", images, "--config", config]);
    expectSentence(called, 2);
    expect(called.err).toContain("cannot be parsed");
  });
});

describe("bad input gives one sentence, exit code 2, and loses nothing", () => {
  test("no data at all", async () => {
    const called = await contrapose(["train"]);
    expectSentence(called, 2);
    expect(called.err).toContain("data is missing");
  });

  test("an empty folder, even with --overwrite", async () => {
    mkdirSync(folder.at("empty"));
    const before = readdirSync(run).sort();
    const called = await contrapose(["train", folder.at("empty"), "--out", run, "--overwrite"]);
    expectSentence(called, 2);
    expect(readdirSync(run).sort()).toEqual(before);
  });

  test("a folder that does not exist", async () => {
    const called = await contrapose(["train", folder.at("nowhere"), "--out", folder.at("n")]);
    expectSentence(called, 2);
    expect(called.err).toContain("does not exist");
    expect(existsSync(folder.at("n"))).toBe(false);
  });

  test("a file instead of a folder", async () => {
    writeFileSync(folder.at("notes.txt"), "no images here");
    const called = await contrapose(["train", folder.at("notes.txt"), "--out", folder.at("f")]);
    expectSentence(called, 2);
    expect(called.err).toContain("notes.txt");
  });

  test("files that are no images", async () => {
    mkdirSync(folder.at("broken"));
    for (let i = 0; i < 4; i++) writeFileSync(folder.at("broken", `${i}.jpg`), "this is no jpeg");
    const called = await contrapose(["train", folder.at("broken"), "--out", folder.at("b")]);
    expectSentence(called, 2);
    const packed = await contrapose(["pack", folder.at("broken"), "--out", folder.at("bp")]);
    expectSentence(packed, 2);
  });

  test("a run that is there already", async () => {
    const before = readFileSync(join(run, "metrics.jsonl"), "utf8");
    const called = await contrapose(["train", images, "--out", run, ...small]);
    expectSentence(called, 2);
    expect(called.err).toContain("--resume");
    expect(readFileSync(join(run, "metrics.jsonl"), "utf8")).toBe(before);
  });

  test("--overwrite over a folder that holds no run", async () => {
    mkdirSync(folder.at("letters"));
    writeFileSync(folder.at("letters", "dear.txt"), "mother");
    const called = await contrapose([
      "train",
      images,
      "--out",
      folder.at("letters"),
      "--overwrite",
    ]);
    expectSentence(called, 2);
    expect(readdirSync(folder.at("letters"))).toEqual(["dear.txt"]);
  });

  test("a batch larger than the dataset", async () => {
    const called = await contrapose([
      "train",
      images,
      "--batch-size",
      "500",
      "--out",
      folder.at("l"),
    ]);
    expect(called.code).toBe(2);
    expect(called.err).toContain("batchSize is 500, expected at most the 96 images");
  });

  test("a device that is not there", async () => {
    const args = ["train", images, "--device", "gpu9", "--out", folder.at("d")];
    const called = await contrapose(args);
    expect(called.code).toBe(2);
    expect(called.err).toContain('device "gpu9" is unknown');
  });

  test("weights of another encoder", async () => {
    const args = ["train", images, "--init", run, "--encoder", "resnet", "--out", folder.at("i")];
    const called = await contrapose(args);
    expect(called.code).toBe(2);
    expect(called.err).toContain("fits the encoder");
  });

  test("a run that is none, for every verb that takes one", async () => {
    for (const verb of ["evaluate", "embed", "export", "report"]) {
      const called = await contrapose([verb, folder.at("nowhere")]);
      expectSentence(called, 2);
      expect(called.err).toContain("does not exist");
    }
  });

  test("a folder with a config.json of something else", async () => {
    mkdirSync(folder.at("app"));
    writeFileSync(folder.at("app", "config.json"), '{"name": "app"}');
    for (const verb of [["doctor"], ["inspect"], ["train", "--resume"]]) {
      const called = await contrapose([...verb, folder.at("app")]);
      expectSentence(called, 2);
      expect(called.err).toContain("is not the config of a run");
    }
  });

  test.skipIf(!existsSync("/proc/version"))("an output that cannot be written", async () => {
    const called = await contrapose(["train", images, ...small, "--out", "/proc/run"]);
    expectSentence(called, 2);
    expect(called.err).toContain("/proc/run");
  });

  test.skipIf(process.getuid?.() === 0)("a folder without permission (not as root)", async () => {
    mkdirSync(folder.at("closed"));
    chmodSync(folder.at("closed"), 0o500);
    const called = await contrapose(["train", images, "--out", folder.at("closed", "run")]);
    expectSentence(called, 2);
    chmodSync(folder.at("closed"), 0o700);
    rmSync(folder.at("closed"), { recursive: true });
  });
});

describe("the config of a run", () => {
  test("written by a run repeats it bit for bit", async () => {
    const out = folder.at("repeated");
    const config = join(run, "config.json");
    const called = await contrapose(["train", "--config", config, "--out", out, "--quiet"]);
    expect(called.code).toBe(0);
    const weights = (of: string) =>
      readFileSync(join(of, "checkpoints", "last", "weights.safetensors")).toString("base64");
    expect(weights(out)).toBe(weights(run));
  });
});

describe("methods", () => {
  const short = [...small, "--epochs", "1", "--quiet", "--json"];

  test.each(["simclr", "moco", "instDisc"])("%s trains and goes on", async (method) => {
    const out = folder.at(`run-${method}`);
    const flags = ["--method", method, "--averaging", "0.9", "--out", out];
    const called = await contrapose(["train", images, ...short, ...flags]);
    expect(called.err).toBe("");
    expect(called.code).toBe(0);
    expect(Number(called.json().loss)).toBeGreaterThan(0);
    const again = await contrapose(["train", "--resume", out, "--json", "--quiet"]);
    expect(again.code).toBe(0);
    const { loss, knn } = called.json();
    expect(again.json()).toMatchObject({ steps: 6, finished: true, loss, knn });
  });

  test("micro-batches train as the whole batch with split normalisation does", async () => {
    const loss = async (name: string, more: string[]) => {
      const flags = ["--out", folder.at(name), "--learning-rate", "0.01", ...more];
      const called = await contrapose(["train", images, ...short, ...flags]);
      expect(called.err).toBe("");
      return Number(called.json().loss);
    };
    const split = ["--set", 'encoder.normalisation={"splitBatch":2}'];
    const whole = await loss("whole-batch", split);
    const cut = await loss("micro-batch", ["--micro-batch", "8"]);
    expect(Math.abs(whole - cut)).toBeLessThan(1e-4);
  });
});
