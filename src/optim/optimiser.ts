import type { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { full, type HostRecord, zeros } from "../core/arrays.ts";
import { parseOptions } from "../core/options.ts";
import { type ArrayRecord, mapArrays, type ParameterSpec } from "../core/trees.ts";

/** Parameters of any network, by name. */
export type ParameterSpecs = Readonly<Record<string, ParameterSpec>>;

/** Slots of an optimiser inside a program: one record a slot, with a scalar record for counters. */
export type OptimiserState = Record<string, ArrayRecord>;

/** One update: everything is consumed. `learningRate` is a scalar. */
export type Update = {
  parameters: ArrayRecord;
  gradient: ArrayRecord;
  state: OptimiserState;
  learningRate: np.Array;
};

/**
 * Two pure functions over records of parameters.
 *
 * `init` gives the slots before the first step; `update` the parameters and slots after one.
 */
export type Optimiser = {
  readonly name: string;
  init(): { [slot: string]: HostRecord };
  update(update: Update): { parameters: ArrayRecord; state: OptimiserState };
};

/** An entry of the catalogue of optimisers: options and parameter specs to an optimiser. */
export type OptimiserEntry<O extends z.ZodObject = z.ZodObject> = {
  (specs: ParameterSpecs, options?: z.input<O>): Optimiser;
  readonly kind: "optimiser";
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly options: O;
};

type Step = {
  parameter: np.Array;
  gradient: np.Array;
  slots: Record<string, np.Array>;
  learningRate: np.Array;
  spec: ParameterSpec;
  /** Number of this update, from 1; only where the definition counts. */
  count?: np.Array;
};

/** What an optimiser file declares: slots that start at 0 and the update of one parameter. */
export type OptimiserDefinition<O extends z.ZodObject> = {
  name: string;
  summary: string;
  source: string;
  options: O;
  slots(options: z.output<O>): readonly string[];
  counts?: boolean;
  /** Returns the new parameter and the new slots. Consumes its arrays. */
  step(step: Step, options: z.output<O>): { parameter: np.Array; slots: Record<string, np.Array> };
};

/** Makes an entry of the catalogue from the update of one parameter. */
export function defineOptimiser<O extends z.ZodObject>(
  definition: OptimiserDefinition<O>,
): OptimiserEntry<O> {
  const { name, summary, source, options: schema, counts = false } = definition;
  function optimiser(specs: ParameterSpecs, options?: z.input<O>): Optimiser {
    const parsed = parseOptions(name, schema, options ?? {});
    const slots = definition.slots(parsed);
    const names = Object.keys(specs);
    const empty = () => Object.fromEntries(names.map((key) => [key, zeros(specs[key].shape)]));
    return {
      name,
      init: () => ({
        ...Object.fromEntries(slots.map((slot) => [slot, empty()])),
        ...(counts ? { counter: { updates: full([], 0) } } : {}),
      }),
      update({ parameters, gradient, state, learningRate }) {
        const count = counts ? state.counter.updates.add(1) : undefined;
        const after: OptimiserState = Object.fromEntries(slots.map((slot) => [slot, {}]));
        const moved: ArrayRecord = {};
        for (const key of names) {
          const result = definition.step(
            {
              parameter: parameters[key],
              gradient: gradient[key],
              slots: Object.fromEntries(slots.map((slot) => [slot, state[slot][key]])),
              learningRate: learningRate.ref,
              spec: specs[key],
              ...(count ? { count: count.ref } : {}),
            },
            parsed,
          );
          moved[key] = result.parameter;
          for (const slot of slots) after[slot][key] = result.slots[slot];
        }
        learningRate.dispose();
        if (count) after.counter = { updates: count };
        return { parameters: moved, state: after };
      },
    };
  }
  Object.defineProperty(optimiser, "name", { value: name });
  return Object.assign(optimiser, { kind: "optimiser" as const, summary, source, options: schema });
}

/** Options of weight decay that every optimiser shares. */
export const decayOptions = {
  weightDecay: z
    .number()
    .min(0)
    .max(1e3)
    .default(0)
    .describe("weight decay per unit of learning rate; pulls weights towards 0"),
  decayAll: z
    .boolean()
    .default(false)
    .describe("decay biases and normalisation too, as plain PyTorch does"),
};

/** Decay that applies to one parameter. */
export function decayOf(
  spec: ParameterSpec,
  { weightDecay, decayAll }: { weightDecay: number; decayAll: boolean },
): number {
  return decayAll || spec.decay ? weightDecay : 0;
}

/** average · decay + value · (1 − decay), leaf by leaf. Consumes both trees. */
export function averageRecords(
  average: ArrayRecord,
  value: ArrayRecord,
  decay: number,
): ArrayRecord {
  return mapArrays((old, fresh) => old.mul(decay).add(fresh.mul(1 - decay)), average, value);
}
