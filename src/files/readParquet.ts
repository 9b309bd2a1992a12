import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";

import { ContraposeError, DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { explained, fileError } from "./fileError.ts";
import { cellsOf, type ParquetCell } from "./parquetCells.ts";
import {
  type ParquetGroup,
  type ParquetLayout,
  type ParquetLeaf,
  parseFooter,
} from "./parquetFooter.ts";
import { readPages } from "./parquetPages.ts";
import { unreadable } from "./parquetValues.ts";

const MAGIC = "PAR1";
const TAIL = 8; // bytes: the size of the footer and the magic word
const READ = 2 ** 30; // bytes at a time
const PIECE = 2 ** 22; // bytes that are held for a checksum

/** Bytes of a file; throws `DataError` where it ends before. */
async function bytesAt(file: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, Math.min(READ, length - done), start + done);
    if (bytesRead === 0) throw new DataError(`it ends at byte ${start + done}`);
    done += bytesRead;
  }
  return bytes;
}

const wordOf = (bytes: Uint8Array) => String.fromCharCode(...bytes);

async function parsedLayout(file: FileHandle): Promise<ParquetLayout> {
  const { size } = await file.stat();
  if (size < MAGIC.length + TAIL) throw new DataError(`it has ${size} bytes`);
  const head = await bytesAt(file, 0, MAGIC.length);
  const tail = await bytesAt(file, size - TAIL, TAIL);
  if (wordOf(head) !== MAGIC || wordOf(tail.subarray(4)) !== MAGIC) {
    throw new DataError(`it does not start and end with ${MAGIC}`);
  }
  const length = new DataView(tail.buffer).getUint32(0, true);
  const start = size - TAIL - length;
  if (start < MAGIC.length) throw new DataError(`its footer has ${length} bytes of ${size}`);
  return parseFooter(await bytesAt(file, start, length), start);
}

/** Runs something on a part of a file; its errors then begin with what that part is. */
async function within<T>(what: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (!(cause instanceof ContraposeError)) throw cause;
    throw new DataError(`${what}: ${cause.message}`, cause.hint, { cause });
  }
}

const layoutOf = (file: FileHandle, path: string) =>
  within(`${quoted(path)} is no whole Parquet file`, () => parsedLayout(file));

const codecs = ["UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"];

function checkReadable(path: string, leaf: ParquetLeaf, codec: number): void {
  if (codec > 1) {
    throw new DataError(
      `${quoted(path)} is compressed with ${codecs.at(codec) ?? codec}, expected SNAPPY or no compression`,
      "write it again with the compression snappy",
    );
  }
  const odd = unreadable(leaf);
  if (odd === undefined) return;
  throw new DataError(
    `${quoted(path)}: the column ${quoted(leaf.column)} holds ${odd}, expected texts, numbers, or lists of them`,
  );
}

/** The leaves of the columns that are asked for, by their place. */
function placesOf(path: string, layout: ParquetLayout, columns: readonly string[]): number[] {
  const unknown = columns.find((name) => !layout.columns.includes(name));
  if (unknown !== undefined) {
    throw new DataError(
      `${quoted(path)} has no column ${quoted(unknown)}: its columns are ${layout.columns.join(", ").slice(0, 200)}`,
    );
  }
  return [...layout.leaves.keys()].filter((i) => columns.includes(layout.leaves[i].column));
}

type Cells = readonly [column: string, cells: readonly ParquetCell[]];

async function cellsIn(
  file: FileHandle,
  path: string,
  leaf: ParquetLeaf,
  { rows, chunks }: ParquetGroup,
  place: number,
): Promise<Cells> {
  const chunk = chunks[place];
  checkReadable(path, leaf, chunk.codec);
  const { column } = leaf;
  const what = `${quoted(path)} is damaged: column ${quoted(column)} at byte ${chunk.start}`;
  return within(what, async () => {
    const bytes = await bytesAt(file, chunk.start, chunk.length);
    return [column, cellsOf(readPages(bytes, leaf, chunk), leaf, rows)];
  });
}

