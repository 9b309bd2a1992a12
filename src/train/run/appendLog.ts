import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";

import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { fileError } from "../../files/index.ts";

/** A file that only grows, line by line, and whose end can be agreed on with a checkpoint. */
export type AppendLog = {
  append(line: string): void;
  /** Forces what was written to the disk; returns the file's length in bytes. */
  flush(): number;
  close(): void;
};

/**
 * Opens a log. What stands after `length` bytes was written after the checkpoint that training goes on
 * from: it is cut off, to be written again. A file shorter than that is an error. Without `length` all stays.
 */
export function openAppendLog(path: string, length?: number): AppendLog {
  const safely = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      throw fileError(error, "write", path);
    }
  };
  const file = safely(() => openSync(path, "a+"));
  const { size } = fstatSync(file);
  if (length !== undefined && size < length) {
    closeSync(file);
    throw new DataError(
      `${quoted(path)} has ${size} bytes, expected at least the ${length} written before the checkpoint`,
      "the file was changed after training stopped",
    );
  }
  if (length !== undefined) safely(() => ftruncateSync(file, length));
  const write = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  };
  return {
    append: (line) => safely(() => write(Buffer.from(`${line}\n`))),
    flush: () =>
      safely(() => {
        fsyncSync(file);
        return fstatSync(file).size;
      }),
    close: () => closeSync(file),
  };
}
