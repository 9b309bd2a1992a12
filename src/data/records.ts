import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";

import { ContraposeError, DataError } from "../core/errors.ts";
import { fileError } from "../files/index.ts";
import { messageOf } from "./source.ts";

/** A file's bytes in pieces, unpacked where its name ends in .gz or .tgz. */
export function pieces(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  if (!/gz$/i.test(path)) return file;
  const unpacked = createGunzip({ chunkSize: 1 << 20 });
  file.on("error", (error) => unpacked.destroy(error));
  return file.pipe(unpacked);
}

/** A failure while reading a file, as one sentence. */
export function readingError(error: unknown, path: string): ContraposeError {
  const told = fileError(error, "read", path);
  if (told instanceof ContraposeError) return told;
  const message = `${JSON.stringify(path)} cannot be read to its end: ${messageOf(error)}`;
  return new DataError(message, "the file is damaged or cut short", { cause: error });
}

/** Records of a file: the number of the first, and the bytes of whole records one after another. */
export type Records = { readonly first: number; readonly bytes: Uint8Array };

/**
 * Reads a file of records of equal length in batches: `header` bytes, then records of the length that
 * `length` tells from them. Fails where the file ends inside a record.
 */
export async function* readRecords(
  path: string,
  header: number,
  length: (header: Uint8Array) => number,
): AsyncGenerator<Records> {
  let pending: Buffer = Buffer.alloc(0);
  let size = header === 0 ? length(pending) : undefined;
  let count = 0;
  try {
    for await (const piece of pieces(path)) {
      pending = pending.length === 0 ? piece : Buffer.concat([pending, piece]);
      if (size === undefined) {
        if (pending.length < header) continue;
        size = length(pending.subarray(0, header));
        pending = pending.subarray(header);
      }
      const whole = Math.floor(pending.length / size);
      if (whole > 0) yield { first: count, bytes: pending.subarray(0, whole * size) };
      count += whole;
      pending = pending.subarray(whole * size);
    }
  } catch (error) {
    throw readingError(error, path);
  }
  if (pending.length > 0 || size === undefined) {
    throw new DataError(
      `${JSON.stringify(path)} ends inside record ${count}: ${pending.length} of ${size ?? header} bytes`,
      "the file is cut short or of another format",
    );
  }
}
