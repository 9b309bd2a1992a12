import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { renderSamples } from "../src/data/index.ts";
import { contrapose } from "./cli.ts";
import { onnxModel, tinyEncoder } from "./onnxModel.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-start-"));
const at = (name: string) => join(folder, name);
const call = async (...words: string[]) => {
  const called = await contrapose([...words, "--json"], { cwd: folder });
  expect(called.err).not.toContain("error");
  return called.json();
};

beforeAll(async () => {
  await renderSamples(at("drawn"), { train: 48, test: 24, size: 40 });
  const config = { mean: [0.5, 0.4, 0.3], std: [0.25, 0.25, 0.25], input_size: [3, 16, 16] };
  mkdirSync(at("start"));
  writeFileSync(at("start/model.onnx"), onnxModel(tinyEncoder()));
  writeFileSync(
    at("start/config.json"),
    JSON.stringify({ pretrained_cfg: { ...config, crop_pct: 0.9, interpolation: "bicubic" } }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Uniformity of the test images after the last epoch of a run. */
function lastSpread(run: string): number {
  const lines = readFileSync(join(run, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  const records = lines.map((line) => JSON.parse(line) as { kind: string; uniformity: number });
  return records.findLast(({ kind }) => kind === "evaluation")!.uniformity;
}

test.each(["body", "none", "onnx::Conv_1,norm.*"])(
  "an ONNX model trained with --freeze %s is evaluated as while it trained, beside its start, and exported",
  async (freeze) => {
    const name = freeze.replace(/\W/g, "");
    const [run, images] = [at(name), ["drawn/train", "drawn/test"].map(at)];
    await call(
      ...["train", images[0], "--test", images[1], "--from", at("start/model.onnx"), "--out", run],
      ...["--freeze", freeze, "--epochs", "2", "--batch-size", "16", "--learning-rate", "0.01"],
    );
    const last = join(run, "checkpoints/last");
    const found = (await call("evaluate", last, "--test", images[1])) as {
      uniformity: number;
      baselines: { start: { uniformity: number } };
    };
    expect(found.uniformity).toBeCloseTo(lastSpread(run), 4);
    const begun = (await call("evaluate", join(run, "start.safetensors"), "--test", images[1])) as {
      uniformity: number;
    };
    expect(found.baselines.start.uniformity).toBeCloseTo(begun.uniformity, 6);
    expect(found.uniformity).not.toBeCloseTo(begun.uniformity, 4);
    await call("export", last, "--out", at(`${name}-model`));
    const weights = at(`${name}-model/weights.safetensors`); // without a start beside it
    const alone = (await call("evaluate", weights, "--test", images[1])) as {
      uniformity: number;
    };
    expect(alone.uniformity).toBeCloseTo(found.uniformity, 6);
  },
);
