import type { numpy as np } from "@jax-js/jax";

import { type HostArray, type HostRecord, type HostTree, isHostArray } from "../core/arrays.ts";
import { type ArrayRecord, differentiate } from "../core/trees.ts";
import { compile, type TracedFunction } from "../engine/index.ts";
import type { Nested } from "./caseFile.ts";
import { arrayOf, nestedOf } from "./nested.ts";

/** Outputs of a method by name: numbers in nested lists, null, or objects of them. */
export type Outputs = Record<string, unknown>;

/** Where the functions of a case run. Arrays of real numbers are float64 on `reference`, else float32. */
export type Machine = {
  /** Real numbers as an array; `name` stands for them in messages. */
  reals(nested: Nested, name?: string): HostArray;
  /** Whole numbers as an array of int32. */
  integers(nested: Nested, name?: string): HostArray;
  /** Compiles a pure function of jax-js arrays and runs it once. */
  run(fn: TracedFunction, ...args: HostTree[]): Promise<Outputs>;
};

function listsOf(tree: HostTree): unknown {
  if (isHostArray(tree)) return nestedOf(tree);
  if (Array.isArray(tree)) return tree.map(listsOf);
  return Object.fromEntries(Object.entries(tree).map(([name, inner]) => [name, listsOf(inner)]));
}

/** A machine on a device. */
export function createMachine(device: string): Machine {
  const real = device === "reference" ? "float64" : "float32";
  return {
    reals: (nested, name) => arrayOf(nested, real, name),
    integers: (nested, name) => arrayOf(nested, "int32", name),
    async run(fn, ...args) {
      const program = await compile(fn, args, { device, threads: 1, tune: false });
      try {
        return listsOf(await program.run(...args)) as Outputs;
      } finally {
        await program.dispose();
      }
    },
  };
}

/** Losses of anchors [N] as a function of raw embeddings and constants, beside whatever is worth comparing. */
export type Objective = (
  variables: ArrayRecord,
  constants: ArrayRecord,
) => { perAnchor: np.Array } & ArrayRecord;

const scaled = (nested: Nested, factor: number): Nested =>
  Array.isArray(nested) ? nested.map((inner) => scaled(inner, factor)) : nested * factor;

/** Mean loss, loss of each anchor, gradients with respect to the variables, and all else that is returned. */
export async function differentiated(
  machine: Machine,
  variables: HostRecord,
  constants: HostRecord,
  objective: Objective,
): Promise<Outputs> {
  const all = (raw: ArrayRecord, fixed: ArrayRecord) => {
    // constants are closed over: what is passed as an argument is differentiated all the same, and dropped
    const { gradient, extra } = differentiate((v: ArrayRecord): [np.Array, ArrayRecord] => {
      const outputs = objective(v, fixed);
      // the sum, for jax-js 0.1.25 on its interpreter reads out of bounds in some gradients of a mean
      return [outputs.perAnchor.ref.sum(), outputs];
    })(raw);
    return { loss: extra.perAnchor.ref.mean(), gradients: gradient, ...extra };
  };
  const outputs = await machine.run(all, variables, constants);
  const share = 1 / (outputs.perAnchor as number[]).length;
  const gradients = Object.entries(outputs.gradients as Record<string, Nested>);
  return {
    ...outputs,
    gradients: Object.fromEntries(gradients.map(([name, slope]) => [name, scaled(slope, share)])),
  };
}
