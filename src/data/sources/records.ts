import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";

import { ContraposeError, DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { fileError } from "../../files/index.ts";
import { messageOf } from "./source.ts";

/** Bytes of the largest record or member of an archive that is read. */
export const LARGEST = 256 * 2 ** 20;

const RATIO = 200; // bytes that a packed byte may give; deflate can give 1032, images give 2 to 20

/** Unpacked bytes, until they are so many more than were read that they cannot be images. */
async function* unpacked(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  const gunzip = createGunzip({ chunkSize: 1 << 20 });
  pipeline(file, gunzip, () => undefined); // its failure is heard below
  let bytes = 0;
  for await (const piece of gunzip as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > LARGEST && bytes > RATIO * file.bytesRead) {
      throw new DataError(
        `${quoted(path)} unpacks to more than ${RATIO} times its size, which images do not`,
        "unpack it yourself if it is meant so, and give what comes out",
      );
    }
    yield piece;
  }
}

/** A file's bytes in pieces, unpacked where its name ends in .gz or .tgz. */
export function pieces(path: string): AsyncIterable<Buffer> {
  return /gz$/i.test(path) ? unpacked(path) : createReadStream(path, { highWaterMark: 1 << 20 });
}

/** A failure while reading a file, as one sentence. */
export function readingError(error: unknown, path: string): ContraposeError {
  const told = fileError(error, "read", path);
  if (told instanceof ContraposeError) return told;
  const message = `${quoted(path)} cannot be read to its end: ${messageOf(error)}`;
  return new DataError(message, "the file is damaged or cut short", { cause: error });
}

/** Records of a file: the number of the first, and the bytes of whole records one after another. */
export type Records = { readonly first: number; readonly bytes: Uint8Array };

/** Joins pieces as soon as they hold `size` bytes or more; what is left over begins the next. */
function joiner() {
  let [held, length]: [Buffer[], number] = [[], 0];
  return {
    length: () => length,
    add(piece: Buffer): void {
      held.push(piece);
      length += piece.length;
    },
    /** All bytes, of which those from `from` on are kept. */
    take(from: (whole: number) => number): Buffer {
      const bytes = held.length === 1 ? held[0] : Buffer.concat(held, length);
      const rest = bytes.subarray(from(length));
      [held, length] = [[rest], rest.length];
      return bytes.subarray(0, bytes.length - rest.length);
    },
  };
}

/**
 * Reads a file of records of equal length in batches: `header` bytes, then records of the length that
 * `length` tells from them. Fails where the file ends inside a record, and where a record is larger than
 * `LARGEST`. Holds one record and a piece of the file.
 */
export async function* readRecords(
  path: string,
  header: number,
  length: (header: Uint8Array) => number,
): AsyncGenerator<Records> {
  const pending = joiner();
  let size = header === 0 ? length(Buffer.alloc(0)) : undefined;
  let count = 0;
  try {
    for await (const piece of pieces(path)) {
      pending.add(piece);
      if (size === undefined) {
        if (pending.length() < header) continue;
        size = length(pending.take(() => header));
      }
      if (size > LARGEST) throw tooLarge(path, size);
      if (pending.length() < size) continue;
      const each = size;
      const bytes = pending.take((whole) => whole - (whole % each));
      yield { first: count, bytes };
      count += bytes.length / each;
    }
  } catch (error) {
    throw readingError(error, path);
  }
  if (pending.length() > 0 || size === undefined) {
    throw new DataError(
      `${quoted(path)} ends inside record ${count}: ${pending.length()} of ${size ?? header} bytes`,
      "the file is cut short or of another format",
    );
  }
}

const tooLarge = (path: string, size: number) =>
  new DataError(
    `${quoted(path)} has images of ${size} bytes, expected at most ${LARGEST}`,
    "the file is damaged, or its images must be cut into smaller ones",
  );
