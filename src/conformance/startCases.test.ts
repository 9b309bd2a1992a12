import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { numpy as np } from "@jax-js/jax";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { evaluate, float32 } from "../testing/arrays.ts";
import { rowsOf } from "../testing/arrays.ts";
import { encoders, type HostVariables, type Variables } from "../encoders/index.ts";
import { exportOnnx } from "../engine/index.ts";
import { writeSafetensors } from "../files/index.ts";
import { loadEncoder, openOnnxEncoder } from "../inference/index.ts";
import { checkStarts, seededRows } from "./startCases.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-starts-"));
const good = join(folder, "tiny");
const bad = join(folder, "wrong");
const network = encoders.vit(
  { dimension: 8, heads: 2, depth: 1, patch: 8, expansion: 2 },
  { imageSize: 16 },
);
const config = {
  architecture: "vit_nano_patch8_16",
  model_args: { num_heads: 2 },
  pretrained_cfg: {
    input_size: [3, 16, 16],
    mean: [0.5, 0.5, 0.5],
    std: [0.25, 0.25, 0.25],
    crop_pct: 0.9,
    interpolation: "bicubic",
    license: "apache-2.0",
  },
};
const apply = (v: Variables, x: np.Array) => network.apply(v, x, { training: false }).features;

async function writeStart(variables: HostVariables) {
  mkdirSync(join(good, "onnx"), { recursive: true });
  writeFileSync(join(good, "config.json"), JSON.stringify(config));
  await writeSafetensors(join(good, "model.safetensors"), variables.parameters);
  const input = { shape: [3, 16, 16], batch: 2 };
  const names = { input: "pixel_values", output: "features", weight: (path: string) => path };
  const model = await exportOnnx(apply, variables, input, names);
  writeFileSync(join(good, "onnx", "model.onnx"), model!);
  const pixels = new Float32Array(2 * 3 * 16 * 16);
  const rows = seededRows({ size: 16, n: 2, pixelSeed: 3, halved: true });
  for (let i = 0; i < 2; i++) await rows.fill(i, pixels, i * 768);
  const features = rowsOf(await evaluate(apply, variables, float32([2, 3, 16, 16], [...pixels])));
  const one = { size: 16, n: 2, pixelSeed: 3, halved: true };
  const expected = { about: "tiny", cases: [{ ...one, features: { features } }] };
  writeFileSync(join(good, "expected.json"), JSON.stringify(expected));
  cpSync(good, bad, { recursive: true });
  const off = features.map((row) => row.map((value, i) => (i === 0 ? value + 0.01 : value)));
  const wrong = { cases: [{ ...one, features: off }] };
  writeFileSync(join(bad, "expected.json"), JSON.stringify(wrong));
}

beforeAll(() => writeStart(network.init(3)));
afterAll(() => rmSync(folder, { recursive: true }));

describe("checkStarts", () => {
  test("compares weights by name and the ONNX model with what is expected", async () => {
    const seen: string[] = [];
    const results = await checkStarts(folder, { each: ({ name }) => seen.push(name) });
    expect(seen).toEqual(["tiny", "tiny", "tiny", "wrong", "wrong", "wrong"]);
    expect(results.map(({ way, pass }) => [way, pass])).toEqual([
      ["weights", true],
      ["onnx", true],
      ["trainable", true],
      ["weights", false],
      ["onnx", false],
      ["trainable", false],
    ]);
    expect(results[3].message).toMatch(/^differs by \d\.\de-\d of the largest feature$/);
  });

  test("says what cannot be read, and goes on", async () => {
    const broken = join(folder, "broken");
    cpSync(good, broken, { recursive: true });
    writeFileSync(join(broken, "config.json"), "{}");
    const results = await checkStarts(broken, { each: () => undefined });
    expect(results[0]).toMatchObject({ pass: false, error: null });
    expect(results[0].message).toContain("nothing says how many heads attention of width 8 has");
    expect(results[1].pass).toBe(true);
    rmSync(broken, { recursive: true });
    await expect(checkStarts(tmpdir(), { each: () => undefined })).rejects.toThrow(
      "holds no repository of an encoder with an expected.json",
    );
  });
});

describe("a repository's encoder", () => {
  test("comes with its preprocessing and licence", async () => {
    const { description, path } = await loadEncoder(good);
    expect(path).toBe(join(good, "model.safetensors"));
    expect(description).toMatchObject({
      imageSize: 16,
      mean: [0.5, 0.5, 0.5],
      crop: { of: "square", share: 0.9 },
      interpolation: "bicubic",
      start: { licence: "apache-2.0" },
    });
    const model = await openOnnxEncoder(join(good, "onnx", "model.onnx"));
    expect(model.format).toEqual({
      imageSize: 16,
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      crop: { of: "square", share: 0.9 },
      interpolation: "bicubic",
    });
    await model.dispose();
  });

  test("takes images of other sizes, its positions resampled", async () => {
    const { network: larger, variables } = await loadEncoder(good, { imageSize: 32 });
    expect(larger.parameters.pos_embed.shape).toEqual([1, 17, 8]);
    expect(variables.parameters.pos_embed.shape).toEqual([1, 17, 8]);
    await expect(loadEncoder(good, { imageSize: 20 })).rejects.toThrow(
      /model.safetensors": vit: images of 20 px do not divide into patches of 8 px/,
    );
  });
});
