import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  TensorProto_DataType as DataType,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
} from "onnx-buf";
import { flattenTree, type HostArray, type HostTree } from "../core/arrays.ts";
import { VERSION } from "../core/version.ts";
import type { Target } from "./lower/context.ts";
import { lower } from "./lower/lower.ts";
import { trace, type TracedFunction } from "./trace.ts";

/** What stands in an exported model beside the computation. */
export type ExportNames = {
  readonly input: string;
  readonly output: string;
  /** Name of a weight from its path in the tree of weights. */
  weight(path: string): string;
  /** Texts about the model, kept in the file. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
};

/** Only operators of the ONNX standard, so that any runtime can load the model. */
const standard: Target = { block: 0, fused: false, choose: (_kind, _sizes, ways) => ways[0] };

/** Batch size of the trace that makes a model for any batch: a prime, so that it is found again in shapes. */
const MARK = 61;

function rename(graph: GraphProto, names: ReadonlyMap<string, string>): void {
  const named = (name: string) => names.get(name) ?? name;
  for (const node of graph.node) {
    node.input = node.input.map(named);
    node.output = node.output.map(named);
  }
  for (const value of [...graph.input, ...graph.output]) value.name = named(value.name);
}

function weightTensor(name: string, { shape, data }: HostArray) {
  return create(TensorProtoSchema, {
    name,
    dataType: DataType.FLOAT,
    dims: shape.map(BigInt),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice(),
  });
}

/** Integers of a constant vector; undefined for other tensors. */
function shapeValues(graph: GraphProto, name: string): bigint[] | undefined {
  const tensor = graph.initializer.find((candidate) => candidate.name === name);
  if (tensor?.dataType !== DataType.INT64 || tensor.dims.length !== 1) return undefined;
  if (tensor.int64Data.length > 0) return [...tensor.int64Data];
  const { buffer, byteOffset, byteLength } = tensor.rawData;
  return [...new BigInt64Array(buffer.slice(byteOffset, byteOffset + byteLength))];
}

/**
 * Lets the first axis of a model be of any size: target shapes that hold the marked batch size take it
 * from what is left of the data. False where a shape does not allow that.
 */
function freeBatch(graph: GraphProto): boolean {
  const marked = (value: bigint) => value !== 0n && value % BigInt(MARK) === 0n;
  let fresh = 0;
  for (const node of graph.node) {
    if (!["Reshape", "Expand"].includes(node.opType)) continue;
    const values = shapeValues(graph, node.input[1]);
    const places = values?.flatMap((value, i) => (marked(value) ? [i] : [])) ?? [];
    if (values === undefined || places.length === 0) continue;
    if (places.length > 1) return false;
    const expand = node.opType === "Expand";
    values[places[0]] = expand ? 1n : -1n;
    const name = `shape_of_any_batch_${fresh++}`;
    const dims = [BigInt(values.length)];
    graph.initializer.push(
      create(TensorProtoSchema, { name, dataType: DataType.INT64, dims, int64Data: values }),
    );
    node.input[1] = name;
  }
  for (const { type } of [...graph.input, ...graph.output]) {
    if (type?.value.case !== "tensorType") return false;
    const first = type.value.value.shape?.dim.at(0);
    if (first === undefined) return false;
    first.value = { case: "dimParam", value: "batch" };
  }
  return true;
}

/** Writes max(0, min(x, c)) as the one operator that runtimes fuse into the convolution before it. */
function clip(graph: GraphProto): void {
  const scalars = new Set(
    graph.initializer.filter(({ dims }) => dims.length === 0).map(({ name }) => name),
  );
  const uses = new Map<string, number>();
  for (const name of graph.node.flatMap(({ input }) => input)) {
    uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  const bounded = new Map(
    graph.node
      .filter(({ opType, input, output }) => {
        const [, limit] = opType === "Min" && input.length === 2 ? input : [];
        return limit !== undefined && scalars.has(limit) && uses.get(output[0]) === 1;
      })
      .map((node) => [node.output[0], node]),
  );
  const replaced = new Set<string>();
  for (const node of graph.node) {
    const inner = node.opType === "Relu" ? bounded.get(node.input[0]) : undefined;
    if (inner === undefined) continue;
    replaced.add(inner.output[0]);
    node.opType = "Clip";
    node.input = [inner.input[0], ZERO, inner.input[1]];
  }
  if (replaced.size === 0) return;
  graph.node = graph.node.filter(({ output }) => !replaced.has(output[0]));
  const zero = { name: ZERO, dataType: DataType.FLOAT, dims: [], floatData: [0] };
  graph.initializer.push(create(TensorProtoSchema, zero));
}

const ZERO = "zero_of_clip";

/**
 * A function of weights and one array as an ONNX model with the weights inside, for other runtimes.
 *
 * `batch` "any" leaves the first axis of input and output open; undefined is returned where a shape of
 * the program does not allow that. Callers compare what comes out with the program itself.
 */
export async function exportOnnx(
  fn: TracedFunction,
  weights: HostTree,
  input: { readonly shape: readonly number[]; readonly batch: number | "any" },
  names: ExportNames,
): Promise<Uint8Array | undefined> {
  const size = input.batch === "any" ? MARK : input.batch;
  const spec = { dtype: "float32" as const, shape: [size, ...input.shape] };
  const traced = await trace(fn, [weights, spec]);
  const { bytes } = lower(traced, standard, VERSION);
  const model: ModelProto = fromBinary(ModelProtoSchema, bytes);
  const graph = model.graph!;
  const arrays = new Map(flattenTree([weights]));
  const renamed = new Map([["o0", names.output]]);
  const kept = new Set<string>();
  traced.inputs.forEach(([path], i) => {
    const array = arrays.get(path);
    if (array === undefined) {
      renamed.set(`i${i}`, names.input);
      kept.add(`i${i}`);
      return;
    }
    const name = names.weight(path.slice(path.indexOf("/") + 1));
    renamed.set(`i${i}`, name);
    if (graph.input.some((value) => value.name === `i${i}`)) {
      graph.initializer.push(weightTensor(name, array));
    }
  });
  graph.input = graph.input.filter(({ name }) => kept.has(name));
  graph.name = "encoder";
  rename(graph, renamed);
  clip(graph);
  const used = new Set(graph.node.flatMap((node) => node.input));
  graph.initializer = graph.initializer.filter(({ name }) => used.has(name));
  model.metadataProps = Object.entries(names.metadata ?? {}).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  if (input.batch === "any" && !freeBatch(graph)) return undefined;
  return toBinary(ModelProtoSchema, model);
}
