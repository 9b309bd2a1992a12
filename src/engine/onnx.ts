import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType as DataType,
  type TensorProto,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";

import { sizeOf } from "../core/arrays.ts";

/** Element types inside a graph. `uint32` travels as `int64`, because ONNX has hardly any operator on it. */
export type GraphType = "float32" | "float64" | "int32" | "int64" | "uint32" | "uint8" | "bool";

const dataTypes: Record<GraphType, DataType> = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  int32: DataType.INT32,
  int64: DataType.INT64,
  uint32: DataType.UINT32,
  uint8: DataType.UINT8,
  bool: DataType.BOOL,
};

/** The number that stands for an element type in attributes such as Cast's `to`. */
export function dataTypeOf(type: GraphType): number {
  return dataTypes[type];
}

/** Operator attributes: integers (also as lists), numbers wrapped in `{ float }`, strings. */
export type Attributes = Record<
  string,
  number | readonly number[] | string | { float: number | number[] }
>;

/** Operator sets beyond ONNX's own that a graph may use. */
export type Domain = "" | "com.microsoft" | "com.microsoft.nchwc";

function attribute(name: string, value: Attributes[string]) {
  if (typeof value === "string") {
    return create(AttributeProtoSchema, {
      name,
      type: AttributeType.STRING,
      s: new TextEncoder().encode(value),
    });
  }
  if (typeof value === "number") {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  }
  if ("float" in value) {
    return Array.isArray(value.float)
      ? create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: value.float })
      : create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  }
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}

function valueInfo(name: string, type: GraphType, shape: readonly (number | string)[]) {
  const dim = shape.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        typeof size === "string"
          ? { case: "dimParam", value: size }
          : { case: "dimValue", value: BigInt(size) },
    }),
  );
  const tensor = create(TypeProto_TensorSchema, {
    elemType: dataTypes[type],
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: "tensorType", value: tensor } }),
  });
}

const holders = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** Builds an ONNX graph node by node. Equal constants are stored once. */
export class GraphBuilder {
  private readonly nodes: NodeProto[] = [];
  private readonly constants = new Map<string, string>();
  private readonly initializers: TensorProto[] = [];
  private readonly inputs: ReturnType<typeof valueInfo>[] = [];
  private readonly outputs: ReturnType<typeof valueInfo>[] = [];
  private readonly domains = new Set<Domain>([""]);
  private readonly named = new Map<string, string>();
  private count = 0;

  /** A name that nothing else in the graph has. */
  fresh(): string {
    return `t${this.count++}`;
  }

  /** Adds an operation with one output and returns the output's name. */
  emit(op: string, inputs: string[], attributes: Attributes = {}, domain: Domain = ""): string {
    return this.emitMany(op, inputs, 1, attributes, domain)[0];
  }

  /** Adds an operation with several outputs and returns their names. */
  emitMany(
    op: string,
    inputs: string[],
    outputCount: number,
    attributes: Attributes = {},
    domain: Domain = "",
  ): string[] {
    const output = Array.from({ length: outputCount }, () => this.fresh());
    this.domains.add(domain);
    this.nodes.push(
      create(NodeProtoSchema, {
        name: `${op}_${output[0]}`,
        opType: op,
        domain,
        input: inputs,
        output,
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      }),
    );
    return output;
  }

  /** Makes an array an output of the graph under a given name. */
  output(name: string, from: string, type: GraphType, shape: readonly (number | string)[]): void {
    this.outputs.push(valueInfo(name, type, shape));
    const maker = this.nodes.find((node) => node.output.includes(from));
    if (maker === undefined || this.named.has(from)) {
      this.nodes.push(
        create(NodeProtoSchema, { opType: "Identity", input: [from], output: [name] }),
      );
    } else this.named.set(from, name);
  }

  /** A constant array; a single number fills the shape. */
  constant(type: GraphType, shape: readonly number[], values: ArrayLike<number> | number): string {
    const numbers =
      typeof values === "number" ? new Array<number>(sizeOf(shape)).fill(values) : values;
    const key =
      numbers.length <= 4096
        ? `${type}[${shape.join()}]${Array.from(numbers, (v) => (Object.is(v, -0) ? "-0" : v)).join()}`
        : undefined;
    const known = key === undefined ? undefined : this.constants.get(key);
    if (known !== undefined) return known;
    const name = this.fresh();
    if (key !== undefined) this.constants.set(key, name);
    const typed =
      type === "int64"
        ? BigInt64Array.from(Array.from(numbers, (v) => BigInt(v)))
        : holders[type].from(numbers);
    const rawData = new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
    this.initializers.push(
      create(TensorProtoSchema, {
        name,
        dims: shape.map(BigInt),
        dataType: dataTypes[type],
        rawData,
      }),
    );
    return name;
  }

  /** A one-dimensional int64 constant: shapes, axes, pads, indices. */
  ints(values: readonly number[]): string {
    return this.constant("int64", [values.length], values);
  }

  input(name: string, type: GraphType, shape: readonly (number | string)[]): void {
    this.inputs.push(valueInfo(name, type, shape));
  }

  /** Gives the arrays that are outputs their names, wherever they occur. */
  private renameOutputs(): void {
    const rename = (name: string) => this.named.get(name) ?? name;
    for (const node of this.nodes) {
      node.output = node.output.map(rename);
      node.input = node.input.map(rename);
    }
    this.named.clear();
  }

  /** The model file. */
  toBytes(producerVersion: string): Uint8Array {
    this.renameOutputs();
    const versions: Record<Domain, bigint> = {
      "": 18n,
      "com.microsoft": 1n,
      "com.microsoft.nchwc": 1n,
    };
    const graph = create(GraphProtoSchema, {
      name: "contrapose",
      node: this.nodes,
      initializer: this.initializers,
      input: this.inputs,
      output: this.outputs,
    });
    const model = create(ModelProtoSchema, {
      irVersion: 9n,
      producerName: "contrapose",
      producerVersion,
      opsetImport: [...this.domains].map((domain) =>
        create(OperatorSetIdProtoSchema, { domain, version: versions[domain] }),
      ),
      graph,
    });
    return toBinary(ModelProtoSchema, model);
  }
}
