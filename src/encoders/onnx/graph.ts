import type { numpy as np } from "@jax-js/jax";

import { ContraposeError, DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import type { OnnxBody, OnnxGraph, OnnxNode, OnnxTensor } from "../../engine/index.ts";
import { Blocked, type Call, type Operator } from "./call.ts";
import { elementwise } from "./elementwise.ts";
import { movement } from "./movement.ts";
import { products } from "./products.ts";
import { resizing } from "./resize.ts";
import { dispose, isHost, type Value } from "./values.ts";
import { windows } from "./windows.ts";

const operators: Readonly<Record<string, Operator>> = {
  ...movement,
  ...elementwise,
  ...products,
  ...windows,
  ...resizing,
};

/** The operators of ONNX that can be trained, or worked out before training. */
export const onnxOperators: readonly string[] = [...Object.keys(operators), "If"].sort();

/** Inputs of an operator that decide shapes or places: what leads to them is no parameter. */
const deciding: Readonly<Record<string, readonly number[]>> = {
  Reshape: [1],
  Expand: [1],
  Tile: [1],
  Slice: [1, 2, 3, 4],
  Gather: [1],
  Range: [0, 1, 2],
  Squeeze: [1],
  Unsqueeze: [1],
  Split: [1],
  Pad: [1, 2, 3],
  ConstantOfShape: [0],
  Where: [0],
  Resize: [1, 2, 3],
  Clip: [1, 2],
  Pow: [1],
  If: [0],
  ReduceSum: [1],
  ReduceMean: [1],
  ReduceMax: [1],
  ReduceMin: [1],
  ReduceL1: [1],
  ReduceL2: [1],
  ReduceSumSquare: [1],
};

const isBody = (value: unknown): value is OnnxBody =>
  typeof value === "object" && value !== null && "nodes" in value;

const bodiesOf = ({ attributes }: OnnxNode): OnnxBody[] => [...attributes.values()].filter(isBody);

/** Names that a node needs, those of its branches included. */
function needsOf(node: OnnxNode): string[] {
  const inner = bodiesOf(node).flatMap(({ nodes, outputs }) => [
    ...nodes.flatMap(needsOf),
    ...outputs,
  ]);
  return [...node.inputs, ...inner].filter((name) => name !== "");
}

type Makers = ReadonlyMap<string, OnnxNode>;

const makersOf = (nodes: readonly OnnxNode[]): Makers =>
  new Map(nodes.flatMap((node) => node.outputs.map((name): [string, OnnxNode] => [name, node])));

/** Names from which the given ones follow, themselves included. `stops` says where a way back ends. */
function behind(
  makers: Makers,
  names: readonly string[],
  stops: (node: OnnxNode) => boolean = () => false,
): Set<string> {
  const seen = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name === "" || seen.has(name)) continue;
    seen.add(name);
    const maker = makers.get(name);
    if (maker !== undefined && !stops(maker)) waiting.push(...needsOf(maker));
  }
  return seen;
}

const tellsShape = ({ op }: OnnxNode) => op === "Shape" || op === "Size";

const allNodes = (nodes: readonly OnnxNode[]): OnnxNode[] =>
  nodes.flatMap((node) => [node, ...bodiesOf(node).flatMap((body) => allNodes(body.nodes))]);

/** What of a model leads to one output: its nodes in order, and which of its numbers are trained. */
export type TrainableGraph = {
  readonly opset: number;
  readonly input: string;
  readonly output: string;
  readonly nodes: readonly OnnxNode[];
  readonly makers: Makers;
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  /** Floats with at least one axis. */
  readonly parameters: ReadonlyMap<string, OnnxTensor>;
  /** Means and variances of batch norms, which stay as they are. */
  readonly statistics: ReadonlyMap<string, OnnxTensor>;
};

