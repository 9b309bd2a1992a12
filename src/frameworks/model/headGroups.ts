import { numpy as np } from "@jax-js/jax";

import type { HostRecord } from "../../core/arrays.ts";
import type { HostVariables, Network, Variables } from "../../encoders/index.ts";

type Renamed = { network: Network; prefix: string };

/** `head.0.weight` of a part called `space1` is `head.space1.0.weight` of the whole. */
const outer = (prefix: string, name: string) => name.replace(/^head\./, `head.${prefix}.`);

function renamed<T>(record: Readonly<Record<string, T>>, prefix: string): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [outer(prefix, name), value]),
  );
}

/** The part's own share of a record of the whole, under its own names. */
function shareOf<T>(all: Readonly<Record<string, T>>, names: readonly string[], prefix: string) {
  return Object.fromEntries(names.map((name) => [name, all[outer(prefix, name)]]));
}

const union = <T>(records: readonly Record<string, T>[]): Record<string, T> =>
  Object.assign({}, ...records) as Record<string, T>;

function variablesOf(
  { network, prefix }: Renamed,
  { parameters, statistics }: Variables,
): Variables {
  return {
    parameters: shareOf(parameters, Object.keys(network.parameters), prefix),
    statistics: shareOf(statistics, Object.keys(network.statistics), prefix),
  };
}

function initOf(parts: readonly Renamed[], seed: number): HostVariables {
  const each = parts.map(({ network, prefix }, i) => {
    const { parameters, statistics } = network.init(seed + 7919 * i); // parts must not start alike
    return { parameters: renamed(parameters, prefix), statistics: renamed(statistics, prefix) };
  });
  return {
    parameters: union<HostRecord[string]>(each.map(({ parameters }) => parameters)),
    statistics: union<HostRecord[string]>(each.map(({ statistics }) => statistics)),
  };
}

const described = (parts: readonly Renamed[], kind: "parameters" | "statistics") =>
  union(parts.map(({ network, prefix }) => renamed(network[kind], prefix)));

/**
 * `count` heads side by side on the same features: [N, inputs] to [N, count · E], head h in columns
 * h·E … (h + 1)·E − 1. Parameters are named `head.space0.…`, `head.space1.…`.
 */
export function sideBySide(make: () => Network, count: number): Network {
  const parts = Array.from({ length: count }, (_, h) => ({ network: make(), prefix: `space${h}` }));
  const [{ network }] = parts;
  return {
    name: network.name,
    dimension: count * network.dimension,
    parameters: described(parts, "parameters"),
    statistics: described(parts, "statistics"),
    init: (seed) => initOf(parts, seed),
    apply(variables, x, mode) {
      const applied = parts.map((part) =>
        part.network.apply(variablesOf(part, variables), x.ref, mode),
      );
      x.dispose();
      return {
        features: np.concatenate(
          applied.map(({ features }) => features),
          1,
        ), // [N, count · E]
        statistics: union(applied.map(({ statistics }, h) => renamed(statistics, parts[h].prefix))),
      };
    },
  };
}

/**
 * A head and a predictor behind it: [N, inputs] to [N, 2·E], the projection in front of the prediction.
 * Parameters are named `head.projector.…` and `head.predictor.…`.
 */
export function withPredictor(projector: Network, predictor: Network): Network {
  const parts = [
    { network: projector, prefix: "projector" },
    { network: predictor, prefix: "predictor" },
  ];
  return {
    name: projector.name,
    dimension: 2 * projector.dimension,
    parameters: described(parts, "parameters"),
    statistics: described(parts, "statistics"),
    init: (seed) => initOf(parts, seed),
    apply(variables, x, mode) {
      const front = projector.apply(variablesOf(parts[0], variables), x, mode);
      const back = predictor.apply(variablesOf(parts[1], variables), front.features.ref, mode);
      return {
        features: np.concatenate([front.features, back.features], 1), // [N, 2·E]
        statistics: union([
          renamed(front.statistics, "projector"),
          renamed(back.statistics, "predictor"),
        ]),
      };
    },
  };
}
