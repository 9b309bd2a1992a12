import type { numpy as np } from "@jax-js/jax";

import { DataError } from "../../core/errors.ts";
import type { OnnxNode, OnnxTensor } from "../../engine/index.ts";
import { arrayOf, isHost, type Value } from "./values.ts";

/** One node as an operator sees it. Arrays of the program among its inputs are the operator's to use up. */
export type Call = {
  readonly node: OnnxNode;
  readonly opset: number;
  readonly inputs: readonly (Value | undefined)[];
  /** The operator whose result an input is, "" where it is no operator's. */
  maker(input: number): string;
};

/** An operator: what a node gives for what it takes. */
export type Operator = (call: Call) => Value | Value[];

/** What an operator cannot do with the values at hand, though others could: no gradient passes it. */
export class Blocked extends DataError {}

/** An input that must be there. */
export function given({ inputs }: Call, i: number): Value {
  const value = inputs[i];
  if (value !== undefined) return value;
  throw new DataError(`lacks its input ${i}`);
}

export const array = (call: Call, i: number): np.Array => arrayOf(given(call, i));

/** An input that decides shapes or places, where it is there. */
export function hostIf({ inputs }: Call, i: number): OnnxTensor | undefined {
  const value = inputs[i];
  if (value === undefined || isHost(value)) return value;
  throw new Blocked(
    `takes its input ${i} from the images, where it must be the same for all of them`,
  );
}

/** An input that decides shapes or places. */
export function host(call: Call, i: number): OnnxTensor {
  const value = hostIf(call, i);
  if (value !== undefined) return value;
  throw new DataError(`lacks its input ${i}`);
}

export function numberOf({ node }: Call, name: string, usual: number): number {
  const value = node.attributes.get(name);
  return typeof value === "number" ? value : usual;
}

export function textOf({ node }: Call, name: string, usual: string): string {
  const value = node.attributes.get(name);
  return typeof value === "string" ? value : usual;
}

/** A list of numbers, or undefined where there is none. */
export function listOf({ node }: Call, name: string): readonly number[] | undefined {
  const value = node.attributes.get(name);
  return Array.isArray(value) ? (value as readonly number[]) : undefined;
}

/** Numbers that older opsets have as an attribute and newer ones as an input. */
export function numbersOf(call: Call, name: string, input: number): readonly number[] | undefined {
  const value = hostIf(call, input);
  return value === undefined ? listOf(call, name) : Array.from(value.data);
}
