import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType as DataType,
} from "onnx-buf";
import { describe, expect, test } from "vitest";

import { floats, integers, node, onnxModel, tensor, tinyEncoder } from "../../test/onnxModel.ts";
import { hostArray } from "../core/arrays.ts";
import { float16Bits, fromFloat16 } from "./halves.ts";
import { filledModel, onnxGraph, strippedModel, wholeModel } from "./onnxGraph.ts";

const read = (bytes: Uint8Array) => onnxGraph(wholeModel(bytes));
const withTensor = (init: Parameters<typeof tensor>[0]) => {
  const graph = tinyEncoder();
  graph.initializer.push(tensor(init));
  return onnxModel(graph);
};
const tensorIn = (tensor: object) =>
  read(withTensor({ name: "one", ...tensor })).initializers.get("one");

describe("floats of 16 bits", () => {
  test("all of them come back as they were", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const isNan = (bits & 0x7c00) === 0x7c00 && (bits & 1023) !== 0;
      expect(float16Bits(fromFloat16(bits))).toBe(isNan ? 0x7e00 : bits);
    }
  });

  test("are rounded to the nearest, ties to even", () => {
    expect(fromFloat16(float16Bits(1 + 1 / 2048))).toBe(1);
    expect(fromFloat16(float16Bits(1 + 3 / 2048))).toBe(1 + 2 / 1024);
    expect(fromFloat16(float16Bits(2 ** -24 * 0.75))).toBe(2 ** -24);
    expect(fromFloat16(float16Bits(-65519))).toBe(-65504);
    expect(fromFloat16(float16Bits(65520))).toBe(Infinity);
    expect(fromFloat16(float16Bits(2047.9))).toBe(2048);
  });
});

describe("onnxGraph", () => {
  test("reads numbers of all types, listed or as bytes", () => {
    const dims = [2n];
    const bytes = (data: ArrayBufferView) => ({ rawData: new Uint8Array(data.buffer) });
    const numbers = (init: object) => Array.from(tensorIn({ dims, ...init })!.data);
    expect(numbers({ dataType: DataType.FLOAT16, int32Data: [0x3c00, 0xc000] })).toEqual([1, -2]);
    expect(numbers({ dataType: DataType.FLOAT16, ...bytes(Uint16Array.of(0x3800, 1)) })).toEqual([
      0.5,
      2 ** -24,
    ]);
    expect(
      numbers({ dataType: DataType.BFLOAT16, ...bytes(Uint16Array.of(0x3f80, 0xc000)) }),
    ).toEqual([1, -2]);
    expect(numbers({ dataType: DataType.DOUBLE, ...bytes(Float64Array.of(0.1, -3)) })).toEqual([
      0.1, -3,
    ]);
    expect(
      numbers({ dataType: DataType.INT64, ...bytes(BigInt64Array.of(-1n, 2n ** 40n)) }),
    ).toEqual([-1, 2 ** 40]);
    expect(numbers({ dataType: DataType.INT32, int32Data: [-7, 7] })).toEqual([-7, 7]);
    expect(numbers({ dataType: DataType.UINT8, ...bytes(Uint8Array.of(200, 3)) })).toEqual([
      200, 3,
    ]);
    expect(numbers({ dataType: DataType.BOOL, int32Data: [0, 1] })).toEqual([0, 1]);
    expect(tensorIn({ dims, dataType: DataType.FLOAT16, int32Data: [0, 0] })!.type).toBe("float32");
  });

  test("refuses what is damaged, quantised or of another opset, in a sentence", () => {
    expect(() => read(new Uint8Array([1, 2, 3]))).toThrow(
      "it is no ONNX model, or it is cut short",
    );
    expect(() => read(onnxModel(tinyEncoder()).slice(0, 300))).toThrow("it is no ONNX model");
    expect(() => tensorIn({ dims: [3n], dataType: DataType.FLOAT, floatData: [1] })).toThrow(
      'the tensor "one" has 1 numbers, expected 3 for [3]',
    );
    expect(() => tensorIn({ dims: [-1n], dataType: DataType.FLOAT, floatData: [1] })).toThrow(
      "has the shape [-1]",
    );
    expect(() => tensorIn({ dims: [2n ** 50n, 2n ** 50n], dataType: DataType.FLOAT })).toThrow(
      "has the shape",
    );
    expect(() => tensorIn({ dims: [1n], dataType: DataType.STRING })).toThrow("holds no numbers");
    for (const opset of [10, 21]) {
      expect(() => read(onnxModel(tinyEncoder(), { opset }))).toThrow(
        `opset ${opset}, expected 11 to 20`,
      );
    }
    const quantised = tinyEncoder();
    quantised.node.push(node("DequantizeLinear", ["flat", "fc.bias"], "whole"));
    expect(() => read(onnxModel(quantised))).toThrow(
      'the model is quantised (node "/whole", DequantizeLinear)',
    );
  });

  test("finds weights in files beside the model", () => {
    const external = (...facts: [string, string][]) =>
      withTensor({
        name: "one",
        dims: [2n],
        dataType: DataType.FLOAT,
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: facts.map(([key, value]) => ({ key, value })),
      });
    const file = new Uint8Array(Float32Array.of(9, 1, 2, 9).buffer);
    const beside = (name: string, offset: number, length?: number) => {
      expect(name).toBe("model.onnx_data");
      return file.subarray(offset, length === undefined ? undefined : offset + length);
    };
    const bytes = external(["location", "model.onnx_data"], ["offset", "4"], ["length", "8"]);
    const { initializers } = onnxGraph(wholeModel(bytes, beside));
    expect(Array.from(initializers.get("one")!.data)).toEqual([1, 2]);
    expect(() => read(bytes)).toThrow(
      'the model\'s weights lie in "model.onnx_data", which is not at hand',
    );
    const short = external(["location", "model.onnx_data"], ["offset", "12"]);
    expect(() => wholeModel(short, beside) && onnxGraph(wholeModel(short, beside))).toThrow(
      "has 1 numbers, expected 2",
    );
    const odd = external(["location", "model.onnx_data"], ["offset", "-4"]);
    expect(() => wholeModel(odd, beside)).toThrow('the offset of "one" in its file is "-4"');
  });
});

