import { hostArray, type HostRecord, sizeOf, zeros } from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import type { HostVariables, Network } from "../network.ts";
import type { Facts } from "./family.ts";
import { recognise, variablesFrom } from "./recognise.ts";

/** Weights of other makers: what `config.json` says of them, and the shapes of the arrays by their names. */
export type Origin = {
  readonly config: Facts;
  readonly arrays: Readonly<Record<string, readonly number[]>>;
};

const MOST = 2 ** 24; // whole numbers that float32 tells apart

const all = ({ parameters, statistics }: HostVariables): HostRecord => ({
  ...parameters,
  ...statistics,
});

/** Where the variables of a network come from: every number of the maker's arrays is replaced by what stands for it. */
function traced(
  network: Network,
  { config, arrays }: Origin,
  standIn: (array: number, place: number) => number,
): HostRecord {
  const given = Object.entries(arrays).map(([name, shape], i) => {
    const size = sizeOf(shape);
    if (size > MOST) {
      throw new DataError(`the array ${name} has ${size} numbers, expected ${MOST} at most`);
    }
    const data = Float32Array.from({ length: size }, (_, place) => standIn(i, place));
    return [name, hostArray("float32", shape, data)];
  });
  const named = recognise(Object.fromEntries(given) as HostRecord, config).arrays;
  return all(variablesFrom(network, named, config));
}

/**
 * Variables of a network that was recognised, back under the names and in the shapes that their maker gave them.
 * What is no part of the features (classifiers, counters) is left out, as it was on the way in; so is a bias that
 * the maker does not have (that of keys, which changes no attention). Positions of another grid keep their own count.
 */
export function underMakersNames(
  network: Network,
  variables: HostVariables,
  origin: Origin,
): HostRecord {
  const names = Object.keys(origin.arrays);
  const which = traced(network, origin, (array) => array + 1); // 0 stands for what nothing stands for
  const where = traced(network, origin, (_, place) => place);
  const found = new Map<string, HostRecord[string]>();
  for (const [name, { shape, data }] of Object.entries(all(variables))) {
    const first = names[Math.round(Number(which[name].data[0])) - 1];
    if (name === "pos_embed" && sizeOf(origin.arrays[first]) !== data.length) {
      const own = origin.arrays[first].with(-2, shape[1]);
      found.set(first, hostArray("float32", own, Float32Array.from(data)));
      continue;
    }
    for (let i = 0; i < data.length; i++) {
      const source = names[which[name].data[i] - 1] as string | undefined;
      if (source === undefined) continue;
      const array = found.get(source) ?? zeros(origin.arrays[source]);
      found.set(source, array);
      array.data[where[name].data[i]] = data[i];
    }
  }
  return Object.fromEntries(
    names.flatMap((name) => (found.has(name) ? [[name, found.get(name)!]] : [])),
  );
}
