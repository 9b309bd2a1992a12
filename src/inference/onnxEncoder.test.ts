import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { GraphBuilder } from "../engine/onnx.ts";
import { openOnnxEncoder } from "./onnxEncoder.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-onnx-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SIDE = 4;
const stated = { mean: [0, 0, 0], std: [1, 1, 1] };

/** A model whose features are the mean red, green and blue of its input. */
function meanColour(name: string, shape: (number | string)[], axes: number[], keep = 0): string {
  const graph = new GraphBuilder();
  graph.input("pixels", "float32", shape);
  const mean = graph.emit("ReduceMean", ["pixels", graph.constant("int64", [2], axes)], {
    keepdims: keep,
  });
  graph.output("colour", mean, "float32", keep === 1 ? [shape[0], 3, 1, 1] : [shape[0], 3]);
  const path = join(folder, name);
  writeFileSync(path, graph.toBytes("test"));
  return path;
}

/** Images of one colour each: image i has red i, green 10 i, blue 100 i. */
const rows = {
  count: 5,
  fill(row: number, out: Float32Array, offset: number) {
    const n = SIDE * SIDE;
    [1, 10, 100].forEach((scale, c) => out.fill(row * scale, offset + c * n, offset + (c + 1) * n));
  },
};
const expected = [0, 1, 2, 3, 4].flatMap((i) => [i, 10 * i, 100 * i]);

test("planes, pixels, any batch and a fixed one give the same features", async () => {
  const models = [
    meanColour("planes.onnx", ["N", 3, SIDE, SIDE], [2, 3]),
    meanColour("pixels.onnx", ["N", SIDE, SIDE, 3], [1, 2]),
    meanColour("two.onnx", [2, 3, SIDE, SIDE], [2, 3]),
    meanColour("kept.onnx", ["N", 3, SIDE, SIDE], [2, 3], 1),
  ];
  for (const path of models) {
    const encoder = await openOnnxEncoder(path, stated);
    expect(encoder.format.imageSize).toBe(SIDE);
    expect(encoder.dimension).toBe(3);
    expect(Array.from(await encoder.embed(rows))).toEqual(expected);
    await encoder.dispose();
  }
});

test("another normalisation is another encoder", async () => {
  const path = join(folder, "planes.onnx");
  const [one, other] = [
    await openOnnxEncoder(path, stated),
    await openOnnxEncoder(path, { ...stated, std: [1, 1, 2] }),
  ];
  expect(one.hash).not.toBe(other.hash);
  await Promise.all([one.dispose(), other.dispose()]);
});

test("models that take or give something else are refused by what they have", async () => {
  const open = (path: string, more = {}) => openOnnxEncoder(path, { ...stated, ...more });
  const four = meanColour("four.onnx", ["N", 4, SIDE, SIDE], [2, 3]);
  await expect(open(four)).rejects.toThrow(
    `four.onnx" takes float32 [N, 4, 4, 4], expected one input of float32 [N, 3, S, S]`,
  );
  const maps = new GraphBuilder();
  maps.input("pixels", "float32", ["N", 3, SIDE, SIDE]);
  const same = maps.emit("Relu", ["pixels"]);
  maps.output("maps", same, "float32", ["N", 3, SIDE, SIDE]);
  const path = join(folder, "maps.onnx");
  writeFileSync(path, maps.toBytes("test"));
  await expect(open(path)).rejects.toThrow("expected one vector of float32 an image, [N, D]");
  await expect(open(path, { output: "other" })).rejects.toThrow("has no output other, only maps");
  const free = meanColour("free.onnx", ["N", 3, "H", "W"], [2, 3]);
  await expect(open(free)).rejects.toThrow("--size missing");
  await expect(open(free, { imageSize: SIDE, std: [1, 0, 1] })).rejects.toThrow(
    "--std: expected three numbers above 0, of red, green and blue (is 1,0,1)",
  );
});
