import type { z } from "zod";

import { DataError } from "./errors.ts";
import { mistakes } from "./options.ts";

/** Levels of lists and objects that are read, far more than any file here has. */
const DEEPEST = 64;

/** Position behind the string that starts at `at`; the end of the text where it does not end. */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34) return i + 1;
    if (code === 92) i++; // what is escaped
  }
  return text.length;
}

function checkDepth(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34) i = stringEnd(text, i) - 1;
    else if (code === 91 || code === 123) depth++;
    else if (code === 93 || code === 125) depth--;
    if (depth > DEEPEST) {
      throw new SyntaxError(`it is nested more than ${DEEPEST} levels deep at position ${i}`);
    }
  }
}

/**
 * The value of JSON that anybody may have written. Throws `SyntaxError` where it is none, and where it is nested
 * so deeply that whoever walks through the value would run out of stack.
 */
export function parseJson(text: string): unknown {
  if (text.length > DEEPEST) checkDepth(text);
  return JSON.parse(text);
}

/** Whether a text is JSON that `parseJson` reads. */
export function isJson(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}

/** The first thing that is wrong with a value, as `count: expected number, received null`; undefined where nothing is. */
export function firstMistake(schema: z.ZodType, value: unknown): string | undefined {
  return mistakes(schema, value)
    .at(0)
    ?.replace("Invalid input: ", "")
    .replace(/^options: /, "");
}

/** Where a text comes from, as errors name it, and what their reader can do. */
export type TextOrigin = { readonly where: string; readonly hint?: string };

/** The value of JSON of a known structure. Throws `DataError` naming the field where it is of another. */
export function parseAs<T>(schema: z.ZodType<T>, text: string, { where, hint }: TextOrigin): T {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new DataError(`${where} is no JSON: it was changed or cut short`, hint, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new DataError(`${where}: ${firstMistake(schema, value)}`, hint);
}
