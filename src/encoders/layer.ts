import type { numpy as np } from "@jax-js/jax";

import { ShapeError } from "../core/errors.ts";
import type { ArrayRecord } from "../core/trees.ts";
import type { InitialSpec } from "./initial.ts";

/** Whether a network is trained: all of its norms, or those of these names, then go by their batch. */
export type Training = boolean | ((norm: string) => boolean);

/** The variables of one call of a network: hands out parameters, collects new statistics. */
export type Scope = {
  /** Whether a norm goes by the statistics of the batch. */
  trains(norm: string): boolean;
  /** A parameter, given away: each is taken once. */
  take(name: string): np.Array;
  /** A running statistic; the caller must `keep` a value for the same name. */
  statistic(name: string): np.Array;
  keep(name: string, value: np.Array): void;
  /** All statistics after the call; frees what no layer took. */
  close(): ArrayRecord;
};

/** A part of a network: the arrays it needs, by full name, and what it does. */
export type Layer = {
  readonly parameters: Readonly<Record<string, InitialSpec>>;
  readonly statistics: Readonly<Record<string, InitialSpec>>;
  apply(scope: Scope, x: np.Array): np.Array;
};

/** Opens a scope over variables, which it owns from here on. */
export function openScope(
  caller: string,
  { parameters, statistics }: { parameters: ArrayRecord; statistics: ArrayRecord },
  training: Training,
): Scope {
  const waiting = new Map(Object.entries(parameters));
  const running = new Map(Object.entries(statistics));
  const kept = new Map<string, np.Array>();
  const give = (from: Map<string, np.Array>, kind: string, name: string) => {
    const array = from.get(name);
    if (array === undefined) throw new ShapeError(`${caller}: ${kind} ${name} is missing`);
    from.delete(name);
    return array;
  };
  return {
    trains: typeof training === "boolean" ? () => training : training,
    take: (name) => give(waiting, "parameter", name),
    statistic: (name) => give(running, "statistic", name),
    keep: (name, value) => void kept.set(name, value),
    close() {
      for (const array of [...waiting.values(), ...running.values()]) array.dispose();
      return Object.fromEntries(
        Object.keys(statistics).flatMap((name) => {
          const array = kept.get(name);
          return array === undefined ? [] : [[name, array]];
        }),
      );
    },
  };
}

/** A layer of parts, with an order of application of its own. */
export function combine(parts: readonly Layer[], apply: Layer["apply"]): Layer {
  return {
    parameters: Object.assign({}, ...parts.map((part) => part.parameters)) as Layer["parameters"],
    statistics: Object.assign({}, ...parts.map((part) => part.statistics)) as Layer["statistics"],
    apply,
  };
}

/** One layer after the other. */
export function sequence(layers: readonly Layer[]): Layer {
  return combine(layers, (scope, x) =>
    layers.reduce((value, layer) => layer.apply(scope, value), x),
  );
}

/** x + f(x). */
export function skip(body: Layer): Layer {
  return combine([body], (scope, x) => body.apply(scope, x.ref).add(x));
}

/** A layer without arrays of its own. */
export function plain(f: (x: np.Array) => np.Array): Layer {
  return { parameters: {}, statistics: {}, apply: (_scope, x) => f(x) };
}
