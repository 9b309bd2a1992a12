import { ShapeError } from "./errors.ts";

/** Element types that arrays between programs have. `bool` is one byte an element, 0 or 1. */
export type DType = "float32" | "float64" | "int32" | "uint32" | "bool";

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
};

/** The typed array that holds elements of a type. */
export type DataOf<T extends DType> = InstanceType<(typeof constructors)[T]>;

/** A dense row-major array outside any engine: what programs take and return, and what files hold. */
export type HostArray<T extends DType = DType> = {
  readonly dtype: T;
  readonly shape: readonly number[];
  readonly data: DataOf<T>;
};

/** Arrays by name. Parameters are named as torchvision names them: `layer1.0.conv1.weight`. */
export type HostRecord = Record<string, HostArray>;

/** Arrays in nested objects and lists. */
export type HostTree = HostArray | { [name: string]: HostTree } | HostTree[];

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** An array of zeros. */
export function zeros<T extends DType = "float32">(
  shape: readonly number[],
  dtype: T = "float32" as T,
): HostArray<T> {
  return { dtype, shape: [...shape], data: new constructors[dtype](sizeOf(shape)) as DataOf<T> };
}

/** An array with all elements equal to `value`. */
export function full<T extends DType = "float32">(
  shape: readonly number[],
  value: number,
  dtype: T = "float32" as T,
): HostArray<T> {
  const array = zeros(shape, dtype);
  array.data.fill(value);
  return array;
}

/** A 0-dimensional float32 array. */
export function scalar<T extends DType = "float32">(value: number, dtype?: T): HostArray<T> {
  return full([], value, dtype);
}

/** Wraps a typed array without copying. Throws `ShapeError` where the length does not fit. */
export function hostArray<T extends DType>(
  dtype: T,
  shape: readonly number[],
  data: DataOf<T>,
): HostArray<T> {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(
      `hostArray: data has ${data.length} elements, expected ${sizeOf(shape)} for shape [${shape.join(", ")}]`,
    );
  }
  return { dtype, shape: [...shape], data };
}

/** Whether a value is a `HostArray`, as against a tree of them. */
export function isHostArray(value: unknown): value is HostArray {
  return (
    typeof value === "object" &&
    value !== null &&
    "dtype" in value &&
    "shape" in value &&
    "data" in value
  );
}

/** The arrays of a tree with their paths joined by "/", in insertion order. */
export function flattenTree(tree: HostTree, path = ""): [string, HostArray][] {
  if (isHostArray(tree)) return [[path, tree]];
  return Object.entries(tree).flatMap(([key, child]) =>
    flattenTree(child, path === "" ? key : `${path}/${key}`),
  );
}

/** A tree of the same structure with every array replaced. */
export function mapTree<T extends HostTree>(
  tree: T,
  replace: (array: HostArray, path: string) => HostArray,
  path?: string,
): T;
export function mapTree(
  tree: HostTree,
  replace: (array: HostArray, path: string) => HostArray,
  path = "",
): HostTree {
  if (isHostArray(tree)) return replace(tree, path);
  const join = (key: string) => (path === "" ? key : `${path}/${key}`);
  if (Array.isArray(tree)) return tree.map((child, i) => mapTree(child, replace, join(String(i))));
  return Object.fromEntries(
    Object.entries(tree).map(([key, child]) => [key, mapTree(child, replace, join(key))]),
  );
}
