import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProto_DataType as DataType,
  type TensorProto,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";

import { sizeOf } from "../src/core/arrays.ts";
import { randomStream } from "../src/core/random.ts";

/** A tensor of any kind. */
export const tensor = (init: MessageInitShape<typeof TensorProtoSchema>): TensorProto =>
  create(TensorProtoSchema, init);

/** A graph, as a branch of an If. */
export const graph = (init: MessageInitShape<typeof GraphProtoSchema>): GraphProto =>
  create(GraphProtoSchema, init);

export type Attribute =
  | number
  | readonly number[]
  | string
  | { float: number }
  | { tensor: TensorProto }
  | { graph: GraphProto };

/** A float32 tensor; random around 0 unless values are given. */
export function floats(name: string, dims: number[], values?: readonly number[]): TensorProto {
  const stream = randomStream(7, "onnxModel", name);
  const data = values ?? Array.from({ length: sizeOf(dims) }, () => 0.4 * stream.normal());
  return tensor({ name, dims: dims.map(BigInt), dataType: DataType.FLOAT, floatData: [...data] });
}

/** An int64 tensor, a vector unless sizes are given. */
export const integers = (
  name: string,
  values: readonly number[],
  dims = [values.length],
): TensorProto =>
  tensor({
    name,
    dims: dims.map(BigInt),
    dataType: DataType.INT64,
    int64Data: values.map(BigInt),
  });

function attributeInit(
  name: string,
  value: Attribute,
): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === "number") return { name, type: AttributeType.INT, i: BigInt(value) };
  if (typeof value === "string") {
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  }
  if ("float" in value) return { name, type: AttributeType.FLOAT, f: value.float };
  if ("tensor" in value) return { name, type: AttributeType.TENSOR, t: value.tensor };
  if ("graph" in value) return { name, type: AttributeType.GRAPH, g: value.graph };
  return { name, type: AttributeType.INTS, ints: value.map(BigInt) };
}

/** One operation; it is called after its first output. */
export function node(
  opType: string,
  input: string[],
  output: string | string[],
  attributes: Record<string, Attribute> = {},
): NodeProto {
  const outputs = [output].flat();
  const all = Object.entries(attributes).map(([name, value]) =>
    create(AttributeProtoSchema, attributeInit(name, value)),
  );
  return create(NodeProtoSchema, {
    opType,
    input,
    output: outputs,
    name: `/${outputs[0]}`,
    attribute: all,
  });
}

/** An input or output: sizes by number, or by name where they are open. */
export function value(
  name: string,
  dims: (number | string)[],
  elemType: DataType = DataType.FLOAT,
) {
  const dim = dims.map((size) => ({
    value:
      typeof size === "string"
        ? { case: "dimParam" as const, value: size }
        : { case: "dimValue" as const, value: BigInt(size) },
  }));
  const tensorType = { elemType, shape: { dim } };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: tensorType } },
  });
}

/** The bytes of a model. */
export function onnxModel(graph: GraphProto, { opset = 17 } = {}): Uint8Array<ArrayBuffer> {
  const model = { irVersion: 8n, opsetImport: [{ domain: "", version: BigInt(opset) }], graph };
  return new Uint8Array(toBinary(ModelProtoSchema, create(ModelProtoSchema, model)));
}

/** Images [N, 3, S, S] to features [N, 4]: a convolution, a batch norm, hard swish, pooling, a linear layer. */
export const tinyEncoder = (): GraphProto =>
  graph({
    name: "tiny",
    input: [value("pixels", ["batch", 3, "height", "width"])],
    output: [value("features", ["batch", 4])],
    initializer: [
      floats("onnx::Conv_1", [5, 3, 3, 3]),
      floats("norm.weight", [5], [1, 0.8, 1.2, 0.9, 1]),
      floats("norm.bias", [5]),
      floats("norm.running_mean", [5]),
      floats("norm.running_var", [5], [1, 2, 0.5, 1, 1.5]),
      floats("fc.weight", [4, 5]),
      floats("fc.bias", [4]),
    ],
    node: [
      node("Conv", ["pixels", "onnx::Conv_1"], "maps", { pads: [1, 1, 1, 1], strides: [2, 2] }),
      node(
        "BatchNormalization",
        ["maps", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"],
        "normal",
      ),
      node("HardSwish", ["normal"], "swished"),
      node("GlobalAveragePool", ["swished"], "pooled"),
      node("Flatten", ["pooled"], "flat"),
      node("Gemm", ["flat", "fc.weight", "fc.bias"], "features", { transB: 1 }),
    ],
  });
