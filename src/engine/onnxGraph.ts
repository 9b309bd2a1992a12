import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  type ValueInfoProto,
} from "onnx-buf";

import { type HostRecord, sizeOf } from "../core/arrays.ts";
import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { elementTypes } from "./elementTypes.ts";
import { float16Bits } from "./halves.ts";

/** An input or output of a model: sizes are numbers where the model fixes them, else their names. */
export type OnnxValue = {
  readonly name: string;
  readonly type: string; // as float32
  readonly shape: readonly (number | string)[];
};

/** Numbers that a model holds. Floats of 16 bits are widened to float32. */
export type OnnxTensor = {
  readonly type: string; // as float32, int64, bool
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
};

/** Nodes with what they need and give: a branch of an If. */
export type OnnxBody = {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  readonly outputs: readonly string[];
};

export type OnnxAttribute = number | string | readonly number[] | OnnxTensor | OnnxBody;

/** One operation of a model. Inputs that are left out are "". */
export type OnnxNode = {
  readonly name: string;
  readonly op: string; // with its domain in front where that is not ONNX's own
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
};

/** What an ONNX file computes, as plain data. */
export type OnnxGraph = Omit<OnnxBody, "outputs"> & {
  readonly opset: number;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata: Readonly<Record<string, string>>;
};

const damaged = "write or download it again";

/** A file as a model. Throws `DataError` where it is none. */
export function parseModel(file: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, file);
  } catch (cause) {
    throw new DataError("it is no ONNX model, or it is cut short", damaged, { cause });
  }
}

/** Texts that the model's maker left in it. */
export const metadataOf = ({ metadataProps }: ModelProto): Record<string, string> =>
  Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));

/** Tensors inside nodes, those of the graphs inside them included. */
function nodeTensors(nodes: readonly NodeProto[]): TensorProto[] {
  return nodes
    .flatMap(({ attribute }) => attribute)
    .flatMap(({ t, tensors, g, graphs }) => [
      ...(t === undefined ? [] : [t]),
      ...tensors,
      ...[...(g === undefined ? [] : [g]), ...graphs].flatMap(graphTensors),
    ]);
}

function graphTensors({ initializer, node }: GraphProto): TensorProto[] {
  return [...initializer, ...nodeTensors(node)];
}

/** Tensors that lie outside the model's own file. */
export function externalTensors({ graph, functions }: ModelProto): TensorProto[] {
  const tensors = [
    ...(graph === undefined ? [] : graphTensors(graph)),
    ...functions.flatMap(({ node }) => nodeTensors(node)),
  ];
  return tensors.filter(({ dataLocation }) => dataLocation === DataLocation.EXTERNAL);
}

/** Where a tensor outside lies: its file and, of it, which bytes. */
export function placeOf({ name, externalData }: TensorProto) {
  const facts = new Map(externalData.map(({ key, value }) => [key, value]));
  const whole = (key: string) => {
    const text = facts.get(key);
    if (text === undefined) return undefined;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw new DataError(`the ${key} of ${quoted(name)} in its file is ${quoted(text)}`, damaged);
  };
  const offset = whole("offset") ?? 0;
  return { location: facts.get("location") ?? "", offset, length: whole("length") };
}

/** Reads bytes of a file beside the model; up to its end where no length is given. */
export type ReadBeside = (location: string, offset: number, length?: number) => Uint8Array;

const shapeOf = ({ name, dims }: TensorProto): number[] => {
  const shape = dims.map(Number);
  if (shape.every((size) => size >= 0) && Number.isSafeInteger(sizeOf(shape))) return shape;
  throw new DataError(`the tensor ${quoted(name)} has the shape [${shape.join(", ")}]`, damaged);
};