describe("a model with other weights", () => {
  const half = () => {
    const graph = tinyEncoder();
    graph.initializer[6] = tensor({
      name: "fc.bias",
      dims: [4n],
      dataType: DataType.FLOAT16,
      int32Data: [0x3c00, 0, 0, 0],
    });
    graph.initializer.push(integers("kept", [3, 4]), floats("untouched", [2], [5, 6]));
    return onnxModel(graph);
  };

  test("is emptied of some, and filled again, each in its own type", () => {
    const model = wholeModel(half());
    const names = new Set(["fc.weight", "fc.bias"]);
    const stripped = strippedModel(model, names);
    expect(stripped.length).toBeLessThan(half().length);
    const open = onnxGraph(wholeModel(stripped), { stripped: true });
    expect(open.initializers.get("fc.weight")).toMatchObject({
      shape: [4, 5],
      data: new Float32Array(0),
    });
    expect(() => read(stripped)).toThrow('the tensor "fc.weight" has 0 numbers, expected 20');
    const weight = Float32Array.from({ length: 20 }, (_, i) => i / 7);
    const { bytes, narrowed } = filledModel(
      stripped,
      {
        "fc.weight": hostArray("float32", [4, 5], weight),
        "fc.bias": hostArray("float32", [4], Float32Array.of(1 + 1 / 4096, -2, 0.5, 3)),
      },
      { mean: "[0,0,0]" },
    );
    expect(narrowed).toBe(1);
    const filled = read(bytes);
    expect(filled.initializers.get("fc.weight")!.data).toEqual(weight);
    expect(Array.from(filled.initializers.get("fc.bias")!.data)).toEqual([1, -2, 0.5, 3]);
    expect(Array.from(filled.initializers.get("kept")!.data)).toEqual([3, 4]);
    expect(Array.from(filled.initializers.get("untouched")!.data)).toEqual([5, 6]);
    expect(filled.metadata).toEqual({ mean: "[0,0,0]" });
    const before = fromBinary(ModelProtoSchema, half());
    const after = fromBinary(ModelProtoSchema, bytes);
    for (const part of ["input", "output", "node"] as const) {
      expect(after.graph![part]).toEqual(before.graph![part]);
    }
    expect(toBinary(ModelProtoSchema, after)).toEqual(bytes);
  });
});
