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
  /**
   * Share of `bodyRate`, where that is its learning rate: of a pretrained body that is trained at another rate, and
   * later, than what is new.
   */
  readonly share?: number | undefined;
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

type Tracer = {
  _trace: { main: { level: number } };
  primal?: np.Array;
  tangent?: np.Array;
  fullLower(): np.Array;
};

/** What jax-js keeps in an array inside a differentiated function, which its types do not show. */
// eslint-disable-next-line no-restricted-syntax -- fields of jax-js 0.1.25 beyond its types
const tracerOf = (array: np.Array) => array as unknown as Tracer;

/**
 * A value made inside a differentiated function as a value outside of it: `level` is that of the function's
 * own variables. jax-js 0.1.25 does the same, but leaves out what was made after another `vjp` inside the
 * function, as a look-up is transposed by.
 */
function lowered(value: np.Array, level: number): np.Array {
  let array = value;
  // two levels belong to the function: values with their slopes, and below what is known without slopes
  while (tracerOf(array)._trace.main.level >= level - 1) {
    const tracer = tracerOf(array);
    tracer.tangent?.dispose();
    const lower = tracer.primal ?? tracer.fullLower();
    if (lower === array) throw new Error("differentiate: a further result depends on the slopes");
    array = lower;
  }
  return array;
}

/** Differentiates `f`, which returns a scalar and further arrays. Consumes all arguments. */
export function differentiate<P extends ArrayTree, X extends ArrayTree, A extends unknown[]>(
  f: (parameters: P, ...rest: A) => [np.Array, X],
): (parameters: P, ...rest: A) => Differentiated<P, X> {
  return (parameters, ...rest) => {
    let level = 0;
    const watched = (variables: P, ...others: A) => {
      const [first] = tree.leaves(variables as never) as np.Array[];
      level = tracerOf(first)._trace.main.level;
      return f(variables, ...others);
    };
    // eslint-disable-next-line no-restricted-syntax -- jax-js types arguments by the function, which is of any
    const both = valueAndGrad(watched as never, { hasAux: true }) as unknown as (
      variables: P,
      ...others: A
    ) => [[np.Array, X], P];
    const [[value, extra], gradient] = both(parameters, ...rest);
    return { value, gradient, extra: mapArrays((x) => lowered(x, level), extra) };
  };
}