/** A tensor as plain numbers; without any where `stripped` and it holds none. */
function tensorOf(tensor: TensorProto, stripped: boolean): OnnxTensor {
  const { name, dataType, rawData } = tensor;
  const found = elementTypes.get(dataType);
  if (found === undefined) {
    throw new DataError(`the tensor ${quoted(name)} holds no numbers (type ${dataType})`);
  }
  const { type, bytes, read } = found;
  const shape = shapeOf(tensor);
  const size = sizeOf(shape);
  const list = rawData.length > 0 ? undefined : found.list(tensor);
  const count = list?.length ?? rawData.length / bytes;
  const Data = type === "float32" ? Float32Array : Float64Array;
  if (stripped && count === 0) return { type, shape, data: new Data(0) };
  if (count !== size) {
    const expected = `expected ${size} for [${shape.join(", ")}]`;
    throw new DataError(`the tensor ${quoted(name)} has ${count} numbers, ${expected}`, damaged);
  }
  if (list !== undefined) return { type, shape, data: Data.from(list) };
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  const data = new Data(size);
  for (let i = 0; i < size; i++) data[i] = read(view, i * bytes);
  return { type, shape, data };
}

function attributeOf(attribute: AttributeProto, stripped: boolean): OnnxAttribute | undefined {
  const { type, f, i, s, t, g, floats, ints } = attribute;
  if (type === AttributeType.FLOAT) return f;
  if (type === AttributeType.INT) return Number(i);
  if (type === AttributeType.STRING) return new TextDecoder().decode(s);
  if (type === AttributeType.FLOATS) return floats;
  if (type === AttributeType.INTS) return ints.map(Number);
  if (type === AttributeType.TENSOR && t !== undefined) return tensorOf(t, false);
  if (type === AttributeType.GRAPH && g !== undefined) return bodyOf(g, stripped);
  return undefined; // an operator that needs it says so
}

function nodeOf(node: NodeProto, stripped: boolean): OnnxNode {
  const { name, opType, domain, input, output } = node;
  const own = domain === "" || domain === "ai.onnx";
  const attributes = node.attribute.flatMap((attribute): [string, OnnxAttribute][] => {
    const value = attributeOf(attribute, stripped);
    if (value === undefined) return [];
    const isType = attribute.name === "to" && typeof value === "number"; // of a Cast
    return [[attribute.name, isType ? (elementTypes.get(value)?.type ?? "") : value]];
  });
  return {
    name: name === "" ? (output[0] ?? "") : name,
    op: own ? opType : `${domain}.${opType}`,
    inputs: input,
    outputs: output,
    attributes: new Map(attributes),
  };
}

function bodyOf({ node, initializer, output }: GraphProto, stripped: boolean): OnnxBody {
  return {
    nodes: node.map((one) => nodeOf(one, stripped)),
    initializers: new Map(initializer.map((tensor) => [tensor.name, tensorOf(tensor, stripped)])),
    outputs: output.map(({ name }) => name),
  };
}

function valueOf({ name, type }: ValueInfoProto): OnnxValue {
  if (type?.value.case !== "tensorType") return { name, type: "not a tensor", shape: [] };
  const { elemType, shape } = type.value.value;
  const sizes = shape?.dim.map(({ value }) =>
    value.case === "dimValue" ? Number(value.value) : (value.value ?? ""),
  );
  return { name, type: elementTypes.get(elemType)?.type ?? `type ${elemType}`, shape: sizes ?? [] };
}

const quantised = /[Qq]uantize|Integer|QLinear|NBits|^com\.microsoft\.(?:Q|MatMulBnb)/;

/** Refuses what cannot become floats that a gradient moves. */
function refuseQuantised({ node }: GraphProto): void {
  const found = node.find(({ opType, domain }) =>
    quantised.test(`${domain && `${domain}.`}${opType}`),
  );
  if (found === undefined) return;
  throw new DataError(
    `the model is quantised (node ${quoted(found.name)}, ${found.opType}), expected weights of float32 or float16`,
    "use the model.onnx of the same encoder, not model_quantized.onnx or another like it",
  );
}

const OPSETS = { least: 11, most: 20 };

function opsetOf({ opsetImport }: ModelProto): number {
  const own = opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
  const opset = Number(own?.version ?? 0);
  if (opset >= OPSETS.least && opset <= OPSETS.most) return opset;
  throw new DataError(
    `the model is written in opset ${opset}, expected ${OPSETS.least} to ${OPSETS.most}`,
    "export it again with opset_version=17",
  );
}

