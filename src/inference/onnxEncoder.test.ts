import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation as DataLocation,
} from "onnx-buf";
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
  await expect(open(free)).rejects.toThrow("--image-size missing");
  await expect(open(free, { imageSize: SIDE, std: [1, 0, 1] })).rejects.toThrow(
    "--std: expected three numbers above 0, of red, green and blue (is 1,0,1)",
  );
});

test("a model that takes any batch computes no more images than there are", async () => {
  const graph = new GraphBuilder();
  graph.input("pixels", "float32", ["N", 3, SIDE, SIDE]);
  const axes = graph.constant("int64", [2], [2, 3]);
  const mean = graph.emit("ReduceMean", ["pixels", axes], { keepdims: 0 });
  const batch = graph.emit("Shape", ["pixels"], { start: 0, end: 1 });
  const asFloat = graph.emit("Cast", [batch], { to: 1 });
  graph.output("features", graph.emit("Mul", [mean, asFloat]), "float32", ["N", 3]);
  const path = join(folder, "batch.onnx");
  writeFileSync(path, graph.toBytes("test"));
  const encoder = await openOnnxEncoder(path, stated);
  const one = (_: number, out: Float32Array, offset: number) => {
    out.fill(1, offset, offset + 3 * SIDE * SIDE);
  };
  const features = await encoder.embed({ count: 37, fill: one });
  const sizes = Array.from({ length: 37 }, (_, i) => features[3 * i]); // of the batch that each was in
  expect(sizes).toEqual([...Array<number>(32).fill(32), ...Array<number>(5).fill(5)]);
  await encoder.dispose();
});

/** A model whose features are the mean colours times weights in a file beside it. */
function withWeightsBeside(name: string, weights: Float32Array): string {
  const graph = new GraphBuilder();
  graph.input("pixels", "float32", ["N", 3, SIDE, SIDE]);
  const axes = graph.constant("int64", [2], [2, 3]);
  const mean = graph.emit("ReduceMean", ["pixels", axes], { keepdims: 0 });
  const scaled = graph.emit("Mul", [mean, graph.constant("float32", [3], weights)]);
  graph.output("features", scaled, "float32", ["N", 3]);
  const model = fromBinary(ModelProtoSchema, graph.toBytes("test"));
  const tensor = model.graph!.initializer.find(({ dataType }) => dataType === 1)!;
  writeFileSync(join(folder, `${name}.data`), tensor.rawData);
  const place = { location: `${name}.data`, offset: "0", length: String(tensor.rawData.length) };
  tensor.externalData = Object.entries(place).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  tensor.rawData = new Uint8Array();
  tensor.dataLocation = DataLocation.EXTERNAL;
  const path = join(folder, name);
  writeFileSync(path, toBinary(ModelProtoSchema, model));
  return path;
}

test("weights in a file beside the model are found, and belong to its hash", async () => {
  const path = withWeightsBeside("beside.onnx", Float32Array.of(2, 3, 4));
  const encoder = await openOnnxEncoder(path, stated);
  const scaled = expected.map((x, i) => x * [2, 3, 4][i % 3]);
  expect(Array.from(await encoder.embed(rows))).toEqual(scaled);
  await encoder.dispose();
  withWeightsBeside("beside.onnx", Float32Array.of(2, 3, 5)); // the model's own file stays the same
  const other = await openOnnxEncoder(path, stated);
  expect(other.hash).not.toBe(encoder.hash);
  await other.dispose();
  rmSync(`${path}.data`);
  await expect(openOnnxEncoder(path, stated)).rejects.toThrow(
    /beside.onnx": the ONNX model cannot be loaded: .*beside.onnx.data/,
  );
});

test("a model that fails while it computes is named, with what it was given", async () => {
  const graph = new GraphBuilder();
  graph.input("pixels", "float32", ["N", 3, SIDE, SIDE]);
  const flat = graph.emit("Reshape", ["pixels", graph.ints([1, 7])]);
  graph.output("features", flat, "float32", ["N", 7]);
  const path = join(folder, "seven.onnx");
  writeFileSync(path, graph.toBytes("test"));
  await expect(openOnnxEncoder(path, stated)).rejects.toThrow(
    /seven.onnx" cannot compute float32 \[1, 3, 4, 4\]: /,
  );
});

test("a model of images that are not square is refused, without a word of --size", async () => {
  const wide = meanColour("wide.onnx", ["N", 3, SIDE, 2 * SIDE], [2, 3]);
  const refused = openOnnxEncoder(wide, stated);
  await expect(refused).rejects.toThrow(
    /^"[^"]*wide.onnx" takes float32 \[N, 3, 4, 8\], expected square images$/,
  );
});

test("a model that answers one image at a time is asked one by one", async () => {
  const graph = new GraphBuilder();
  graph.input("pixels", "float32", ["N", 3, SIDE, SIDE]);
  const mean = graph.emit("ReduceMean", ["pixels", graph.ints([2, 3])], { keepdims: 0 });
  const flat = graph.emit("Reshape", [mean, graph.ints([1, -1])]); // [1, 3 N]
  graph.output("colour", flat, "float32", ["N", "D"]);
  const path = join(folder, "single.onnx");
  writeFileSync(path, graph.toBytes("test"));
  const encoder = await openOnnxEncoder(path, stated);
  expect(encoder.dimension).toBe(3);
  expect(Array.from(await encoder.embed(rows))).toEqual(expected);
  await encoder.dispose();
});

test("a model that gives fewer rows than images is refused", async () => {
  const graph = new GraphBuilder();
  graph.input("pixels", "float32", [2, 3, SIDE, SIDE]);
  const mean = graph.emit("ReduceMean", ["pixels", graph.ints([0, 2, 3])], { keepdims: 0 });
  const flat = graph.emit("Reshape", [mean, graph.ints([1, 3])]);
  graph.output("colour", flat, "float32", ["N", 3]);
  const path = join(folder, "one-row.onnx");
  writeFileSync(path, graph.toBytes("test"));
  await expect(openOnnxEncoder(path, stated)).rejects.toThrow(
    'one-row.onnx" gives float32 [1, 3] for float32 [2, 3, 4, 4], expected one vector an image',
  );
});
