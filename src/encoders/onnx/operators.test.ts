import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { numpy as np } from "@jax-js/jax";
import { ModelProtoSchema } from "onnx-buf";
import { describe, expect, test } from "vitest";

import { float32 } from "../../testing/arrays.ts";
import { type HostArray, type HostRecord, sizeOf } from "../../core/arrays.ts";
import { type RandomStream, randomStream } from "../../core/random.ts";
import { differentiate } from "../../core/trees.ts";
import { compile, onnxGraph, openOnnx } from "../../engine/index.ts";
import { type Attributes, dataTypeOf, GraphBuilder } from "../../engine/onnx.ts";
import { onnxOperators, runGraph, trainableGraph } from "./graph.ts";
import { onnxVariables } from "./onnxNetwork.ts";

/** Writes a small model: `x` is its input; the name of the output comes back. */
type Build = (g: Writer, x: string) => string;
type Options = { opset?: number; rank?: number; range?: [number, number] };
type Case = [operator: string, about: string, shape: number[], build: Build, options?: Options];

class Writer extends GraphBuilder {
  private readonly stream: RandomStream = randomStream(5, "operators");
  private readonly from: [number, number];
  constructor(from: [number, number]) {
    super();
    this.from = from;
  }
  /** A parameter of random numbers. */
  floats(...shape: number[]): string {
    const [least, most] = this.from;
    return this.constant("float32", shape, this.draw(sizeOf(shape), least, most));
  }
  positive(...shape: number[]): string {
    return this.constant("float32", shape, this.draw(sizeOf(shape), 0.5, 2));
  }
  number(value: number): string {
    return this.constant("float32", [], value);
  }
  integer(value: number): string {
    return this.constant("int64", [], value);
  }
  private draw(count: number, least: number, most: number): number[] {
    return Array.from({ length: count }, () => this.stream.uniform(least, most));
  }
}

const one =
  (op: string, attributes?: Attributes): Build =>
  (g, x) =>
    g.emit(op, [x], attributes);

const withList =
  (op: string, values: number[], attributes?: Attributes): Build =>
  (g, x) =>
    g.emit(op, [x, g.ints(values)], attributes);

/** x plus integers that are worked out before training. */
const plus = (g: Writer, x: string, integers: string): string =>
  g.emit("Add", [x, g.emit("Cast", [integers], { to: dataTypeOf("float32") })]);

const resize =
  (attributes: Attributes, scales: number[], sizes?: number[]): Build =>
  (g, x) => {
    const how = sizes
      ? ["", "", g.ints(sizes)]
      : ["", g.constant("float32", [scales.length], scales)];
    return g.emit("Resize", [x, ...how], attributes);
  };

const image = [2, 3, 6, 5];