/** Brings the tensors that lie in files beside a model into it. */
function takeIn(model: ModelProto, read: ReadBeside): void {
  for (const tensor of externalTensors(model)) {
    const { location, offset, length } = placeOf(tensor);
    tensor.rawData = new Uint8Array(read(location, offset, length));
    tensor.dataLocation = DataLocation.DEFAULT;
    tensor.externalData = [];
  }
}

const noFiles: ReadBeside = (location) => {
  throw new DataError(`the model's weights lie in ${quoted(location)}, which is not at hand`);
};

/** A model whose tensors are all its own. */
export function wholeModel(file: Uint8Array, read: ReadBeside = noFiles): ModelProto {
  const model = parseModel(file);
  if (model.graph === undefined) throw new DataError("the model has no graph", damaged);
  refuseQuantised(model.graph);
  takeIn(model, read);
  return model;
}

/**
 * What an ONNX file computes, as plain data. `read` finds weights that lie beside it; `stripped` allows
 * initialisers that `strippedModel` emptied.
 *
 * @throws DataError where it is damaged, quantised, or of an opset outside 11 to 20
 */
export function onnxGraph(model: ModelProto, { stripped = false } = {}): OnnxGraph {
  const graph = model.graph!;
  const opset = opsetOf(model);
  const body = bodyOf(graph, stripped);
  return {
    opset,
    nodes: body.nodes,
    initializers: body.initializers,
    inputs: graph.input.filter(({ name }) => !body.initializers.has(name)).map(valueOf),
    outputs: graph.output.map(valueOf),
    metadata: metadataOf(model),
  };
}

/** Bytes of a model without the numbers of the named initialisers. */
export function strippedModel(model: ModelProto, names: ReadonlySet<string>): Uint8Array {
  const graph = model.graph!;
  const initializer = graph.initializer.map((tensor) =>
    names.has(tensor.name)
      ? { ...tensor, rawData: new Uint8Array(0), floatData: [], doubleData: [], int32Data: [] }
      : tensor,
  );
  return toBinary(ModelProtoSchema, { ...model, graph: { ...graph, initializer } });
}

const MOST_BYTES = 2 ** 31 - 1; // of a protobuf message

/**
 * A model with the numbers of the named initialisers replaced, each kept in its own element type, and texts
 * added. Inputs, outputs and nodes stay as they are. `narrowed` counts arrays that were rounded to 16 bits.
 */
export function filledModel(
  file: Uint8Array,
  arrays: HostRecord,
  texts: Readonly<Record<string, string>> = {},
): { bytes: Uint8Array; narrowed: number } {
  const model = wholeModel(file);
  const total = Object.values(arrays).reduce((sum, { data }) => sum + data.byteLength, 0);
  if (total > MOST_BYTES) {
    throw new DataError(
      `the weights take ${total} bytes, an ONNX file holds ${MOST_BYTES} at most`,
    );
  }
  let narrowed = 0;
  for (const tensor of model.graph!.initializer) {
    if (!Object.hasOwn(arrays, tensor.name)) continue;
    const { data } = arrays[tensor.name];
    if (elementTypes.get(tensor.dataType)?.bytes === 2) narrowed++;
    Object.assign(tensor, { floatData: [], doubleData: [], int32Data: [] });
    tensor.rawData = bytesOf(tensor.dataType, data);
  }
  const kept = model.metadataProps.filter(({ key }) => !Object.hasOwn(texts, key));
  const added = Object.entries(texts).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  model.metadataProps = [...kept, ...added];
  return { bytes: toBinary(ModelProtoSchema, model), narrowed };
}

const bfloat16Bits = (value: number): number => {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16; // to the nearest, ties to even
};

const writers = new Map<number, (data: ArrayLike<number>) => ArrayBufferView<ArrayBuffer>>([
  [DataType.FLOAT, (data) => Float32Array.from(data)],
  [DataType.DOUBLE, (data) => Float64Array.from(data)],
  [DataType.FLOAT16, (data) => Uint16Array.from(data, float16Bits)],
  [DataType.BFLOAT16, (data) => Uint16Array.from(data, bfloat16Bits)],
]);

/** Numbers as the bytes of a tensor of floats. */
function bytesOf(dataType: number, data: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const write = writers.get(dataType);
  if (write === undefined) throw new DataError(`weights cannot be written as type ${dataType}`);
  return new Uint8Array(write(data).buffer);
}
