import { readFile } from "node:fs/promises";

import { z } from "zod";

import { DataError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { mistakes } from "../core/options.ts";
import { quoted } from "../core/quote.ts";
import { explained } from "../files/index.ts";

/** The one format that is read. */
export const FORMAT = "contrapose-conformance/1";

/** Numbers in nested lists; lists of lists need not be equally long. */
export type Nested = number | Nested[];

const tolerance = z.number().positive();
const ConformanceCase = z.object({
  id: z.string().min(1).describe("unique in the file, METHOD/slug"),
  method: z.string().min(1),
  params: z.record(z.string(), z.unknown()).describe("scalars, options and every random draw"),
  inputs: z.record(z.string(), z.unknown()).describe("nested lists of numbers"),
  differentiate: z.array(z.string()).describe("inputs whose gradient is expected"),
  expect: z.record(z.string(), z.unknown()).describe("outputs by name"),
  tolerance: z.object({ loss: tolerance, gradient: tolerance }),
  source: z.string().optional(),
  note: z.string().optional(),
});

/** One method on one set of inputs, with what follows from them. */
export type ConformanceCase = z.output<typeof ConformanceCase>;

/** Up to five of many, one a line. */
function listed(found: readonly string[]): string {
  if (found.length === 1) return found[0];
  const shown = found.slice(0, 5).map((mistake) => `\n  ${mistake}`);
  const more = found.length > 5 ? `\n  and ${found.length - 5} more` : "";
  return `${found.length} mistakes${shown.join("")}${more}`;
}

function parsed(text: string, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`${name} is not JSON: ${why}`, undefined, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new DataError(`${name} holds no JSON object, expected { "format": "${FORMAT}", … }`);
}

/** Reads the text of a case file. `name` stands for it in messages. Throws `DataError`. */
export function parseCases(text: string, name: string): ConformanceCase[] {
  const { format, cases } = parsed(text, name);
  if (format !== FORMAT) {
    const is = format === undefined ? "has no format" : `has the format ${quoted(format)}`;
    throw new DataError(`${name} ${is}, expected ${JSON.stringify(FORMAT)}`);
  }
  const schema = z.array(ConformanceCase).min(1, "expected at least one case");
  const found = mistakes(schema, cases);
  if (found.length > 0) throw new DataError(`${name}: cases: ${listed(found)}`);
  const result = schema.parse(cases);
  const ids = result.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice === undefined) return result;
  throw new DataError(`${name}: the id ${quoted(twice)} occurs twice, expected once`);
}

/** Reads a case file. */
export async function readCases(path: string): Promise<ConformanceCase[]> {
  const text = await explained("read", path, () => readFile(path, "utf8"));
  return parseCases(text, JSON.stringify(path));
}