type Group = { readonly first: number; readonly rows: number; readonly cells: readonly Cells[] };

/** Groups of rows of a file that have some in `[start, end)`, those columns of them. */
async function* groupsOf(
  path: string,
  { columns, start = 0, end = Infinity }: { columns?: string[]; start?: number; end?: number },
): AsyncGenerator<Group> {
  const file = await explained("read", path, () => open(path, "r"));
  try {
    const layout = await layoutOf(file, path);
    const places = placesOf(path, layout, columns ?? layout.columns);
    let first = 0;
    for (const group of layout.groups) {
      const { rows } = group;
      if (first < end && first + rows > start) {
        const cells: Cells[] = [];
        for (const i of places) cells.push(await cellsIn(file, path, layout.leaves[i], group, i));
        yield { first, rows, cells };
      }
      first += rows;
    }
  } catch (error) {
    throw fileError(error, "read", path);
  } finally {
    await file.close();
  }
}

/**
 * Rows of a Parquet file, those in `[start, end)` and those columns only where asked. Whole numbers of 64 bits
 * are bigint. Throws `DataError` where the file is damaged, or holds what cannot be read.
 */
export async function readParquet(
  path: string,
  options: { columns?: string[]; start?: number; end?: number } = {},
): Promise<Record<string, ParquetCell>[]> {
  const { start = 0, end = Infinity } = options;
  const read: Record<string, ParquetCell>[] = [];
  for await (const { first, rows, cells } of groupsOf(path, options)) {
    for (let i = Math.max(0, start - first); i < Math.min(rows, end - first); i++) {
      read.push(Object.fromEntries(cells.map(([column, values]) => [column, values[i]])));
    }
  }
  return read;
}

/** What a column of a Parquet file holds, some rows at a time. Throws as `readParquet` does. */
export async function* readParquetColumn(
  path: string,
  column: string,
): AsyncGenerator<readonly ParquetCell[]> {
  for await (const { cells } of groupsOf(path, { columns: [column] })) yield cells[0][1];
}

/** What the footer of a Parquet file says. */
export type ParquetFooter = {
  readonly rows: number;
  readonly columns: readonly string[]; // their names
  readonly values: Readonly<Record<string, number>>; // of each column, those within lists
  readonly metadata: Readonly<Record<string, string>>; // texts
  readonly own: boolean; // whether `writeParquet` wrote the file
};

/** Who writes files of ours, as their footer says. */
export const AUTHOR = "contrapose";

/** The text of the footer that holds the CRC-32 of all before it. */
export const SUM = "crc32";

/**
 * Holds a file that `writeParquet` wrote against its checksum; others have none. Throws `DataError` where bytes are
 * not those that were written.
 */
export async function checkParquetSum(path: string): Promise<void> {
  return explained("read", path, async () => {
    const file = await open(path, "r");
    try {
      const { texts, author, end } = await layoutOf(file, path);
      if (author !== AUTHOR || texts[SUM] === undefined) return;
      let sum = 0;
      for (let at = 0; at < end; at += PIECE) {
        sum = crc32(await bytesAt(file, at, Math.min(PIECE, end - at)), sum);
      }
      if (sum.toString(16) === texts[SUM]) return;
      throw new DataError(
        `${quoted(path)} is damaged: its rows have the checksum ${sum.toString(16)}, expected ${texts[SUM]}`,
        "write it again: of embeddings with embed --overwrite",
      );
    } finally {
      await file.close();
    }
  });
}

/** Reads the footer of a Parquet file. */
export async function readParquetFooter(path: string): Promise<ParquetFooter> {
  return explained("read", path, async () => {
    const file = await open(path, "r");
    try {
      const { rows, columns, leaves, groups, texts: metadata, author } = await layoutOf(file, path);
      const counts = leaves.map(({ column }, i): [string, number] => [
        column,
        groups.reduce((sum, { chunks }) => sum + chunks[i].values, 0),
      ]);
      const values = Object.fromEntries(counts);
      return { rows, columns, values, metadata, own: author === AUTHOR };
    } finally {
      await file.close();
    }
  });
}
