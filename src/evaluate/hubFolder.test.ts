import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { onnxModel, tinyEncoder } from "../../test/onnxModel.ts";
import type { HostRecord } from "../core/arrays.ts";
import { encoders, type Facts } from "../encoders/index.ts";
import { readSafetensors, writeSafetensors } from "../files/index.ts";
import {
  inputFormat,
  loadEncoder,
  type LoadedEncoder,
  openOnnxEncoder,
} from "../inference/index.ts";
import { exportHubFolder } from "./hubFolder.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-hub-"));
const at = (name: string) => join(folder, name);
const json = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Facts;
afterAll(() => rmSync(folder, { recursive: true }));

const named = encoders.resnet({ blocks: [1], widths: [4], stemWidth: 4, stem: "standard" });

/** A start of another maker, with a classifier. */
async function start(name: string, config: Facts, processor?: Facts) {
  const { parameters, statistics } = named.init(1);
  const arrays = { ...parameters, ...statistics, "fc.bias": parameters["bn1.weight"] };
  const file = at(`${name}.safetensors`);
  await writeSafetensors(file, arrays);
  writeFileSync(at("config.json"), JSON.stringify(config));
  rmSync(at("preprocessor_config.json"), { force: true });
  if (processor) writeFileSync(at("preprocessor_config.json"), JSON.stringify(processor));
  return loadEncoder(file);
}

/** Exported and loaded again: the same network, arrays and input. */
async function expectSame(loaded: LoadedEncoder, name: string) {
  const written = await exportHubFolder(loaded, at(name));
  expect(written.relative).toBeLessThan(1e-4);
  const again = await loadEncoder(at(name));
  expect(inputFormat(again.description)).toEqual(inputFormat(loaded.description));
  expect(again.description.encoder).toEqual(loaded.description.encoder);
  expect(again.variables).toEqual(loaded.variables);
  const model = await openOnnxEncoder(written.onnx);
  expect(model.format).toEqual(inputFormat(loaded.description));
  await model.dispose();
  return { written, again };
}

describe("a folder laid out as hubs do it", () => {
  test("of a start under timm's names: they come back, with the way images go in", async () => {
    const pretrained_cfg = {
      input_size: [3, 32, 32],
      mean: [0.5, 0.4, 0.3],
      std: [0.2, 0.3, 0.4],
      crop_pct: 0.875,
      interpolation: "bicubic",
      license: "apache-2.0",
      num_classes: 1000,
    };
    const loaded = await start("timm", {
      architecture: "resnet10t",
      num_classes: 1000,
      pretrained_cfg,
    });
    const { written } = await expectSame(loaded, "as-timm");
    expect(written.processor).toBeUndefined();
    expect(json(written.config)).toMatchObject({
      architecture: "resnet10t",
      num_classes: 0,
      pretrained_cfg: { ...pretrained_cfg, num_classes: 0 },
    });
    const card = readFileSync(written.card, "utf8");
    expect(card).toContain('---\nlicense: "apache-2.0"\nlibrary_name: timm\n');
    expect(card).toContain('timm.create_model("local-dir:."');
  });

  test("of a start of transformers", async () => {
    const processor = {
      do_resize: true,
      size: { shortest_edge: 73 },
      resample: 3,
      kept: "yes",
      do_center_crop: true,
      crop_size: { height: 64, width: 64 },
      do_normalize: true,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.25, 0.25, 0.25],
    };
    const config = { model_type: "resnet", image_size: 64, id2label: { 0: "cat" } };
    const { written } = await expectSame(await start("hf", config, processor), "as-hf");
    expect(json(written.processor!)).toMatchObject(processor);
    expect(json(written.config)).toEqual({ model_type: "resnet", image_size: 64 });
  });

  test("of an encoder of one's own, and of what began as an ONNX model", async () => {
    const loaded = await start("own", {
      pretrained_cfg: { input_size: [3, 32, 32], mean: [0, 0, 0], std: [1, 1, 1] },
    });
    const own = { ...loaded, description: { ...loaded.description, start: undefined } };
    const { written } = await expectSame(own, "own");
    const arrays: HostRecord = { ...own.variables.parameters, ...own.variables.statistics };
    expect(Object.keys((await readSafetensors(written.weights)).arrays).sort()).toEqual(
      Object.keys(arrays).sort(),
    );
    expect(readFileSync(written.card, "utf8")).not.toContain("library_name");
    writeFileSync(at("start.onnx"), onnxModel(tinyEncoder()));
    const onnx = await loadEncoder(at("start.onnx"), { imageSize: 6 });
    const { again } = await expectSame(onnx, "onnx-start");
    expect(again.description.graph).toBe(onnx.description.graph);
    expect(existsSync(at("onnx-start/onnx/model.onnx"))).toBe(true);
  });
});
