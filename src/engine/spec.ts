import { type DType, type HostTree, isHostArray } from "../core/arrays.ts";
import { ShapeError } from "../core/errors.ts";

/** Shape and element type of an array that a program takes: a `HostArray` without its data. */
export type Spec = { readonly dtype: DType; readonly shape: readonly number[] };

/** Example arguments of a function: arrays, or only their specs, in nested objects and lists. */
export type SpecTree = Spec | { [name: string]: SpecTree } | readonly SpecTree[];

/** Whether a value is the spec of one array, as against a tree of them. */
export function isSpec(value: unknown): value is Spec {
  const spec = value as Partial<Spec> | null;
  return typeof spec === "object" && spec !== null && Array.isArray(spec.shape) && !!spec.dtype;
}

/** Specs with their paths joined by "/", in insertion order. */
export function flattenSpecs(tree: SpecTree, path = ""): [string, Spec][] {
  if (isSpec(tree)) return [[path, tree]];
  return Object.entries(tree).flatMap(([key, child]: [string, SpecTree]) =>
    flattenSpecs(child, path === "" ? key : `${path}/${key}`),
  );
}

/** A tree of the same structure with every spec replaced by what `make` returns. */
export function mapSpecs<T>(
  tree: SpecTree,
  make: (spec: Spec, path: string) => T,
  path = "",
): unknown {
  if (isSpec(tree)) return make(tree, path);
  const join = (key: string) => (path === "" ? key : `${path}/${key}`);
  if (Array.isArray(tree)) {
    return (tree as SpecTree[]).map((child, i) => mapSpecs(child, make, join(String(i))));
  }
  return Object.fromEntries(
    Object.entries(tree).map(([key, child]: [string, SpecTree]) => [
      key,
      mapSpecs(child, make, join(key)),
    ]),
  );
}

/** Describes a spec as `float32[2, 3]`. */
export function describeSpec({ dtype, shape }: Spec): string {
  return `${dtype}[${shape.join(", ")}]`;
}

/** The array at each path of `specs`, checked against its spec. Throws `ShapeError` on any that does not fit. */
export function matchArguments(caller: string, args: HostTree[], specs: [string, Spec][]) {
  const found = new Map<string, HostTree>();
  const walk = (tree: HostTree, path: string): void => {
    if (isHostArray(tree)) found.set(path, tree);
    else {
      for (const [key, child] of Object.entries(tree)) {
        walk(child, path === "" ? key : `${path}/${key}`);
      }
    }
  };
  walk(args, "");
  return specs.map(([path, spec]) => {
    const array = found.get(path);
    if (array === undefined || !isHostArray(array)) {
      throw new ShapeError(
        `${caller}: argument ${path} is missing, expected ${describeSpec(spec)}`,
      );
    }
    const fits =
      array.dtype === spec.dtype &&
      array.shape.length === spec.shape.length &&
      array.shape.every((size, i) => size === spec.shape[i]);
    if (!fits) {
      throw new ShapeError(
        `${caller}: argument ${path} is ${describeSpec(array)}, expected ${describeSpec(spec)}`,
      );
    }
    return array;
  });
}
