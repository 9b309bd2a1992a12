import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";

import { jit, numpy as np, tree } from "@jax-js/jax";
import type { InferenceSession } from "onnxruntime-node";

import { type HostArray, hostArray, type HostTree } from "../core/arrays.ts";
import { DeviceError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import type { Target } from "./lower/context.ts";
import {
  blockSize,
  checkDevice,
  defaultThreads,
  type Device,
  openSession,
  type SessionOptions,
} from "./device.ts";
import { withExactLiterals } from "./exactLiterals.ts";
import { lower } from "./lower/lower.ts";
import { leavesOf, type Program, Recycler, runSession } from "./program.ts";
import { flattenSpecs, mapSpecs, matchArguments, type Spec, type SpecTree } from "./spec.ts";
import { startJax, type Trace, trace, type TracedFunction } from "./trace.ts";
import { answer, type Choices, type Question, questionKey, type TimingListener } from "./tuning.ts";

/** Where and how a program runs. */
export type CompileOptions = {
  /** Default `cpu`. */
  device?: Device | (string & {}) | undefined;
  /** Threads inside one operation; default one for each core. */
  threads?: number | undefined;
  /**
   * Whether the ways to compute each convolution are timed on this machine, once, and remembered;
   * default true, on `cpu` only. The `choices` of an earlier program repeat that program exactly.
   */
  tune?: boolean | Choices | undefined;
  /** Is told how many convolutions are timed, of how many that have to be. */
  timing?: TimingListener | undefined;
};

type Shared = { session: InferenceSession; users: number };

const sessions = new Map<string, Promise<Shared>>();

/** The target of a device, its questions answered by timing where `tune` says so. */
async function targetOf(
  device: Device,
  threads: number,
  { tune = true, timing }: Pick<CompileOptions, "tune" | "timing">,
  traced: Trace,
) {
  const cpu = device === "cpu";
  const target = { block: cpu ? await blockSize() : 0, fused: cpu };
  const answering = (choices: Choices): Target => ({
    ...target,
    choose: (kind, sizes, ways) => choices[questionKey(kind, sizes)] ?? ways[0],
  });
  if (tune === false || !cpu) return { target: answering({}), choices: {} };
  const questions = new Map<string, Question>();
  const asking: Target = {
    ...target,
    choose: (kind, sizes, ways) => {
      if (ways.length > 1) questions.set(questionKey(kind, sizes), { kind, sizes, ways });
      return ways[0];
    },
  };
  lower(traced, asking, VERSION);
  const fixed = tune === true ? {} : tune;
  const choices = await answer([...questions.values()], { target: asking, threads, timing }, fixed);
  return { target: answering(choices), choices };
}

async function open(key: string, bytes: Uint8Array, options: SessionOptions): Promise<Shared> {
  const known = sessions.get(key);
  if (known !== undefined) {
    const shared = await known;
    shared.users++;
    return shared;
  }
  const opening = openSession(bytes, options).then((session) => ({ session, users: 1 }));
  sessions.set(key, opening);
  opening.catch(() => sessions.delete(key));
  return opening;
}

/**
 * Compiles a pure function over trees of arrays: traced once with jax-js, lowered to ONNX, run by
 * ONNX Runtime. The same function on the same shapes is loaded once however often it is compiled.
 *
 * @param fn consumes its arguments, as functions of jax-js do; it must not depend on array values
 * @param example one argument each: arrays or specs `{ dtype, shape }` in nested objects and lists
 * @throws DeviceError where a device is not there or a primitive has no lowering
 */
export async function compile(
  fn: TracedFunction,
  example: readonly SpecTree[],
  options: CompileOptions = {},
): Promise<Program> {
  const device = checkDevice(options.device ?? "cpu");
  if (device === "reference") return referenceProgram(fn, example);
  const threads = options.threads ?? defaultThreads();
  const traced = await trace(fn, [...example]);
  const { target, choices } = await targetOf(device, threads, options, traced);
  const { bytes } = lower(traced, target, VERSION);
  const key = createHash("sha256").update(`${device} ${threads} `).update(bytes).digest("hex");
  const shared = await open(key, bytes, { device, threads });
  const outputs = traced.outputs.map(({ aval: { shape, dtype } }) => ({ shape, dtype }));
  const recycler = new Recycler();
  let open_ = true;
  return {
    device,
    hash: key,
    choices,
    async run(...args) {
      if (!open_) throw new DeviceError("program was run after dispose()");
      const inputs = matchArguments("program", args, traced.inputs);
      const results = await runSession(shared.session, inputs, outputs, recycler);
      return traced.unflatten(results) as HostTree;
    },
    recycle: (results) => leavesOf(results).forEach((array) => recycler.put(array)),
    save: (path) => writeFile(path, bytes),
    async dispose() {
      if (!open_) return;
      open_ = false;
      recycler.clear();
      if (--shared.users > 0) return;
      sessions.delete(key);
      await shared.session.release();
    },
  };
}

/**
 * Shapes and types of what a pure function gives for such arguments: it is traced, and nothing is computed.
 * Throws what the function throws.
 */
export async function resultSpecs(
  fn: TracedFunction,
  example: readonly SpecTree[],
): Promise<Spec[]> {
  const { outputs } = await trace(fn, [...example]);
  return outputs.map(({ aval: { shape, dtype } }) => ({ shape, dtype }));
}

function toJax({ dtype, shape, data }: HostArray): np.Array {
  const values = dtype === "bool" ? Int32Array.from(data) : data;
  return np.array(values, { shape: [...shape], dtype: dtype as np.DType });
}

async function fromJax(array: np.Array): Promise<HostArray> {
  const [shape, dtype] = [[...array.shape], array.dtype as HostArray["dtype"]];
  const data = await array.data();
  return hostArray(
    dtype,
    shape,
    (dtype === "bool" ? Uint8Array.from(data) : (data as Float32Array).slice()) as never,
  );
}

type Callable = { (...args: unknown[]): unknown; dispose(): void };

async function referenceProgram(
  fn: TracedFunction,
  example: readonly SpecTree[],
): Promise<Program> {
  await startJax();
  const specs = flattenSpecs([...example]);
  // eslint-disable-next-line no-restricted-syntax -- jax-js types arguments by the function, which is of any
  const compiled = jit(fn as never) as unknown as Callable;
  return {
    device: "reference",
    hash: "reference",
    choices: {},
    async run(...args) {
      const arrays = new Map(
        matchArguments("program", args, specs).map((array, i) => [specs[i][0], array]),
      );
      const jaxArgs = mapSpecs([...example], (_, path) => toJax(arrays.get(path) as HostArray));
      const result = withExactLiterals(() => compiled(...(jaxArgs as unknown[]))) as never;
      const read = await Promise.all((tree.leaves(result) as np.Array[]).map(fromJax));
      const flat: unknown = tree.unflatten(tree.structure(result), read as never);
      return flat as HostTree;
    },
    recycle: () => undefined,
    save: () => {
      throw new DeviceError(
        'a program on the device "reference" has no ONNX file',
        "compile it for cpu",
      );
    },
    async dispose() {
      compiled.dispose();
    },
  };
}
