import type { HostRecord } from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";

/** What a maker wrote beside weights, as `config.json` of a repository. */
export type Facts = Readonly<Record<string, unknown>>;

/** An entry of the catalogue of encoders with its options. */
export type NamedEncoder = { readonly name: string; readonly [option: string]: unknown };

/** A name as others write it and what it is here; `$1` and so on are its groups. */
export type Rename = readonly [RegExp, string | ((...groups: string[]) => string)];

/** A kind of encoder that weights of others are recognised as. */
export type Family = {
  /** An array that every member has. */
  readonly witness: string;
  /** Applied in turn to every name. */
  readonly renames: readonly Rename[];
  /** Arrays that are no part of the features: classifiers, counters. */
  readonly ignored: RegExp;
  /** Joins and splits arrays that others keep otherwise. */
  arrange?(arrays: HostRecord): HostRecord;
  /** The encoder that renamed arrays belong to. */
  recognise(arrays: HostRecord, facts: Facts): NamedEncoder;
};

/** A name after all renames. */
export function renamed(name: string, renames: readonly Rename[]): string {
  return renames.reduce(
    (text, [pattern, to]) =>
      typeof to === "string"
        ? text.replace(pattern, to)
        : text.replace(pattern, (_all: string, ...groups: string[]) => to(...groups)),
    name,
  );
}

/** Shape of an array. Throws `DataError` where it is missing. */
export function shapeOf(arrays: HostRecord, name: string): readonly number[] {
  const array = arrays[name];
  if (array !== undefined) return array.shape;
  throw new DataError(`the array ${name} is missing`, "use the model.onnx of the same encoder");
}

/** How many numbers from 0 on make names with `name`. */
export function countOf(arrays: HostRecord, name: (i: number) => string): number {
  const names = Object.keys(arrays);
  let count = 0;
  while (names.some((key) => key.startsWith(name(count)))) count++;
  return count;
}

/** A fact that is text, else "". */
export const textOf = (facts: Facts, name: string): string =>
  typeof facts[name] === "string" ? facts[name] : "";

/** A fact that is a number, or undefined. */
export const numberOf = (facts: Facts, name: string): number | undefined =>
  typeof facts[name] === "number" ? facts[name] : undefined;

/** Facts within facts; empty where there are none. */
export function factsOf(facts: Facts, name: string): Facts {
  const inner = facts[name];
  const isRecord = typeof inner === "object" && inner !== null && !Array.isArray(inner);
  return isRecord ? Object.fromEntries(Object.entries(inner)) : {};
}

const activationNames: Record<string, string> = {
  relu: "relu",
  relu6: "relu6",
  gelu: "gelu",
  gelu_new: "geluTanh",
  gelu_tanh: "geluTanh",
  gelu_pytorch_tanh: "geluTanh",
  quick_gelu: "quickGelu",
  silu: "silu",
  swish: "silu",
  hard_swish: "hardSwish",
  hardswish: "hardSwish",
};

/** The activation that facts name at `name`, or `usual` where they name none. Throws on an unknown one. */
export function activationOf(facts: Facts, name: string, usual: string): string {
  const given = textOf(facts, name);
  if (given === "") return usual;
  if (Object.hasOwn(activationNames, given)) return activationNames[given];
  throw new DataError(`the activation ${quoted(given, 40)} is unknown`);
}