/** What a gradient may move in a model, from its one input to an output. */
export function trainableGraph(graph: OnnxGraph, input: string, output: string): TrainableGraph {
  const needed = behind(makersOf(graph.nodes), [output]);
  const nodes = graph.nodes.filter(({ outputs }) => outputs.some((name) => needed.has(name)));
  const makers = makersOf(nodes);
  const every = allNodes(nodes);
  const decided = every.flatMap(({ op, inputs }) =>
    (Object.hasOwn(deciding, op) ? deciding[op] : []).map((i) => inputs[i] ?? ""),
  );
  const fixed = behind(makers, decided, tellsShape);
  const norms = every.filter(({ op }) => op === "BatchNormalization");
  const means = norms.flatMap(({ inputs }) => inputs.slice(3, 5));
  const running = behind(makers, means, tellsShape);
  const order = new Map([...every.flatMap(needsOf)].reverse().map((name, i) => [name, -i])); // of the first need
  const found = [...graph.initializers]
    .filter(([name]) => needed.has(name))
    .sort(([a], [b]) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  const isFloat = ({ type, shape }: OnnxTensor) => type.startsWith("float") && shape.length > 0;
  const pick = (wanted: (name: string, tensor: OnnxTensor) => boolean) =>
    new Map(found.filter(([name, tensor]) => wanted(name, tensor)));
  const trains = (name: string, tensor: OnnxTensor) => isFloat(tensor) && !fixed.has(name);
  return {
    opset: graph.opset,
    input,
    output,
    nodes,
    makers,
    constants: pick((name, tensor) => !trains(name, tensor)),
    parameters: pick((name, tensor) => trains(name, tensor) && !running.has(name)),
    statistics: pick((name, tensor) => trains(name, tensor) && running.has(name)),
  };
}

const shown = ({ name, op }: OnnxNode) => `node ${quoted(name)} (${op})`;

/** Parameters that are first needed behind a node. */
function parametersBehind({ nodes, parameters }: TrainableGraph, node: OnnxNode): string[] {
  const before = new Set(nodes.slice(0, nodes.indexOf(node) + 1).flatMap(needsOf));
  return [...parameters.keys()].filter((name) => !before.has(name));
}

/** The error of a node that no gradient passes. */
function untrainable(
  graph: TrainableGraph,
  node: OnnxNode,
  why: string,
  cause?: unknown,
): DataError {
  const left = parametersBehind(graph, node);
  const total = graph.parameters.size;
  const frozen = `freeze up to ${quoted(node.name)}: ${total - left.length} of ${total} parameters stand before it`;
  const rest =
    left.length === 0
      ? ", which is the whole body: --freeze body"
      : `, those from ${left[0]} on can be trained`;
  return new DataError(`${shown(node)} cannot be trained: ${why}`, `${frozen}${rest}`, { cause });
}

const owned = (value: Value): Value => (isHost(value) ? value : value.ref);

type Scope = Map<string, Value>;

const lookUp = (scope: Scope, name: string): Value => {
  const value = scope.get(name);
  if (value !== undefined) return value;
  throw new DataError(`takes ${quoted(name)}, which nothing before it makes`);
};

/** The branch of an If that its condition chooses. */
function branch(graph: TrainableGraph, node: OnnxNode, scope: Scope): Value[] {
  const condition = lookUp(scope, node.inputs[0]);
  if (!isHost(condition)) throw new Blocked("its branch depends on the images");
  const body = node.attributes.get(condition.data[0] === 0 ? "else_branch" : "then_branch");
  if (!isBody(body)) throw new DataError("lacks a branch");
  const inner = new Map([...scope].map(([name, value]): [string, Value] => [name, owned(value)]));
  body.initializers.forEach((tensor, name) => inner.set(name, tensor));
  runNodes(graph, body.nodes, inner);
  const results = body.outputs.map((name) => owned(lookUp(inner, name)));
  inner.forEach(dispose);
  return results;
}

function results(graph: TrainableGraph, node: OnnxNode, scope: Scope): Value[] {
  if (node.op === "If") return branch(graph, node, scope);
  const operator = Object.hasOwn(operators, node.op) ? operators[node.op] : undefined;
  if (operator === undefined) throw new Blocked("this operator is not known here");
  const inputs = node.inputs.map((name) => (name === "" ? undefined : owned(lookUp(scope, name))));
  const maker = (i: number) => graph.makers.get(node.inputs[i])?.op ?? "";
  const call: Call = { node, opset: graph.opset, inputs, maker };
  const made = operator(call);
  return Array.isArray(made) ? made : [made];
}

function runNodes(graph: TrainableGraph, nodes: readonly OnnxNode[], scope: Scope): void {
  for (const node of nodes) {
    let made: Value[];
    try {
      made = results(graph, node, scope);
    } catch (cause) {
      if (cause instanceof Blocked) throw untrainable(graph, node, cause.message, cause);
      if (cause instanceof DataError && cause.message.startsWith("node ")) throw cause; // of a branch
      const what = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
      const hint = cause instanceof ContraposeError ? cause.hint : undefined;
      throw new DataError(`${shown(node)}: ${what}`, hint, { cause });
    }
    made.forEach((value, i) => {
      const name = node.outputs[i];
      if (name === undefined || name === "") dispose(value);
      else scope.set(name, value);
    });
  }
}

/**
 * The output of a model for images. Every shape follows from theirs, so whatever depends on shapes alone is
 * worked out here, once. Consumes the arrays.
 */
export function runGraph(
  graph: TrainableGraph,
  arrays: Readonly<Record<string, np.Array>>,
  images: np.Array,
): Value {
  const scope: Scope = new Map<string, Value>([
    ...graph.constants,
    ...Object.entries(arrays),
    [graph.input, images],
  ]);
  runNodes(graph, graph.nodes, scope);
  const output = owned(lookUp(scope, graph.output));
  scope.forEach(dispose);
  return output;
}
