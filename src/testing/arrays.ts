import { type HostArray, hostArray, type HostTree, isHostArray } from "../core/arrays.ts";
import { compile } from "../engine/index.ts";

/** Compiles and runs once on jax-js itself. */
export async function evaluate(f: (...args: never[]) => unknown, ...args: HostTree[]) {
  const program = await compile(f, args, { device: "reference" });
  const result = await program.run(...args);
  await program.dispose();
  return result;
}

/** The tree that a function is known to return. */
// eslint-disable-next-line no-restricted-syntax -- the tree that a program gives is known to its function only
export const shaped = <T>(tree: HostTree) => tree as unknown as T;

/** A float32 array of numbers. */
export const float32 = (shape: number[], values: readonly number[]) =>
  hostArray("float32", shape, Float32Array.from(values));

/** An int32 array of numbers. */
export const int32 = (values: readonly number[]) =>
  hostArray("int32", [values.length], Int32Array.from(values));

/** Elements of an array as plain numbers. */
export function numbers(tree: HostTree): number[] {
  if (!isHostArray(tree)) throw new Error("expected one array");
  return Array.from(tree.data);
}

/** A float64 array of numbers, for referees. */
export const float64 = (shape: number[], values: readonly number[]) =>
  hostArray("float64", shape, Float64Array.from(values));

/** An array as nested lists, row by row. */
export function rowsOf(array: HostTree): number[][] {
  const flat = numbers(array);
  const width = (array as HostArray).shape.at(-1)!;
  return Array.from({ length: flat.length / width }, (_, i) =>
    flat.slice(i * width, (i + 1) * width),
  );
}
