import * as ort from "onnxruntime-node";

import {
  type DataOf,
  type DType,
  type HostArray,
  hostArray,
  type HostTree,
  isHostArray,
  sizeOf,
  zeros,
} from "../core/arrays.ts";
import { DeviceError } from "../core/errors.ts";
import type { Device } from "./device.ts";
import { runtimeMessage } from "./runtimeMessage.ts";
import type { Spec } from "./spec.ts";

/** A compiled function. Call `run` any number of times, `dispose` when done. */
export type Program = {
  readonly device: Device;
  /** Identifies the traced function and the target. */
  readonly hash: string;
  /** Which way each convolution is computed, as timing chose; give it to `compile` to repeat exactly. */
  readonly choices: Record<string, string>;
  /** Runs once. Arguments are read, never changed; the result has the tree that the function returned. */
  run(...args: HostTree[]): Promise<HostTree>;
  /**
   * Gives back arrays of an earlier result that nobody reads any more, so that later results are
   * written into the same memory. What was given back must not be used again.
   */
  recycle(tree: HostTree): void;
  /** Writes the program as an ONNX file. Not on the device `reference`. */
  save(path: string): Promise<void>;
  /** Frees what the program holds. */
  dispose(): Promise<void>;
};

/** Memory of results that were given back, by type and size. */
export class Recycler {
  private readonly free = new Map<string, HostArray["data"][]>();
  private readonly most = 2;

  private key(dtype: DType, size: number): string {
    return `${dtype}${size}`;
  }

  put({ dtype, data }: HostArray): void {
    const key = this.key(dtype, data.length);
    const list = this.free.get(key) ?? [];
    this.free.set(key, list);
    if (list.length < this.most * 64 && !list.includes(data)) list.push(data);
  }

  take<T extends DType>({ dtype, shape }: { dtype: T; shape: readonly number[] }): HostArray<T> {
    const data = this.free.get(this.key(dtype, sizeOf(shape)))?.pop();
    return data === undefined ? zeros(shape, dtype) : hostArray(dtype, shape, data as DataOf<T>);
  }

  clear(): void {
    this.free.clear();
  }
}

/** Every array of a tree. */
export function leavesOf(tree: HostTree): HostArray[] {
  return isHostArray(tree) ? [tree] : Object.values(tree).flatMap((child) => leavesOf(child));
}

/** An array as ONNX Runtime takes it; the memory is shared, not copied. */
export function toTensor({ dtype, shape, data }: HostArray): ort.Tensor {
  if (dtype === "float64" || data instanceof Float64Array) {
    return new ort.Tensor("float64", data as Float64Array, shape);
  }
  return new ort.Tensor(dtype as "float32", data as Float32Array, shape);
}

/** Runs a session on flat arrays; results are written into memory taken from the recycler. */
export async function runSession(
  session: ort.InferenceSession,
  inputs: HostArray[],
  outputs: Spec[],
  recycler: Recycler,
): Promise<HostArray[]> {
  const feeds = Object.fromEntries(
    inputs.flatMap((array, i) =>
      session.inputNames.includes(`i${i}`) ? [[`i${i}`, toTensor(array)]] : [],
    ),
  );
  const results = outputs.map((spec) => recycler.take(spec));
  const fetches = Object.fromEntries(results.map((array, i) => [`o${i}`, toTensor(array)]));
  try {
    await session.run(feeds, fetches);
  } catch (cause) {
    const why = runtimeMessage(cause);
    throw new DeviceError(`program failed while running: ${why}`, undefined, { cause });
  }
  return results;
}
