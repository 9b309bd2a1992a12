import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { DataError } from "../../core/errors.ts";
import { examineRun } from "../health/doctor.ts";
import { runConfig } from "./runConfig.ts";
import { createRunFolder, isRun, runFolder } from "./runFolder.ts";

let path = "";
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "contrapose-run-"));
});
afterEach(() => rmSync(path, { recursive: true }));

const config = {
  data: "/photos",
  out: "/run",
  method: "simclr",
  device: "cpu",
  framework: { name: "simclr" },
  encoder: { name: "resnet" },
  head: { name: "linear" },
  loss: { name: "infoNce" },
  optimiser: { name: "sgd" },
  samplers: [],
  views: {},
  learningRate: 0.1,
  epochs: 10,
  batchSize: 10,
  imageSize: 32,
  seed: 0,
  threads: 1,
  about: { dataset: { images: 100, fingerprint: "f" }, choices: [] },
};
const times = { imagesPerSecond: 1, waitShare: 0, memoryMiB: 1, elapsedSeconds: 1 };
const steps = (count: number) =>
  Array.from({ length: count }, (_, step) =>
    JSON.stringify({
      kind: "step",
      epoch: 0,
      step,
      loss: 1,
      chanceLoss: 3,
      learningRate: 0.1,
      ...times,
    }),
  );
const failure = (step: number) => ({
  run: path,
  checkpoint: "before-failure",
  step,
  epoch: 0,
  learningRate: 0.1,
  notFinite: ["loss"],
});
const write = (name: string, content: unknown) =>
  writeFileSync(join(path, name), typeof content === "string" ? content : JSON.stringify(content));

test("a run that starts anew keeps no figures of the one before, and no file is touched that is not a run's", () => {
  for (const name of ["config.json", "evaluation.json", "report.json", "report.html"]) {
    write(name, {});
  }
  write("notes.txt", "mine");
  mkdirSync(join(path, "checkpoints", "last"), { recursive: true });
  const folder = createRunFolder(path, true);
  for (const file of [folder.config, folder.evaluation, folder.reportData, folder.report]) {
    expect(existsSync(file)).toBe(false);
  }
  expect(existsSync(join(folder.checkpoints, "last"))).toBe(false);
  expect(existsSync(join(path, "notes.txt"))).toBe(true);
});

test("a config.json of something else, or cut short, is told as such", async () => {
  for (const content of ['{"name": "app"}', "null", "[]", JSON.stringify(config).slice(0, 99)]) {
    write("config.json", content);
    expect(() => runConfig(path)).toThrow(DataError);
    await expect(examineRun(path)).rejects.toThrow(/config\.json" is (no|not)/);
  }
  write("config.json", { ...config, batchSize: "many" });
  expect(() => runConfig(path)).toThrow(
    /is not the config of a run: batchSize: expected number, received string$/,
  );
  write("config.json", config);
  expect(runConfig(path)).toMatchObject({ batchSize: 10 });
});

test("only a folder with figures of its own is taken for a run", () => {
  write("config.json", "{}");
  expect(isRun(path)).toBe(false);
  write("metrics.jsonl", "");
  expect(isRun(path)).toBe(true);
});

test("the doctor tells of a step that failed where the run stopped at it, not before and not after", async () => {
  write("config.json", config);
  write("metrics.jsonl", `${steps(30).join("\n")}\n`);
  const { failure: file } = runFolder(path);
  write("failure.json", failure(30));
  expect(await examineRun(path)).toMatchObject({ finding: "not finite", steps: 30 });
  expect(await examineRun(path, { upTo: 12 })).toMatchObject({ finding: "healthy", steps: 13 });
  write("failure.json", failure(20)); // passed when the run went on
  expect(await examineRun(path)).toMatchObject({ finding: "healthy" });
  writeFileSync(file, '{"step": 30}');
  await expect(examineRun(path)).rejects.toThrow(/is not the failure\.json of a run/);
});

test("the doctor says where the records end before the last checkpoint", async () => {
  write("config.json", config);
  const lines = `${steps(30).join("\n")}\n`;
  const last = join(path, "checkpoints", "last");
  mkdirSync(last, { recursive: true });
  const none = { bytes: 0, sha256: "" };
  const position = {
    format: 1,
    package: "0.1.0",
    step: 30,
    epoch: 3,
    stepInEpoch: 0,
    elapsedSeconds: 1,
    best: null,
    lossSum: 0,
    configHash: "c",
    decisive: {},
    files: { "weights.safetensors": none, "state.safetensors": none },
    lengths: { "metrics.jsonl": lines.length },
  };
  write("checkpoints/last/position.json", position);
  write("metrics.jsonl", lines);
  expect(await examineRun(path)).toMatchObject({ finding: "healthy", steps: 30 });
  write("metrics.jsonl", `${steps(20).join("\n")}\n`);
  const cut = await examineRun(path);
  expect(cut).toMatchObject({ verdict: "watch", finding: "records cut short", steps: 20 });
  expect(cut.sentence).toMatch(/^metrics\.jsonl is cut short: it has 20 of the 30 steps/);
  expect(await examineRun(path, { upTo: 12 })).toMatchObject({ finding: "healthy" });
  position.lengths["metrics.jsonl"]++; // steps are all there, a measurement is not
  write("checkpoints/last/position.json", position);
  write("metrics.jsonl", lines);
  expect((await examineRun(path)).sentence).toMatch(/30 steps .*, and not all that was measured/);
});
