import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";

import { jit, numpy as np, tree } from "@jax-js/jax";
import type { InferenceSession } from "onnxruntime-node";

import { type HostArray, hostArray, type HostTree } from "../core/arrays.ts";
import { DeviceError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import type { Target } from "./context.ts";
import { blockSize, checkDevice, defaultThreads, type Device, openSession } from "./device.ts";
import { lower } from "./lower.ts";
import { leavesOf, type Program, Recycler, runSession } from "./program.ts";
import { flattenSpecs, mapSpecs, matchArguments, type SpecTree } from "./spec.ts";
import { startJax, type Trace, trace, type TracedFunction } from "./trace.ts";
import { choiceByTiming } from "./tuning.ts";

/** Where and how a program runs. */
export type CompileOptions = {
  /** Default `cpu`. */
  device?: Device | (string & {}) | undefined;
  /** Threads inside one operation; default one for each core. */
  threads?: number | undefined;
  /** Whether alternatives for convolutions are timed on this machine, once; default true on `cpu`. */
  tune?: boolean | undefined;
};

type Shared = { session: InferenceSession; bytes: Uint8Array; users: number };

const sessions = new Map<string, Promise<Shared>>();

async function targetOf(device: Device, threads: number, tune: boolean): Promise<Target> {
  const block = device === "cpu" ? await blockSize() : 0;
  const choose = tune && device === "cpu" ? choiceByTiming(threads, block) : undefined;
  return {
    block,
    fused: device === "cpu",
    choose: (kind, key, ways) => choose?.choose(kind, key, ways) ?? ways[0],
  };
}

async function open(key: string, traced: Trace, target: Target, device: Device, threads: number) {
  const known = sessions.get(key);
  if (known !== undefined) {
    const shared = await known;
    shared.users++;
    return shared;
  }
  const opening = (async () => {
    const { bytes } = lower(traced, target, VERSION);
    return { session: await openSession(bytes, { device, threads }), bytes, users: 1 };
  })();
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
  const target = await targetOf(device, threads, options.tune ?? true);
  const about = [traced.hash, device, threads, target.block, VERSION].join();
  const key = createHash("sha256").update(about).digest("hex");
  const shared = await open(key, traced, target, device, threads);
  const outputs = traced.outputs.map(({ aval: { shape, dtype } }) => ({ shape, dtype }));
  const recycler = new Recycler();
  let open_ = true;
  return {
    device,
    hash: key,
    async run(...args) {
      if (!open_) throw new DeviceError("program was run after dispose()");
      const inputs = matchArguments("program", args, traced.inputs);
      const results = await runSession(shared.session, inputs, outputs, recycler);
      return traced.unflatten(results) as HostTree;
    },
    recycle: (results) => leavesOf(results).forEach((array) => recycler.put(array)),
    save: (path) => writeFile(path, shared.bytes),
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

function toJax({ dtype, shape, data }: HostArray): np.Array {
  const values = dtype === "bool" ? Int32Array.from(data) : data;
  return np.array(values as Float32Array, { shape: [...shape], dtype: dtype as np.DType });
}

async function fromJax(array: np.Array): Promise<HostArray> {
  const [shape, dtype] = [[...array.shape], array.dtype as HostArray["dtype"]];
  const data = await array.data();
  return hostArray(
    dtype,
    shape,
    (dtype === "bool" ? Uint8Array.from(data) : data.slice()) as never,
  );
}

async function referenceProgram(
  fn: TracedFunction,
  example: readonly SpecTree[],
): Promise<Program> {
  await startJax();
  const specs = flattenSpecs([...example]);
  const compiled = jit(fn as never) as unknown as {
    (...args: unknown[]): unknown;
    dispose(): void;
  };
  return {
    device: "reference",
    hash: "reference",
    async run(...args) {
      const arrays = new Map(
        matchArguments("program", args, specs).map((array, i) => [specs[i][0], array]),
      );
      const jaxArgs = mapSpecs([...example], (_, path) => toJax(arrays.get(path) as HostArray));
      const result = compiled(...(jaxArgs as unknown[]));
      const leaves = tree.leaves(result as never) as np.Array[];
      const read = await Promise.all(leaves.map(fromJax));
      return tree.unflatten(tree.structure(result as never), read as never) as unknown as HostTree;
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
