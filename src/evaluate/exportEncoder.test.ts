import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { TensorProto_DataType as DataType } from "onnx-buf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { node, onnxModel, tensor, tinyEncoder, value } from "../../test/onnxModel.ts";
import { onnxGraph, wholeModel } from "../engine/index.ts";
import { readSafetensors } from "../files/index.ts";
import {
  loadEncoder,
  type LoadedEncoder,
  openFeatures,
  openOnnxEncoder,
} from "../inference/index.ts";
import { exportEncoder, makersArrays } from "./exportEncoder.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-export-"));
const at = (name: string) => join(folder, name);
const stated = { imageSize: 6, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
const rows = {
  count: 2,
  fill(row: number, out: Float32Array, offset: number) {
    for (let i = 0; i < 108; i++) out[offset + i] = Math.sin(row + i * i);
  },
};

async function featuresOf({ network, variables, description }: LoadedEncoder) {
  const options = { batchSize: 2, tune: false };
  const embedder = await openFeatures(network, variables, description, options);
  const features = await embedder.embed(variables, rows);
  await embedder.dispose();
  return features;
}

/** A start, as if it had been trained. */
async function trained(path: string) {
  const loaded = await loadEncoder(path, stated);
  for (const { data } of Object.values(loaded.variables.parameters)) {
    data.forEach((one, i) => (data[i] = Number(one) * 1.5));
  }
  return loaded;
}

async function expectSame(path: string, expected: Float32Array, digits = 5) {
  const model = await openOnnxEncoder(path);
  const features = await model.embed(rows);
  await model.dispose();
  expected.forEach((one, i) => expect(features[i]).toBeCloseTo(one, digits));
}

beforeAll(() => writeFileSync(at("start.onnx"), onnxModel(tinyEncoder())));
afterAll(() => rmSync(folder, { recursive: true }));

describe("what began as an ONNX model", () => {
  test("is exported as that model with other weights: its nodes, inputs and outputs", async () => {
    const loaded = await trained(at("start.onnx"));
    const expected = await featuresOf(loaded);
    const exported = await exportEncoder(loaded, at("out"));
    expect(exported).toMatchObject({
      batch: "any",
      input: "pixels",
      output: "features",
      narrowed: 0,
    });
    const [before, after] = [at("start.onnx"), exported.onnx].map((path) =>
      onnxGraph(wholeModel(readFileSync(path))),
    );
    for (const part of ["inputs", "outputs", "nodes", "opset"] as const) {
      expect(after[part]).toEqual(before[part]);
    }
    expect([...after.initializers.keys()]).toEqual([...before.initializers.keys()]);
    expect(after.initializers.get("norm.running_var")).toEqual(
      before.initializers.get("norm.running_var"),
    );
    await expectSame(exported.onnx, expected); // says itself how images become its input
    const again = await loadEncoder(exported.weights);
    expect(await featuresOf(again)).toEqual(expected);
    expect(Object.keys((await readSafetensors(exported.weights)).arrays)).toContain("onnx::Conv_1");
    const readme = readFileSync(exported.readme, "utf8");
    expect(readme).toContain('session.run(["features"], {"pixels": np.stack');
    expect(readme).toContain("the names of the ONNX model that it began as");
    await expect(exportEncoder(loaded, at("out"), { batch: 4 })).rejects.toThrow(
      "the model keeps the inputs",
    );
  });

  test("keeps floats of 16 bits, counted, and pixels last", async () => {
    const graph = tinyEncoder();
    graph.input[0] = value("pixels", ["batch", 6, 6, 3]);
    graph.initializer[5] = tensor({
      name: "half",
      dims: [4n, 5n],
      dataType: DataType.FLOAT16,
      int32Data: Array.from({ length: 20 }, (_, i) => 0x3800 + 31 * i),
    });
    graph.node.unshift(
      node("Transpose", ["pixels"], "planes", { perm: [0, 3, 1, 2] }),
      node("Cast", ["half"], "fc.weight", { to: DataType.FLOAT }),
    );
    graph.node[2].input[0] = "planes";
    writeFileSync(at("half.onnx"), onnxModel(graph));
    const loaded = await trained(at("half.onnx"));
    const exported = await exportEncoder(loaded, at("half"));
    expect(exported.narrowed).toBe(1);
    await expectSame(exported.onnx, await featuresOf(loaded), 2);
  });
});

const hub = fileURLToPath(new URL("../../../shared/golden/hub", import.meta.url));
const starts = existsSync(hub) ? readdirSync(hub) : [];
const left =
  /^(head\.fc|fc|classifier|head)\.(weight|bias)$|mask_token|num_batches_tracked|position_ids|rope|periods/;

test.skipIf(starts.length === 0)(
  "weights by name come back under the names they came with (needs golden/hub)",
  async () => {
    for (const name of starts) {
      const path = join(hub, name);
      const { arrays: given } = await readSafetensors(join(path, "model.safetensors"));
      const found = makersArrays(await loadEncoder(path))!;
      expect(
        Object.keys(given).filter((key) => !(key in found) && !left.test(key)),
        name,
      ).toEqual([]);
      for (const [key, array] of Object.entries(found)) {
        expect(array.shape, `${name} ${key}`).toEqual(given[key].shape);
        expect(
          Buffer.from(array.data.buffer).equals(Buffer.from(given[key].data.slice().buffer)),
          `${name} ${key}`,
        ).toBe(true);
      }
    }
  },
);
