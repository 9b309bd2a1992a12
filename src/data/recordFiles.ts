import { stat } from "node:fs/promises";
import { basename } from "node:path";

import { ContraposeError } from "../core/errors.ts";
import { explained } from "../files/index.ts";
import type { RawEntry, Skipped } from "./source.ts";

/** Name of a record: its file and number, in digits that sort. */
export const recordId = (file: string, index: number) =>
  `${file}#${String(index).padStart(6, "0")}`;

/** Entries of one file, before they have an id. */
export type RecordEntry = Pick<RawEntry, "label" | "load"> & { readonly index: number };

/**
 * Entries of files of records, one file after another. A file that cannot be read to its end is
 * reported and left there; what it gave before stays.
 */
export async function* recordEntries(
  files: readonly string[],
  read: (file: string) => AsyncIterable<RecordEntry>,
  skip: (skipped: Skipped) => void,
): AsyncGenerator<RawEntry> {
  for (const file of files) {
    const path = basename(file);
    try {
      const { size, mtimeMs } = await explained("read", path, () => stat(file));
      const stamp = `${size}-${Math.round(mtimeMs)}`;
      for await (const { index, ...entry } of read(file)) {
        yield { id: recordId(path, index), path, stamp, ...entry };
      }
    } catch (error) {
      if (!(error instanceof ContraposeError)) throw error;
      const { message, hint } = error;
      skip({ path, reason: hint === undefined ? message : `${message}; ${hint}` });
    }
  }
}
