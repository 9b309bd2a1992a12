import { stat } from "node:fs/promises";
import { basename, relative, sep } from "node:path";

import { ContraposeError } from "../../core/errors.ts";
import { explained } from "../../files/index.ts";
import { chooseParts, findParts, isSure } from "./parts.ts";
import type { Choice } from "./parts.ts";
import type { RawEntry, Skipped, SourceOptions } from "./source.ts";

/** Name of a record: its file and number, in digits that sort. */
const recordId = (file: string, index: number) => `${file}#${String(index).padStart(6, "0")}`;

/** Entries of one file, before they have an id. */
export type RecordEntry = Pick<RawEntry, "label" | "size" | "load"> & { readonly index: number };

/** A file's name from the folder it is read from; its own, where it is read by itself. */
const nameIn = (path: string, file: string): string =>
  (relative(path, file) || basename(file)).split(sep).join("/");

/**
 * Entries of files of records in the folder `root`, one file after another. A file that cannot be read to its end is
 * reported and left there; what it gave before stays.
 */
export async function* recordEntries(
  root: string,
  files: readonly string[],
  read: (file: string) => AsyncIterable<RecordEntry>,
  skip: (skipped: Skipped) => void,
): AsyncGenerator<RawEntry> {
  for (const file of files) {
    const path = nameIn(root, file);
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

/** The files that are read of those whose names tell parts of a dataset. */
export function chooseFiles(
  path: string,
  files: readonly string[],
  options: SourceOptions,
): { kept: string[]; about: Choice["about"] } {
  const records = files.map((file) => `${nameIn(path, file)}/0`); // as a folder of its records
  const choice = chooseParts(path, findParts(records, isSure(options)), options.split, "files");
  return { kept: files.filter((_, i) => choice.kept[i]), about: choice.about };
}
