import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { full, type HostRecord, zeros } from "../core/arrays.ts";
import { parseOptions } from "../core/options.ts";
import {
  type ArrayRecord,
  disposeArrays,
  mapArrays,
  type ParameterSpec,
  refArrays,
} from "../core/trees.ts";

/** Parameters of any network, by name. */
export type ParameterSpecs = Readonly<Record<string, ParameterSpec>>;

/** Slots of an optimiser inside a program: one record a slot, with a scalar record for counters. */
export type OptimiserState = Record<string, ArrayRecord>;

/** One update: everything is consumed. Learning rates are scalars. */
export type Update = {
  parameters: ArrayRecord;
  gradient: ArrayRecord;
  state: OptimiserState;
  learningRate: np.Array;
  /** Of parameters with a `share`; as long as it is 0, they and their slots stay as they are, bit for bit. */
  bodyRate?: np.Array | undefined;
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

/** The learning rate of a pretrained body, and whether it moves yet: scalars. */
type Body = { rate: np.Array; open: np.Array };

/** Numbers of updates; of a body, from where it begins. */
function counted(counter: ArrayRecord, body: Body | undefined): ArrayRecord {
  const updates = counter.updates.add(1);
  if (body === undefined) return { updates };
  return { updates, bodyUpdates: counter.bodyUpdates.add(np.where(body.open.ref, 1, 0)) };
}

type Moved = { parameter: np.Array; slots: Record<string, np.Array> };

/** A parameter of a body and its slots after a step: as they were, bit for bit, as long as it does not move. */
function gated({ open }: Body, before: Moved, move: (from: Moved) => Moved): Moved {
  const after = move(refArrays(before));
  return mapArrays((old, fresh) => np.where(open.ref, fresh, old), before, after);
}

/** Slots and counters before the first step. */
function firstSlots(specs: ParameterSpecs, slots: readonly string[], counts: boolean) {
  const hasBody = Object.values(specs).some(({ share }) => share !== undefined);
  const empty = () =>
    Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, zeros(shape)]));
  const counter = {
    updates: full([], 0),
    ...(hasBody ? { bodyUpdates: full([], 0) } : {}),
  };
  return {
    ...Object.fromEntries(slots.map((slot) => [slot, empty()])),
    ...(counts ? { counter } : {}),
  };
}

/** Makes an entry of the catalogue from the update of one parameter. */
export function defineOptimiser<O extends z.ZodObject>(
  definition: OptimiserDefinition<O>,
): OptimiserEntry<O> {
  const { name, summary, source, options: schema, counts = false } = definition;
  function optimiser(specs: ParameterSpecs, options?: z.input<O>): Optimiser {
    const parsed = parseOptions(name, schema, options ?? {});
    const slots = definition.slots(parsed);
    const names = Object.keys(specs);
    const hasBody = names.some((key) => specs[key].share !== undefined);
    return {
      name,
      init: () => firstSlots(specs, slots, counts),
      update({ parameters, gradient, state, learningRate, bodyRate = learningRate.ref }) {
        const body = hasBody ? { rate: bodyRate, open: bodyRate.ref.greater(0) } : undefined;
        const counter = counts ? counted(state.counter, body) : undefined;
        const after: OptimiserState = Object.fromEntries(slots.map((slot) => [slot, {}]));
        const moved: ArrayRecord = {};
        for (const key of names) {
          const spec = specs[key];
          const before = {
            parameter: parameters[key],
            slots: Object.fromEntries(slots.map((slot) => [slot, state[slot][key]])),
          };
          const move = (from: Moved, rate: np.Array, count: np.Array | undefined) =>
            definition.step(
              {
                ...from,
                gradient: gradient[key],
                learningRate: rate,
                spec,
                ...(count ? { count: count.ref } : {}),
              },
              parsed,
            );
          const { share } = spec;
          const result =
            body === undefined || share === undefined
              ? move(before, learningRate.ref, counter?.updates)
              : gated(body, before, (from) =>
                  move(from, body.rate.ref.mul(share), counter?.bodyUpdates),
                );
          moved[key] = result.parameter;
          for (const slot of slots) after[slot][key] = result.slots[slot];
        }
        disposeArrays([learningRate, bodyRate, ...(body ? [body.open] : [])]);
        return { parameters: moved, state: counter ? { ...after, counter } : after };
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
