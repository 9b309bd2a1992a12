import { fromBinary } from "@bufbuild/protobuf";
import { type AttributeProto, ModelProtoSchema } from "onnx-buf";
import { expect } from "vitest";

import { type DType, type HostArray, hostArray, type HostTree, sizeOf } from "../core/arrays.ts";
import { type RandomStream, randomStream } from "../core/random.ts";
import { compile, type CompileOptions } from "./compile.ts";
import type { Target } from "./lower/context.ts";
import { lower } from "./lower/lower.ts";
import { leavesOf } from "./program.ts";
import type { Spec } from "./spec.ts";
import { trace, type TracedFunction } from "./trace.ts";

const target: Target = { block: 0, fused: true, choose: (_, __, ways) => ways[0] };

/** Random numbers of a shape: normal floats, small integers, bits, coins. */
export function draw(stream: RandomStream, shape: number[], dtype: DType = "float32"): HostArray {
  const element = {
    float32: () => stream.normal(),
    float64: () => stream.normal(),
    int32: () => stream.integer(19) - 9,
    uint32: () => stream.bits(),
    bool: () => Number(stream.chance(0.5)),
  }[dtype];
  const values = Array.from({ length: sizeOf(shape) }, element);
  const holders = {
    float32: Float32Array,
    float64: Float64Array,
    int32: Int32Array,
    uint32: Uint32Array,
    bool: Uint8Array,
  };
  return hostArray(dtype, shape, holders[dtype].from(values) as never);
}

/** Normal float32 arrays of the given shapes. */
export function normals(seed: number, ...shapes: number[][]): HostArray[] {
  const stream = randomStream(seed, "engine-tests");
  return shapes.map((shape) => draw(stream, shape));
}

/** Largest difference of two results, relative to the largest magnitude in each array (at least 1). */
export function worstDifference(got: HostTree, want: HostTree): number {
  const [a, b] = [leavesOf(got), leavesOf(want)];
  expect(a.length).toBe(b.length);
  let worst = 0;
  a.forEach((array, i) => {
    expect(array.shape).toEqual(b[i].shape);
    expect(array.dtype).toBe(b[i].dtype);
    const scale = Math.max(1, ...b[i].data.map(Math.abs));
    array.data.forEach((value, j) => {
      const reference = b[i].data[j];
      const difference = Object.is(value, reference) ? 0 : Math.abs(value - reference) / scale;
      worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference);
    });
  });
  return worst;
}

/** Runs a function on a device and on jax-js itself, and expects equal results. */
export async function expectSame(
  fn: TracedFunction,
  args: HostTree[],
  tolerance = 1e-5,
  options: CompileOptions = {},
): Promise<void> {
  const reference = await compile(fn, args, { device: "reference" });
  const program = await compile(fn, args, { tune: false, ...options });
  const want = await reference.run(...args);
  const got = await program.run(...args);
  await program.dispose();
  await reference.dispose();
  expect(worstDifference(got, want)).toBeLessThanOrEqual(tolerance);
}

/** Few different values, so that most are equal to others; zeros of both signs among them. */
export function tied(
  stream: RandomStream,
  shape: number[],
  values = [-1, -0, 0, 0, 1, 2],
): HostArray {
  const pick = () => values[stream.integer(values.length)];
  return hostArray("float32", shape, Float32Array.from({ length: sizeOf(shape) }, pick));
}

/** Random indices below `count`. */
export function indices(stream: RandomStream, count: number, shape: number[]): HostArray {
  const data = Int32Array.from({ length: sizeOf(shape) }, () => stream.integer(count));
  return hostArray("int32", shape, data);
}

/** The operations a function becomes; TopK with how many elements it looks for, and "!" where in order. */
export async function operations(fn: TracedFunction, ...specs: Spec[]): Promise<string[]> {
  const { bytes } = lower(await trace(fn, specs), target, "test");
  const { node, initializer } = fromBinary(ModelProtoSchema, bytes).graph!;
  const number = (name: string) => {
    const raw = initializer.find((constant) => constant.name === name)?.rawData;
    return raw ? new DataView(raw.buffer, raw.byteOffset).getInt32(0, true) : "?";
  };
  const ordered = (attributes: AttributeProto[]) =>
    attributes.some(({ name, i }) => name === "sorted" && i === 1n) ? "!" : "";
  return node.map(({ opType, input, attribute }) =>
    opType === "TopK" ? `TopK ${number(input[1])}${ordered(attribute)}` : opType,
  );
}

/** Columns of each row in descending order, equal ones by column. */
export function descending({ shape, data }: HostArray): number[][] {
  const width = shape.at(-1)!;
  return Array.from({ length: data.length / width }, (_, row) => {
    const at = (column: number) => data[row * width + column];
    return Array.from({ length: width }, (__, i) => i).sort((a, b) => at(b) - at(a) || a - b);
  });
}

/** A float32 array of a shape. */
export const spec = (...shape: number[]): Spec => ({ dtype: "float32", shape });
