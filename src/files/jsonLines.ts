import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";

import { DataError } from "../core/errors.ts";
import { explained, fileError } from "./fileError.ts";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

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
          `cannot write ${JSON.stringify(path)}: the disk is full`, // nothing else cuts a write short
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

/**
 * The values of a file with one JSON value a line.
 *
 * A last line without its line end that is no JSON was being written when the process stopped: it is
 * left out. Empty lines are skipped. Any other broken line is a `DataError` with its number.
 */
export async function readJsonLines(path: string): Promise<unknown[]> {
  return parseJsonLines(await explained("read", path, () => readFile(path, "utf8")), path);
}

/** The values of a text with one JSON value a line, by the rules of `readJsonLines`; `path` is for messages. */
export function parseJsonLines(text: string, path: string): unknown[] {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    if (line.trim() === "") return [];
    if (isJson(line)) return [JSON.parse(line) as unknown];
    if (i === lines.length - 1) return [];
    throw new DataError(
      `${JSON.stringify(path)} line ${i + 1}: is no JSON (${JSON.stringify(line.slice(0, 40))})`,
      "the file was damaged after it was written: remove that line",
    );
  });
}
