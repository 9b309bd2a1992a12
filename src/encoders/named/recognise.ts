import { type HostArray, hostArray, type HostRecord, sizeOf } from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import { isGrid, resamplePositions } from "../positions.ts";
import type { HostVariables, Network } from "../network.ts";
import { convnext } from "./convnext.ts";
import { type Facts, type Family, type NamedEncoder, renamed } from "./family.ts";
import { mobilenet } from "./mobilenet.ts";
import { resnet } from "./resnet.ts";
import { vit } from "./vit.ts";

const families: readonly Family[] = [resnet, convnext, mobilenet, vit];

/** Weights under the names used here, and the encoder that they belong to. */
export type Recognised = { readonly encoder: NamedEncoder; readonly arrays: HostRecord };

/** Arrays under a family's names, less what is no part of the features. */
function underNames(family: Family, given: HostRecord): HostRecord {
  const named = Object.entries(given)
    .map(([name, array]): [string, HostArray] => [renamed(name, family.renames), array])
    .filter(([name]) => !family.ignored.test(name));
  return Object.fromEntries(named);
}

/**
 * Which encoder of the catalogue weights of other makers belong to, by their names and shapes and by what
 * `config.json` says of them. Throws `DataError` where none has such layers.
 */
export function recognise(given: HostRecord, facts: Facts): Recognised {
  for (const family of families) {
    const named = underNames(family, given);
    if (!(family.witness in named)) continue;
    const arrays = family.arrange?.(named) ?? named;
    return { encoder: family.recognise(arrays, facts), arrays };
  }
  const [first = "none"] = Object.keys(given);
  throw new DataError(
    `no encoder here has arrays of these names (the first is ${first})`,
    "use the model.onnx of the same encoder",
  );
}

const plainShape = (shape: readonly number[]) => shape.filter((size) => size !== 1).join();

/** The array in the shape asked for: axes of size 1 come and go, positions are resampled. */
function fitted(
  name: string,
  array: HostArray,
  shape: readonly number[],
  antialias: boolean,
): HostArray | undefined {
  if (plainShape(array.shape) === plainShape(shape)) {
    return hostArray("float32", shape, Float32Array.from(array.data));
  }
  if (name !== "pos_embed") return undefined;
  return positionsFor(array, shape, antialias);
}

/** Positions of one grid for another: the tokens before the grid are as many in both. */
function positionsFor(
  array: HostArray,
  shape: readonly number[],
  antialias: boolean,
): HostArray | undefined {
  const [count, dimension] = array.shape.slice(-2);
  if (dimension !== shape[2]) return undefined;
  const prefixes = Array.from({ length: Math.min(count, shape[1]) }, (_, i) => i);
  const prefix = prefixes.find((i) => isGrid(count - i) && isGrid(shape[1] - i));
  if (prefix === undefined) return undefined;
  const flat = hostArray("float32", [1, count, dimension], Float32Array.from(array.data));
  return resamplePositions(flat, prefix, Math.sqrt(shape[1] - prefix), antialias);
}

/**
 * Variables of a network from recognised arrays; positions are resampled as the maker that `facts` tell does it. Throws
 * `DataError` unless every array finds its place.
 */
export function variablesFrom(network: Network, arrays: HostRecord, facts: Facts): HostVariables {
  const antialias = "architecture" in facts; // timm
  const take = (specs: Network["parameters"]): HostRecord =>
    Object.fromEntries(
      Object.entries(specs).map(([name, { shape }]) => {
        const found = arrays[name];
        if (found === undefined) throw new DataError(`the array ${name} is missing`);
        const array = fitted(name, found, shape, antialias);
        if (array !== undefined && sizeOf(array.shape) === sizeOf(shape)) return [name, array];
        throw new DataError(
          `the array ${name} is [${found.shape.join(", ")}], expected [${shape.join(", ")}]`,
        );
      }),
    );
  const variables = {
    parameters: take(network.parameters),
    statistics: take(network.statistics),
  };
  const left = Object.keys(arrays).filter(
    (name) => !(name in network.parameters) && !(name in network.statistics),
  );
  if (left.length === 0) return variables;
  throw new DataError(
    `${left.length} arrays have no place in the encoder ${network.name}, as ${left.slice(0, 3).join(", ")}`,
    "use the model.onnx of the same encoder",
  );
}