const cases: Case[] = [
  ["Relu", "", [3, 4], one("Relu")],
  ["LeakyRelu", "", [3, 4], one("LeakyRelu", { alpha: { float: 0.2 } })],
  ["Elu", "", [3, 4], one("Elu", { alpha: { float: 0.7 } })],
  ["PRelu", "", [3, 4], (g, x) => g.emit("PRelu", [x, g.floats(4)])],
  ["Sigmoid", "", [3, 4], one("Sigmoid"), { range: [-8, 8] }],
  ["Tanh", "", [3, 4], one("Tanh"), { range: [-4, 4] }],
  ["Erf", "", [3, 4], one("Erf")],
  ["Gelu", "exact", [3, 4], one("Gelu"), { opset: 20 }],
  ["Gelu", "by tanh", [3, 4], one("Gelu", { approximate: "tanh" }), { opset: 20 }],
  ["HardSwish", "", [3, 4], one("HardSwish"), { range: [-5, 5] }],
  ["HardSigmoid", "", [3, 4], one("HardSigmoid"), { range: [-5, 5] }],
  [
    "HardSigmoid",
    "of a sixth",
    [3, 4],
    one("HardSigmoid", { alpha: { float: 1 / 6 } }),
    { range: [-5, 5] },
  ],
  ["Softplus", "", [3, 4], one("Softplus"), { range: [-9, 9] }],
  ["Mish", "", [3, 4], one("Mish")],
  ["Neg", "", [3, 4], one("Neg")],
  ["Abs", "", [3, 4], one("Abs")],
  ["Exp", "", [3, 4], one("Exp")],
  ["Log", "", [3, 4], one("Log"), { range: [0.5, 3] }],
  ["Sqrt", "", [3, 4], one("Sqrt"), { range: [0.5, 3] }],
  ["Reciprocal", "", [3, 4], one("Reciprocal"), { range: [0.5, 3] }],
  ["Sin", "", [3, 4], one("Sin")],
  ["Cos", "", [3, 4], one("Cos")],
  ["Identity", "", [3, 4], one("Identity")],
  ["Dropout", "", [3, 4], one("Dropout")],
  [
    "Clip",
    "to [0, 6]",
    [3, 4],
    (g, x) => g.emit("Clip", [x, g.number(0), g.number(6)]),
    { range: [-9, 9] },
  ],
  ["Clip", "from below", [3, 4], (g, x) => g.emit("Clip", [x, g.number(0)])],
  ["Clip", "from above", [3, 4], (g, x) => g.emit("Clip", [x, "", g.number(0.3)])],
  ["Add", "a vector", [3, 4], (g, x) => g.emit("Add", [x, g.floats(4)])],
  ["Sub", "from a vector", [3, 4], (g, x) => g.emit("Sub", [g.floats(3, 1), x])],
  ["Mul", "a number", [3, 4], (g, x) => g.emit("Mul", [x, g.number(1.7)])],
  ["Div", "", [3, 4], (g, x) => g.emit("Div", [x, g.positive(2, 1, 4)]), { rank: 3 }],
  ["Min", "", [3, 4], (g, x) => g.emit("Min", [x, g.floats(4)])],
  ["Max", "of three", [3, 4], (g, x) => g.emit("Max", [x, g.floats(4), g.number(0.1)])],
  ["Sum", "of three", [3, 4], (g, x) => g.emit("Sum", [x, g.floats(4), g.floats(3, 1)])],
  ["Pow", "2", [3, 4], (g, x) => g.emit("Pow", [x, g.number(2)])],
  ["Pow", "3", [3, 4], (g, x) => g.emit("Pow", [x, g.number(3)])],
  ["Pow", "−½", [3, 4], (g, x) => g.emit("Pow", [x, g.number(-0.5)]), { range: [0.5, 3] }],
  ["Pow", "1.3", [3, 4], (g, x) => g.emit("Pow", [x, g.number(1.3)]), { range: [0.5, 3] }],
  ["MatMul", "", [2, 3, 4], (g, x) => g.emit("MatMul", [x, g.floats(4, 5)])],
  ["MatMul", "in batches", [2, 3, 4], (g, x) => g.emit("MatMul", [g.floats(1, 5, 3), x])],
  ["Gemm", "", [3, 4], (g, x) => g.emit("Gemm", [x, g.floats(5, 4), g.floats(5)], { transB: 1 })],
  [
    "Gemm",
    "scaled",
    [4, 3],
    (g, x) =>
      g.emit("Gemm", [x, g.floats(4, 5), g.floats(3, 1)], {
        transA: 1,
        alpha: { float: 0.5 },
        beta: { float: 2 },
      }),
  ],
  [
    "Einsum",
    "",
    [2, 3, 4],
    (g, x) => g.emit("Einsum", [x, g.floats(5, 4)], { equation: "b i d, j d -> b i j" }),
  ],
  ["Softmax", "", [2, 3, 4], one("Softmax")],
  ["Softmax", "of the second axis", [2, 3, 4], one("Softmax", { axis: 1 })],
  ["Softmax", "of all behind an axis", [2, 3, 4], one("Softmax", { axis: 1 }), { opset: 11 }],
  ["LogSoftmax", "", [2, 4], one("LogSoftmax")],
  [
    "LayerNormalization",
    "",
    [2, 3, 4],
    (g, x) =>
      g.emit("LayerNormalization", [x, g.floats(4), g.floats(4)], { epsilon: { float: 1e-3 } }),
  ],
  [
    "LayerNormalization",
    "of two axes",
    [2, 3, 4],
    (g, x) => g.emit("LayerNormalization", [x, g.floats(3, 4)], { axis: 1 }),
  ],
  [
    "InstanceNormalization",
    "",
    [2, 3, 4, 2],
    (g, x) => g.emit("InstanceNormalization", [x, g.floats(3), g.floats(3)]),
  ],
  [
    "GroupNormalization",
    "",
    [2, 4, 3, 2],
    (g, x) => g.emit("GroupNormalization", [x, g.floats(2), g.floats(2)], { num_groups: 2 }),
  ],
  [
    "BatchNormalization",
    "",
    [2, 3, 4, 2],
    (g, x) =>
      g.emit("BatchNormalization", [x, g.floats(3), g.floats(3), g.floats(3), g.positive(3)]),
  ],
  [
    "ReduceMean",
    "axes as an attribute",
    [2, 3, 4],
    one("ReduceMean", { axes: [1, -1], keepdims: 0 }),
    { opset: 17, rank: 1 },
  ],
  ["ReduceMean", "axes as an input", [2, 3, 4], withList("ReduceMean", [2])],
  ["ReduceSum", "", [2, 3, 4], withList("ReduceSum", [0, 2])],
  ["ReduceMax", "", [2, 3, 4], withList("ReduceMax", [2], { keepdims: 0 }), { rank: 2 }],
  ["ReduceMin", "", [2, 3, 4], withList("ReduceMin", [1])],
  ["ReduceL1", "", [2, 3, 4], withList("ReduceL1", [1])],
  ["ReduceL2", "", [2, 3, 4], withList("ReduceL2", [1, 2])],
  ["ReduceSumSquare", "", [2, 3, 4], withList("ReduceSumSquare", [-1])],
  ["GlobalAveragePool", "", image, one("GlobalAveragePool")],
  ["GlobalMaxPool", "", image, one("GlobalMaxPool")],
  [
    "Conv",
    "",
    image,
    (g, x) => g.emit("Conv", [x, g.floats(4, 3, 3, 3), g.floats(4)], { pads: [1, 1, 1, 1] }),
  ],
  [
    "Conv",
    "strided, more padding behind",
    image,
    (g, x) => g.emit("Conv", [x, g.floats(4, 3, 3, 2)], { strides: [2, 2], pads: [0, 1, 2, 0] }),
  ],
  [
    "Conv",
    "SAME_UPPER",
    image,
    (g, x) =>
      g.emit("Conv", [x, g.floats(4, 3, 3, 3)], { auto_pad: "SAME_UPPER", strides: [2, 2] }),
  ],
  [
    "Conv",
    "SAME_LOWER",
    image,
    (g, x) => g.emit("Conv", [x, g.floats(4, 3, 2, 2)], { auto_pad: "SAME_LOWER" }),
  ],
  [
    "Conv",
    "VALID, dilated",
    image,
    (g, x) => g.emit("Conv", [x, g.floats(2, 3, 2, 2)], { auto_pad: "VALID", dilations: [2, 3] }),
  ],
  [
    "Conv",
    "in groups",
    [2, 4, 5, 5],
    (g, x) => g.emit("Conv", [x, g.floats(6, 2, 3, 3)], { group: 2, pads: [1, 1, 1, 1] }),
  ],
  [
    "Conv",
    "depthwise",
    [2, 4, 5, 5],
    (g, x) =>
      g.emit("Conv", [x, g.floats(4, 1, 3, 3)], { group: 4, strides: [2, 2], pads: [1, 1, 1, 1] }),
  ],
  [
    "MaxPool",
    "",
    image,
    one("MaxPool", { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] }),
  ],
  [
    "MaxPool",
    "rounding up",
    [1, 2, 6, 5],
    one("MaxPool", { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  ],
  ["MaxPool", "dilated", image, one("MaxPool", { kernel_shape: [2, 2], dilations: [2, 3] })],
  [
    "MaxPool",
    "behind a ReLU",
    [2, 3, 7, 6],
    (g, x) =>
      g.emit("MaxPool", [g.emit("Relu", [x])], {
        kernel_shape: [3, 3],
        strides: [2, 2],
        pads: [1, 1, 1, 1],
      }),
  ],
  ["AveragePool", "", image, one("AveragePool", { kernel_shape: [2, 2], strides: [2, 2] })],
  [
    "AveragePool",
    "of what is there",
    image,
    one("AveragePool", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  ],
  [
    "AveragePool",
    "with its padding",
    image,
    one("AveragePool", { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  ],
  [
    "AveragePool",
    "rounding up",
    [1, 2, 6, 5],
    one("AveragePool", { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  ],
  ["Reshape", "0 and −1", [2, 3, 4], withList("Reshape", [0, -1]), { rank: 2 }],
  ["Flatten", "", [2, 3, 4], one("Flatten", { axis: 2 }), { rank: 2 }],
  ["Transpose", "", [2, 3, 4], one("Transpose", { perm: [1, 2, 0] })],
  ["Squeeze", "", [2, 1, 4], withList("Squeeze", [1]), { rank: 2 }],
  [
    "Squeeze",
    "axes as an attribute",
    [2, 1, 4],
    one("Squeeze", { axes: [-2] }),
    { opset: 12, rank: 2 },
  ],
  ["Unsqueeze", "", [2, 4], withList("Unsqueeze", [0, -1]), { rank: 4 }],
  ["Expand", "", [3, 1], withList("Expand", [2, 1, 4]), { rank: 3 }],
  ["Tile", "", [2, 3], withList("Tile", [2, 3])],
  ["Concat", "", [2, 3], (g, x) => g.emit("Concat", [x, g.floats(2, 2), x], { axis: -1 })],
  [
    "Split",
    "into unequal parts",
    [2, 5],
    (g, x) =>
      g.emit("Concat", g.emitMany("Split", [x, g.ints([2, 3])], 2, { axis: 1 }).reverse(), {
        axis: 1,
      }),
  ],
  [
    "Split",
    "into equal parts",
    [2, 6],
    (g, x) => g.emit("Sub", g.emitMany("Split", [x], 2, { axis: 1 })),
    { opset: 13 },
  ],
  [
    "Slice",
    "",
    [4, 5],
    (g, x) => g.emit("Slice", [x, g.ints([1, -3]), g.ints([2 ** 31, -1]), g.ints([0, 1])]),
  ],
  [
    "Slice",
    "backwards",
    [4, 5],
    (g, x) => g.emit("Slice", [x, g.ints([-1]), g.ints([-(2 ** 31)]), g.ints([1]), g.ints([-1])]),
  ],
  [
    "Slice",
    "every second",
    [4, 7],
    (g, x) => g.emit("Slice", [x, g.ints([1]), g.ints([7]), g.ints([1]), g.ints([2])]),
  ],
  [
    "Gather",
    "one",
    [2, 3, 4],
    (g, x) => g.emit("Gather", [x, g.integer(0)], { axis: 1 }),
    { rank: 2 },
  ],
  [
    "Gather",
    "some",
    [2, 3, 4],
    (g, x) => g.emit("Gather", [x, g.constant("int64", [2, 2], [2, 0, -1, 1])], { axis: 1 }),
    { rank: 4 },
  ],
  ["Pad", "", [2, 3], withList("Pad", [1, 0, 0, 2])],
  [
    "Pad",
    "by a number, and cut",
    [2, 3],
    (g, x) => g.emit("Pad", [x, g.ints([1, -1, 0, 2]), g.number(0.5)]),
  ],
  ["Pad", "mirrored", [2, 4], withList("Pad", [0, 2, 0, 3], { mode: "reflect" })],
  [
    "Pad",
    "by the edge, along an axis",
    [2, 4],
    (g, x) => g.emit("Pad", [x, g.ints([2, 1]), "", g.ints([-1])], { mode: "edge" }),
  ],
  [
    "Where",
    "",
    [2, 3],
    (g, x) => g.emit("Where", [g.constant("bool", [3], [1, 0, 1]), x, g.floats(2, 1)]),
  ],
  ["Cast", "", [2, 3], one("Cast", { to: dataTypeOf("float32") })],
  ["DepthToSpace", "", [1, 8, 2, 3], one("DepthToSpace", { blocksize: 2 })],
  ["DepthToSpace", "CRD", [1, 8, 2, 3], one("DepthToSpace", { blocksize: 2, mode: "CRD" })],
  ["SpaceToDepth", "", [1, 2, 4, 6], one("SpaceToDepth", { blocksize: 2 })],
  ["Resize", "cubic, to sizes", [1, 2, 3, 4], resize({ mode: "cubic" }, [], [1, 2, 5, 7])],
  [
    "Resize",
    "cubic, smoothed",
    [1, 2, 7, 6],
    resize({ mode: "cubic", antialias: 1 }, [], [1, 2, 3, 4]),
  ],
  [
    "Resize",
    "cubic, nothing from outside",
    [1, 1, 4, 4],
    resize({ mode: "cubic", exclude_outside: 1, cubic_coeff_a: { float: -0.5 } }, [1, 1, 1.5, 2]),
  ],
  [
    "Resize",
    "linear, by scales",
    [1, 2, 3, 4],
    resize({ mode: "linear", coordinate_transformation_mode: "asymmetric" }, [1, 1, 2, 0.6]),
  ],
  [
    "Resize",
    "linear, smoothed",
    [1, 2, 7, 6],
    resize({ mode: "linear", antialias: 1 }, [1, 1, 0.5, 0.6]),
  ],
  [
    "Resize",
    "linear, corners aligned",
    [1, 2, 3, 4],
    resize({ mode: "linear", coordinate_transformation_mode: "align_corners" }, [], [1, 2, 5, 3]),
  ],
  [
    "Resize",
    "linear, as PyTorch",
    [1, 2, 3, 4],
    resize(
      { mode: "linear", coordinate_transformation_mode: "pytorch_half_pixel" },
      [],
      [1, 2, 5, 1],
    ),
  ],
  [
    "Resize",
    "nearest",
    [1, 2, 3, 4],
    resize(
      { mode: "nearest", nearest_mode: "floor", coordinate_transformation_mode: "asymmetric" },
      [1, 1, 2, 1.5],
    ),
  ],
  ["Resize", "nearest, rounded", [1, 2, 5, 4], resize({ mode: "nearest" }, [1, 1, 0.6, 2])],
  // what is worked out before training
  [
    "Shape",
    "from an axis on",
    [2, 3, 4],
    (g, x) =>
      plus(g, x, g.emit("Slice", [g.emit("Shape", [x], { start: 1 }), g.ints([1]), g.ints([2])])),
  ],
  ["Size", "", [2, 3], (g, x) => plus(g, x, g.emit("Size", [x]))],
  [
    "ConstantOfShape",
    "",
    [2, 3],
    (g, x) => g.emit("Add", [x, g.emit("ConstantOfShape", [g.emit("Shape", [x])])]),
  ],
  [
    "Range",
    "",
    [2, 3],
    (g, x) => plus(g, x, g.emit("Range", [g.integer(7), g.integer(1), g.integer(-2)])),
  ],
  [
    "Div",
    "of integers",
    [3],
    (g, x) => plus(g, x, g.emit("Div", [g.ints([-7, 7, 9]), g.ints([2, -2, 3])])),
  ],
  ["Mod", "", [3], (g, x) => plus(g, x, g.emit("Mod", [g.ints([-7, 7, 9]), g.ints([3, -3, 4])]))],
  [
    "Mod",
    "as in C",
    [3],
    (g, x) => plus(g, x, g.emit("Mod", [g.ints([-7, 7, 9]), g.ints([3, -3, 4])], { fmod: 1 })),
  ],
  [
    "Equal",
    "",
    [3],
    (g, x) =>
      plus(
        g,
        x,
        g.emit("Where", [
          g.emit("Equal", [g.ints([-1, 2, 3]), g.ints([-1])]),
          g.ints([5]),
          g.ints([1, 2, 3]),
        ]),
      ),
  ],
  ["Greater", "", [3], (g, x) => plus(g, x, g.emit("Greater", [g.ints([1, 2, 3]), g.ints([2])]))],
  [
    "GreaterOrEqual",
    "",
    [3],
    (g, x) => plus(g, x, g.emit("GreaterOrEqual", [g.ints([1, 2, 3]), g.ints([2])])),
  ],
  ["Less", "", [3], (g, x) => plus(g, x, g.emit("Less", [g.ints([1, 2, 3]), g.ints([2])]))],
  [
    "LessOrEqual",
    "",
    [3],
    (g, x) => plus(g, x, g.emit("LessOrEqual", [g.ints([1, 2, 3]), g.ints([2])])),
  ],
  [
    "And",
    "",
    [4],
    (g, x) =>
      plus(
        g,
        x,
        g.emit("And", [
          g.constant("bool", [4], [1, 1, 0, 0]),
          g.constant("bool", [4], [1, 0, 1, 0]),
        ]),
      ),
  ],
  [
    "Or",
    "",
    [4],
    (g, x) =>
      plus(
        g,
        x,
        g.emit("Or", [
          g.constant("bool", [4], [1, 1, 0, 0]),
          g.constant("bool", [4], [1, 0, 1, 0]),
        ]),
      ),
  ],
  [
    "Xor",
    "",
    [4],
    (g, x) =>
      plus(
        g,
        x,
        g.emit("Xor", [
          g.constant("bool", [4], [1, 1, 0, 0]),
          g.constant("bool", [4], [1, 0, 1, 0]),
        ]),
      ),
  ],
  ["Not", "", [2], (g, x) => plus(g, x, g.emit("Not", [g.constant("bool", [2], [1, 0])]))],
  [
    "ReduceProd",
    "",
    [3],
    (g, x) => plus(g, x, g.emit("ReduceProd", [g.ints([2, 3, 4])], { keepdims: 0 })),
  ],
  [
    "Floor",
    "",
    [2],
    (g, x) =>
      plus(
        g,
        x,
        g.emit("Floor", [
          g.emit("Div", [
            g.emit("Cast", [g.emit("Shape", [x])], { to: dataTypeOf("float32") }),
            g.number(0.7),
          ]),
        ]),
      ),
  ],
  [
    "Ceil",
    "",
    [2],
    (g, x) =>
      plus(
        g,
        x,
        g.emit("Ceil", [
          g.emit("Div", [
            g.emit("Cast", [g.emit("Shape", [x])], { to: dataTypeOf("float32") }),
            g.number(0.7),
          ]),
        ]),
      ),
  ],
  [
    "Round",
    "half to even",
    [1],
    (g, x) =>
      plus(
        g,
        x,
        g.emit("Round", [
          g.emit("Div", [
            g.emit("Cast", [g.emit("Size", [x])], { to: dataTypeOf("float32") }),
            g.number(2),
          ]),
        ]),
      ),
  ],
  ["Sign", "", [3], (g, x) => plus(g, x, g.emit("Sign", [g.ints([-3, 0, 2])]))],
  [
    "CastLike",
    "",
    [3],
    (g, x) =>
      g.emit("Add", [
        x,
        g.emit("CastLike", [
          g.ints([1, 2, 3]),
          g.emit("Cast", [g.integer(1)], { to: dataTypeOf("float32") }),
        ]),
      ]),
  ],
];

function modelOf(build: Build, shape: readonly number[], { opset = 18, rank, range }: Options) {
  const g = new Writer(range ?? [-2, 2]);
  g.input("x", "float32", shape);
  const sizes = Array.from({ length: rank ?? shape.length }, (_, i) => `size${i}`);
  g.output("y", build(g, "x"), "float32", sizes);
  const model = fromBinary(ModelProtoSchema, g.toBytes("test"));
  model.opsetImport[0].version = BigInt(opset);
  return model;
}

/** y, and the gradient of Σ y · w by everything, from our engine. */
async function ours(model: ReturnType<typeof modelOf>, x: HostArray, weights: HostArray) {
  const graph = trainableGraph(onnxGraph(model), "x", "y");
  const variables = onnxVariables(graph);
  const slope = differentiate(
    (
      all: { x: np.Array; parameters: Record<string, np.Array> },
      statistics: Record<string, np.Array>,
      w: np.Array,
    ) => {
      const y = runGraph(graph, { ...all.parameters, ...statistics }, all.x) as np.Array;
      return [y.ref.mul(w).sum(), { y }];
    },
  );
  const args = [{ x, parameters: variables.parameters }, variables.statistics, weights];
  const program = await compile(slope, args, { tune: false });
  const result = (await program.run(...args)) as never as {
    gradient: { x: HostArray; parameters: HostRecord };
    extra: { y: HostArray };
  };
  await program.dispose();
  return { graph, parameters: variables.parameters, ...result };
}

const moved = (array: HostArray, direction: HostArray, step: number) =>
  float32(
    [...array.shape],
    Array.from(array.data, (value, i) => value + step * direction.data[i]),
  );

const near = (found: number, expected: number, scale: number) =>
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(scale);

/** y of ONNX Runtime, with parameters replaced. */
async function theirs(
  model: ReturnType<typeof modelOf>,
  x: HostArray,
  parameters: HostRecord = {},
) {
  const copy = fromBinary(ModelProtoSchema, toBinary(ModelProtoSchema, model));
  for (const tensor of copy.graph!.initializer) {
    if (!(tensor.name in parameters)) continue;
    tensor.rawData = new Uint8Array(Float32Array.from(parameters[tensor.name].data).buffer);
  }
  const session = await openOnnx(toBinary(ModelProtoSchema, copy));
  const { y } = await session.run({ x });
  await session.dispose();
  return y;
}

const dot = (a: HostArray, b: HostArray) =>
  Array.from(a.data).reduce((sum, value, i) => sum + value * b.data[i], 0);

const STEP = 2e-3;

describe("operators of ONNX", () => {
  test.each(cases)("%s %s", async (operator, about, shape, build, options = {}) => {
    const stream = randomStream(11, operator, about);
    const [least, most] = options.range ?? [-2, 2];
    const draw = (sizes: readonly number[], from: number, to: number) =>
      float32(
        [...sizes],
        Array.from({ length: sizeOf(sizes) }, () => stream.uniform(from, to)),
      );
    const model = modelOf(build, shape, options);
    expect(model.graph!.node.map(({ opType }) => opType)).toContain(operator);
    const x = draw(shape, least, most);
    const expected = await theirs(model, x);
    const weights = draw(expected.shape, -1, 1);
    const { gradient, extra, parameters } = await ours(model, x, weights);
    expect(extra.y.shape).toEqual(expected.shape);
    const largest = Math.max(1, ...expected.data.map(Math.abs));
    expected.data.forEach((value, i) => near(extra.y.data[i], value, 3e-6 * largest));
    // along a random direction of the input, then of each parameter
    const directions = [["x", x] as const, ...Object.entries(parameters)];
    for (const [name, array] of directions) {
      const direction = draw(array.shape, -1, 1);
      const at = async (step: number) => {
        const there = moved(array, direction, step);
        const y =
          name === "x" ? await theirs(model, there) : await theirs(model, x, { [name]: there });
        return dot(y, weights);
      };
      const difference = ((await at(STEP)) - (await at(-STEP))) / (2 * STEP);
      const slopes = name === "x" ? gradient.x : gradient.parameters[name];
      expect(slopes.shape).toEqual(array.shape);
      const slope = dot(slopes, direction);
      near(slope, difference, 2e-3 * Math.max(1, Math.abs(difference), largest));
    }
  });

  test("are all looked at", () => {
    const elsewhere = ["Constant", "If"]; // in models of the tests beside this one
    expect([...new Set([...cases.map(([name]) => name), ...elsewhere])].sort()).toEqual(
      onnxOperators,
    );
  });
});
