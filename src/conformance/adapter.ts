import { z } from "zod";

import { DataError } from "../core/errors.ts";
import { mistakes } from "../core/options.ts";
import type { ConformanceCase } from "./caseFile.ts";
import type { Machine, Outputs } from "./machine.ts";

/** Rows of numbers: [N][D]. */
export const rows = z.array(z.array(z.number()));
/** Rows of each view or image: [V][B][D]. */
export const views = z.array(rows);
/** A list of whole numbers. */
export const integers = z.array(z.int());
/** Rows of whole numbers. */
export const integerRows = z.array(integers);

export const temperature = z.number().positive();

/** What a method's adapter declares: its parameters, its inputs, and how this package computes it. */
export type AdapterDefinition<P extends z.ZodType, I extends z.ZodType> = {
  params: P;
  inputs: I;
  run: (params: z.output<P>, inputs: z.output<I>, machine: Machine) => Promise<Outputs>;
};

/** Computes the outputs of a case by the functions of this package. */
export type Adapter = (given: ConformanceCase, machine: Machine) => Promise<Outputs>;

function read<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const found = mistakes(schema, value);
  if (found.length > 0) throw new DataError(`${what}: ${found.slice(0, 3).join("; ")}`);
  return schema.parse(value);
}

/** Makes an adapter of its declaration: parameters and inputs are checked where they enter. */
export function defineAdapter<P extends z.ZodType, I extends z.ZodType>({
  params,
  inputs,
  run,
}: AdapterDefinition<P, I>): Adapter {
  return (given, machine) =>
    run(read(params, given.params, "params"), read(inputs, given.inputs, "inputs"), machine);
}
