import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { create } from "@bufbuild/protobuf";
import { StringStringEntryProtoSchema, TensorProto_DataLocation } from "onnx-buf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { numbers } from "../testing/arrays.ts";
import { integers, node, onnxModel, tinyEncoder, value } from "../../test/onnxModel.ts";
import { writeSafetensors } from "../files/index.ts";
import { encoderMetadata } from "./description.ts";
import { openFeatures, type Rows } from "./embedder.ts";
import { loadEncoder, type LoadedEncoder } from "./encoderFile.ts";
import { openOnnxEncoder } from "./onnxEncoder.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-trainable-"));
const path = join(folder, "onnx", "model.onnx");
const at = (name: string) => join(folder, name);
const stated = { imageSize: 6, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
const rows: Rows = {
  count: 3,
  fill(row, out, offset) {
    for (let i = 0; i < 108; i++) out[offset + i] = Math.sin(row + i * i);
  },
};

async function featuresOf({ network, variables, description }: LoadedEncoder) {
  const options = { batchSize: 3, tune: false };
  const embedder = await openFeatures(network, variables, description, options);
  const features = await embedder.embed(variables, rows);
  await embedder.dispose();
  return features;
}

async function expectedOf(model: string) {
  const encoder = await openOnnxEncoder(model, stated);
  const features = await encoder.embed(rows);
  await encoder.dispose();
  return features;
}

const placed = (facts: Record<string, string>) =>
  Object.entries(facts).map(([key, text]) =>
    create(StringStringEntryProtoSchema, { key, value: text }),
  );

const near = (found: Float32Array, expected: Float32Array) => {
  expect(found.length).toBe(expected.length);
  expected.forEach((one, i) => expect(found[i]).toBeCloseTo(one, 5));
};

beforeAll(() => {
  mkdirSync(join(folder, "onnx"));
  writeFileSync(path, onnxModel(tinyEncoder()));
  const pretrained_cfg = { input_size: [3, 6, 6], mean: stated.mean, license: "mit" };
  writeFileSync(
    at("config.json"),
    JSON.stringify({ pretrained_cfg: { ...pretrained_cfg, std: stated.std } }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("an ONNX model loaded to be trained", () => {
  test("gives its own features, from a file or a repository without other weights, with what lies beside it", async () => {
    const expected = await expectedOf(path);
    for (const from of [path, folder]) {
      const loaded = await loadEncoder(from);
      expect(loaded.description).toMatchObject({
        encoder: { name: "onnx", output: "features" },
        dimension: 4,
        imageSize: 6,
        start: { from: path, licence: "mit" },
      });
      near(await featuresOf(loaded), expected);
    }
  });

  test("comes back from the weights file of a checkpoint alone, with its graph and other numbers", async () => {
    const { description, variables } = await loadEncoder(path);
    numbers(variables.parameters["fc.bias"]).forEach(
      (_, i) => (variables.parameters["fc.bias"].data[i] += 1),
    );
    const weights = at("weights.safetensors");
    const arrays = { ...variables.parameters, ...variables.statistics };
    await writeSafetensors(weights, arrays, encoderMetadata(description));
    const again = await loadEncoder(weights);
    expect(again.description).toEqual(description);
    near(
      await featuresOf(again),
      (await expectedOf(path)).map((x) => x + 1),
    );
    variables.parameters["fc.bias"].data[0] = NaN;
    await writeSafetensors(weights, arrays, encoderMetadata(description));
    await expect(loadEncoder(weights)).rejects.toThrow(
      /weights.safetensors": fc.bias holds NaN at place 0, expected finite numbers/,
    );
    const damaged = { ...encoderMetadata(description), graph: "abc" };
    await writeSafetensors(weights, arrays, damaged);
    await expect(loadEncoder(weights)).rejects.toThrow(
      "metadata: the model's graph cannot be read",
    );
    await writeSafetensors(weights, arrays, { ...damaged, encoder: '{"name":"onnx"}' });
    await expect(loadEncoder(weights)).rejects.toThrow("encoder.output");
  });

  test("takes pixels last, and weights from files beside it", async () => {
    const graph = tinyEncoder();
    graph.input[0] = value("pixels", ["batch", 6, 6, 3]);
    graph.node.unshift(node("Transpose", ["pixels"], "planes", { perm: [0, 3, 1, 2] }));
    graph.node[1].input[0] = "planes";
    const weight = graph.initializer[5];
    writeFileSync(
      at("beside.bin"),
      new Uint8Array(Float32Array.from([0, ...weight.floatData]).buffer),
    );
    weight.floatData = [];
    weight.dataLocation = TensorProto_DataLocation.EXTERNAL;
    const facts = { location: "beside.bin", offset: "4", length: "80" };
    weight.externalData = placed(facts);
    writeFileSync(at("last.onnx"), onnxModel(graph));
    near(
      await featuresOf(await loadEncoder(at("last.onnx"), stated)),
      await expectedOf(at("last.onnx")),
    );
    writeFileSync(at("beside.bin"), new Uint8Array(40));
    await expect(loadEncoder(at("last.onnx"), stated)).rejects.toThrow(
      "has 40 bytes, expected 84: it is cut short",
    );
    facts.location = "../../beside.bin";
    weight.externalData = placed(facts);
    writeFileSync(at("out.onnx"), onnxModel(graph));
    await expect(loadEncoder(at("out.onnx"), stated)).rejects.toThrow("leads outside the folder");
  });

  test("is refused with its name where it is damaged, has no weights, or an operator without a gradient", async () => {
    writeFileSync(at("cut.onnx"), onnxModel(tinyEncoder()).slice(0, 200));
    await expect(loadEncoder(at("cut.onnx"), stated)).rejects.toThrow(
      /cut.onnx": it is no ONNX model, or it is cut short/,
    );
    await expect(loadEncoder(at("absent.onnx"), stated)).rejects.toThrow(
      /absent.onnx": it does not exist/,
    );
    const bare = tinyEncoder();
    bare.node.splice(0, 3, node("Identity", ["pixels"], "swished"));
    bare.node.splice(3, 1, node("Identity", ["flat"], "features"));
    writeFileSync(at("bare.onnx"), onnxModel(bare));
    await expect(loadEncoder(at("bare.onnx"), stated)).rejects.toThrow("has no weights of floats");
    const single = tinyEncoder();
    single.input[0] = value("pixels", [1, 3, "height", "width"]);
    single.initializer.push(integers("one", [1, 5]));
    single.node[4] = node("Reshape", ["pooled", "one"], "flat");
    writeFileSync(at("single.onnx"), onnxModel(single));
    await expect(loadEncoder(at("single.onnx"), stated)).rejects.toThrow(
      /single.onnx": the model takes 1 image at once, and no other number: node "\/flat" \(Reshape\)/,
    );
    const round = tinyEncoder();
    round.node.splice(3, 0, node("Round", ["swished"], "round"));
    round.node[4].input[0] = "round";
    writeFileSync(at("round.onnx"), onnxModel(round));
    await expect(loadEncoder(at("round.onnx"), stated)).rejects.toThrow(
      /round.onnx": node "\/round" \(Round\) cannot be trained: passes no gradient/,
    );
  });
});
