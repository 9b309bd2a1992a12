import { type JsTree, type numpy as np, tree, valueAndGrad } from "@jax-js/jax";

/** Parameters, statistics, gradients or optimiser slots inside a program: arrays by name. */
export type ArrayRecord = Record<string, np.Array>;

/** Arrays inside a program in nested objects and lists. */
export type ArrayTree = JsTree<np.Array>;

/** What is known of a parameter before it has a value. */
export type ParameterSpec = {
  readonly shape: readonly number[];
  /** Whether weight decay applies: true for matrices and kernels, false for biases and norms. */
  readonly decay: boolean;
};

/** Leaf by leaf over trees of one structure, keeping the type. Consumes every tree given. */
export function mapArrays<T extends ArrayTree>(
  f: (...leaves: np.Array[]) => np.Array,
  ...trees: [T, ...T[]]
): T {
  return tree.map(f, ...trees);
}

/** A second reference to every array of a tree. */
export function refArrays<T extends ArrayTree>(arrays: T): T {
  return tree.ref(arrays as never);
}

/** Gives up every array of a tree. */
export function disposeArrays(arrays: ArrayTree): void {
  tree.dispose(arrays as never);
}

/** Value, gradient with respect to the first argument, and whatever else `f` returns beside the value. */
export type Differentiated<P, X> = { value: np.Array; gradient: P; extra: X };

/** Differentiates `f`, which returns a scalar and further arrays. Consumes all arguments. */
export function differentiate<P extends ArrayTree, X extends ArrayTree, A extends unknown[]>(
  f: (parameters: P, ...rest: A) => [np.Array, X],
): (parameters: P, ...rest: A) => Differentiated<P, X> {
  const both = valueAndGrad(f as never, { hasAux: true }) as unknown as (
    parameters: P,
    ...rest: A
  ) => [[np.Array, X], P];
  return (parameters, ...rest) => {
    const [[value, extra], gradient] = both(parameters, ...rest);
    return { value, gradient, extra };
  };
}
