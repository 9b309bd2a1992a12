import { createHash } from "node:crypto";

import { defaultDevice, init, makeJaxpr, numpy as np, tree } from "@jax-js/jax";

import { type DType, type HostArray, hostArray } from "../core/arrays.ts";
import { flattenSpecs, mapSpecs, type Spec, type SpecTree } from "./spec.ts";

/** A variable of a traced program. */
export type Variable = { readonly aval: { shape: number[]; dtype: DType; weakType?: boolean } };
/** An operand: a variable, or a scalar literal (which has a `value`). */
export type Atom = Variable & { readonly value?: number };
/** One operation of a traced program, in the order of execution. */
export type Equation = {
  readonly primitive: string;
  readonly inputs: Atom[];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as jax-js declares it
  readonly params: Record<string, any>;
  readonly outBinders: Variable[];
};

/** A function traced once: straight-line operations over typed arrays. */
export type Trace = {
  inputs: [string, Spec][];
  constants: { variable: Variable; value: HostArray }[];
  arguments: Variable[];
  equations: Equation[];
  outputs: Atom[];
  /** Puts the flat outputs back into the tree that the function returned. */
  unflatten(leaves: unknown[]): unknown;
  /** Identifies the program: equal functions on equal shapes have equal hashes. */
  hash: string;
  /** Where in the caller's source the first equation with this primitive was made, if it can be told. */
  locate(primitive: string): string | undefined;
};

/** A pure function over trees of jax-js arrays; it consumes its arguments. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- trees of any structure
export type TracedFunction = (...args: any[]) => unknown;

let started: Promise<unknown> | undefined;

/** Starts jax-js on its plain interpreter, which is all that tracing and the reference device need. */
export function startJax(): Promise<unknown> {
  // jax-js 0.1.25 tests `instanceof Float16Array` on float64 data; Node 20 has no such class
  if (!("Float16Array" in globalThis)) Object.assign(globalThis, { Float16Array: class {} });
  // naming the device matters: a bare init() probes navigator.gpu, which Node 20 lacks
  started ??= init("cpu").then(() => defaultDevice("cpu"));
  return started;
}

/** Stands for an array that is not there: jax-js reads these three fields of it only. */
class Placeholder {
  readonly shape: number[];
  readonly dtype: DType;
  readonly weakType = false;
  constructor({ shape, dtype }: Spec) {
    this.shape = [...shape];
    this.dtype = dtype;
  }
}

type ClosedJaxpr = {
  consts: { ref: np.Array; dispose(): void }[];
  jaxpr: { flatten(): { simplify(): Flat } };
};
type Traced = { jaxpr: ClosedJaxpr; treedef: never };
type Flat = { inBinders: Variable[]; eqns: Equation[]; outs: Atom[]; toString(): string };

type Hooked = {
  _trace?: { main: { globalData: unknown }; builder?: { addEqn(equation: Equation): void } };
};

const traceOf = (args: unknown) => (tree.leaves(args as never).at(0) as Hooked | undefined)?._trace;

/**
 * Traces a function, then lets go of its equations: jax-js 0.1.25 leaves the trace of whatever takes a
 * gradient on its stack for good (`partialEvalFlat` pushes and never pops), and the equations with it.
 */
function run(fn: TracedFunction, example: SpecTree[]) {
  const placeholders = mapSpecs(example, (spec) => new Placeholder(spec)) as unknown[];
  let main: { globalData: unknown } | undefined;
  const seen: TracedFunction = (...args) => {
    main = traceOf(args)?.main;
    return fn(...args);
  };
  // eslint-disable-next-line no-restricted-syntax -- jax-js types arguments by the function, which is of any
  const tracer = makeJaxpr(seen as never) as unknown as (...args: unknown[]) => Traced;
  try {
    return tracer(...placeholders);
  } finally {
    if (main !== undefined) main.globalData = null;
  }
}

function locate(fn: TracedFunction, example: SpecTree[], primitive: string): string | undefined {
  let frame: string | undefined;
  const hooked: TracedFunction = (...args) => {
    const builder = traceOf(args)?.builder;
    if (builder) {
      const add = builder.addEqn.bind(builder);
      builder.addEqn = (equation) => {
        if (equation.primitive === primitive) frame ??= callerFrame();
        add(equation);
      };
    }
    return fn(...args);
  };
  try {
    run(hooked, example).jaxpr.consts.forEach((array) => array.dispose());
  } catch {
    return frame;
  }
  return frame;
}

function callerFrame(): string | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 200;
  const lines = (new Error().stack ?? "").split("\n").slice(1);
  Error.stackTraceLimit = limit;
  const mine = lines.find((line) => !/@jax-js|engine[\\/]trace\.|node:/.test(line));
  return mine?.replace(/^\s*at\s+/, "");
}

async function readConstant(array: np.Array): Promise<HostArray> {
  const [shape, dtype] = [[...array.shape], array.dtype as DType];
  const data = await array.ref.data();
  return hostArray(dtype, shape, (dtype === "bool" ? Uint8Array.from(data) : data) as never);
}

/**
 * Traces a function once on the shapes of `example` (arrays or specs).
 * Its arrays closed over become constants of the program.
 */
export async function trace(fn: TracedFunction, example: SpecTree[]): Promise<Trace> {
  await startJax();
  const { jaxpr, treedef } = run(fn, example);
  const flat = jaxpr.jaxpr.flatten().simplify();
  const count = jaxpr.consts.length;
  // jax-js keeps constants that simplification has left without a use, some as large as a bank
  const used = new Set([...flat.eqns.flatMap(({ inputs }) => inputs), ...flat.outs]);
  const kept = jaxpr.consts.map((_, i) => i).filter((i) => used.has(flat.inBinders[i]));
  const constants = await Promise.all(
    kept.map(async (i) => ({
      variable: flat.inBinders[i],
      value: await readConstant(jaxpr.consts[i] as never),
    })),
  );
  jaxpr.consts.forEach((array) => array.dispose());
  const hash = createHash("sha256").update(flat.toString());
  for (const {
    value: { dtype, data },
  } of constants) {
    hash.update(dtype).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return {
    inputs: flattenSpecs(example),
    constants,
    arguments: flat.inBinders.slice(count),
    equations: flat.eqns,
    outputs: flat.outs,
    unflatten: (leaves) => tree.unflatten(treedef, leaves as never),
    hash: hash.digest("hex"),
    locate: (primitive) => locate(fn, example, primitive),
  };
}
