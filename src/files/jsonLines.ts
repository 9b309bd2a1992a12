import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";

import { z } from "zod";

import { DataError } from "../core/errors.ts";
import { firstMistake, isJson, parseJson } from "../core/json.ts";
import { quoted } from "../core/quote.ts";
import { explained, fileError } from "./fileError.ts";

/** Puts the end of a file right whose last line was cut short; returns what must precede the next line. */
function mendEnd(file: number): "" | "\n" {
  const { size } = fstatSync(file);
  const tail = Buffer.alloc(Math.min(size, 1));
  if (size === 0 || (readSync(file, tail, 0, 1, size - 1) === 1 && tail[0] === 10)) return "";
  const whole = Buffer.alloc(size);
  readSync(file, whole, 0, size, 0);
  const start = whole.lastIndexOf(10) + 1;
  if (isJson(whole.toString("utf8", start))) return "\n";
  ftruncateSync(file, start);
  return "";
}

/**
 * Adds one value as a line of JSON to a file, in a single write; makes the file where there is none.
 *
 * A last line that an earlier process did not finish is removed first.
 */
export function appendLine(path: string, value: unknown): void {
  try {
    const file = openSync(path, "a+");
    try {
      const line = Buffer.from(`${mendEnd(file)}${JSON.stringify(value)}\n`);
      const { size } = fstatSync(file);
      const written = writeSync(file, line);
      if (written < line.length) {
        ftruncateSync(file, size);
        throw new DataError(
          `cannot write ${quoted(path)}: the disk is full`, // nothing else cuts a write short
          "free some space or choose another disk",
        );
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

/** The lines of a text; the last one is what stands behind the last line end, mostly nothing. */
function linesOf(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: string[] = [];
  for (let at = 0; at <= text.length;) {
    const found = text.indexOf(10, at);
    const end = found < 0 ? text.length : found;
    lines.push(text.toString("utf8", at, end));
    at = end + 1;
  }
  return lines;
}

const ANYTHING = z.unknown();

/**
 * The values of a file with one JSON value a line, each of the structure of `schema`.
 *
 * A last line without its line end that is no JSON was being written when the process stopped: it is
 * left out. Empty lines are skipped. Any other broken line is a `DataError` with its number and with `hint`.
 */
export async function readJsonLines(path: string): Promise<unknown[]>;
export async function readJsonLines<T>(
  path: string,
  schema: z.ZodType<T>,
  hint?: string,
): Promise<T[]>;
export async function readJsonLines(
  path: string,
  schema: z.ZodType = ANYTHING,
  hint?: string,
): Promise<unknown[]> {
  return parseJsonLines(await explained("read", path, () => readFile(path)), path, schema, hint);
}

/** The values of the bytes of such a file, by the rules of `readJsonLines`; `path` is for messages. */
export function parseJsonLines(
  content: Uint8Array | string,
  path: string,
  schema: z.ZodType = ANYTHING,
  hint = "the file was damaged after it was written: remove that line",
): unknown[] {
  const lines = typeof content === "string" ? content.split("\n") : linesOf(content);
  const fail = (line: number, what: string) =>
    new DataError(`${quoted(path)} line ${line + 1}: ${what}`, hint);
  return lines.flatMap((text, i) => {
    if (text.trim() === "") return [];
    let value: unknown;
    try {
      value = parseJson(text);
    } catch {
      if (i === lines.length - 1) return [];
      throw fail(i, `is no JSON (${quoted(text, 40)})`);
    }
    const result = schema.safeParse(value);
    if (!result.success) throw fail(i, firstMistake(schema, value) ?? "");
    return [result.data];
  });
}
