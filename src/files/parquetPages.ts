import { crc32 } from "node:zlib";

import { DataError } from "../core/errors.ts";
import { type ByteCursor, bytesLeft, cursorOf, takeBytes, takeUint32 } from "./byteCursor.ts";
import type { ParquetChunk, ParquetLeaf } from "./parquetFooter.ts";
import { takeRuns } from "./parquetRuns.ts";
import { type ParquetValues, takeValues } from "./parquetValues.ts";
import { decodeSnappy } from "./snappy.ts";
import { countField, structField, takeThrift, type ThriftStruct } from "./thrift.ts";

/** Values of a page, or of several: how they lie in rows and lists is in their levels. */
export type ParquetPage = {
  readonly count: number; // values, nulls too
  readonly repetition: Int32Array | undefined; // 0 starts a row; undefined: every value is a row
  readonly definition: Int32Array | undefined; // below the leaf's deepest: null; undefined: no nulls
  readonly values: ParquetValues; // without nulls
};

type Context = {
  readonly leaf: ParquetLeaf;
  readonly codec: number;
  readonly most: number; // values of a page
  readonly dictionary: ParquetValues | undefined;
};

/** What the header of a page says, and the page's bytes. */
type Packed = { readonly header: ThriftStruct; readonly bytes: Uint8Array; readonly size: number };

const kinds = { first: 0, dictionary: 2, second: 3 };
const SNAPPY = 1;
const RUNS = 3; // the way that levels are written

function unpacked(bytes: Uint8Array, size: number, codec: number): Uint8Array {
  if (codec === SNAPPY) return decodeSnappy(bytes, size);
  if (bytes.length === size) return bytes;
  throw new DataError(`it has ${bytes.length} bytes, expected ${size}`);
}

/** A part of a page's header. */
function partOf(header: ThriftStruct, id: number): ThriftStruct {
  const part = structField(header, id, "header of a page");
  if (part === undefined) throw new DataError("the header of a page has no part for its kind");
  return part;
}

function countOf(part: ThriftStruct, most: number): number {
  const count = countField(part, 1, "number of values of a page");
  if (count <= most) return count;
  throw new DataError(`it tells of ${count} values where ${most} are left`);
}

/** Levels up to `most`, in runs; undefined where they can be but 0. */
function levels(bytes: Uint8Array, count: number, most: number): Int32Array | undefined {
  return most === 0 ? undefined : takeRuns(cursorOf(bytes), 32 - Math.clz32(most), count, most);
}

type Parts = { part: ThriftStruct; encoding: number; repeats: Uint8Array; defines: Uint8Array };

function pageOf(parts: Parts, body: Uint8Array, { leaf, most, dictionary }: Context): ParquetPage {
  const count = countOf(parts.part, most);
  const repetition = levels(parts.repeats, count, leaf.listed > 0 ? 1 : 0);
  const definition = levels(parts.defines, count, leaf.deepest);
  const there = definition?.reduce((sum, level) => sum + (level === leaf.deepest ? 1 : 0), 0);
  const values = takeValues(cursorOf(body), leaf, there ?? count, parts.encoding, dictionary);
  return { count, repetition, definition, values };
}

/** A page of the first version: levels behind their sizes and values are packed together. */
function firstVersion({ header, bytes, size }: Packed, context: Context): ParquetPage {
  const part = partOf(header, 5);
  const page = cursorOf(unpacked(bytes, size, context.codec));
  const sized = (most: number, way: number) => {
    if (most === 0) return new Uint8Array();
    if (part.get(way) === RUNS) return takeBytes(page, takeUint32(page));
    throw new DataError("its levels are written in a way that is not known");
  };
  const repeats = sized(context.leaf.listed, 4);
  const defines = sized(context.leaf.deepest, 3);
  const encoding = countField(part, 2, "encoding of a page");
  return pageOf({ part, encoding, repeats, defines }, takeBytes(page, bytesLeft(page)), context);
}

/** A page of the second version: its levels are not packed, and their sizes stand in the header. */
function secondVersion({ header, bytes, size }: Packed, context: Context): ParquetPage {
  const part = partOf(header, 8);
  const page = cursorOf(bytes);
  const repeats = takeBytes(page, countField(part, 6, "size of repetition levels"));
  const defines = takeBytes(page, countField(part, 5, "size of definition levels"));
  const codec = part.get(7) === false ? 0 : context.codec;
  const body = unpacked(
    takeBytes(page, bytesLeft(page)),
    size - repeats.length - defines.length,
    codec,
  );
  const encoding = countField(part, 4, "encoding of a page");
  return pageOf({ part, encoding, repeats, defines }, body, context);
}

function takePacked(chunk: ByteCursor): Packed & { kind: number } {
  const header = takeThrift(chunk);
  const kind = countField(header, 1, "kind of a page");
  const size = countField(header, 2, "unpacked size of a page");
  const bytes = takeBytes(chunk, countField(header, 3, "size of a page"));
  const sum = header.get(4);
  if (typeof sum === "number" && sum >>> 0 !== crc32(bytes)) {
    throw new DataError("the checksum of a page does not fit its bytes");
  }
  return { header, kind, size, bytes };
}

function dictionaryOf({ header, bytes, size }: Packed, leaf: ParquetLeaf, codec: number) {
  const body = cursorOf(unpacked(bytes, size, codec));
  const count = countField(partOf(header, 7), 1, "number of values of a dictionary");
  return takeValues(body, leaf, count, 0, undefined);
}

function joinedValues(parts: readonly ParquetValues[]): ParquetValues {
  if (parts.length === 1) return parts[0];
  const floats = parts.filter((part) => part instanceof Float32Array);
  if (floats.length < parts.length || floats.length === 0)
    return parts.flatMap((part) => [...part]);
  const joined = new Float32Array(floats.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of floats) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function joinedLevels(parts: readonly (Int32Array | undefined)[], count: number) {
  if (parts.length === 1 || parts.includes(undefined)) return parts[0];
  const joined = new Int32Array(count);
  let at = 0;
  for (const part of parts) {
    joined.set(part!, at);
    at += part!.length;
  }
  return joined;
}

/** All pages of a chunk as one. `bytes` are those of the chunk. Throws `DataError` where they are damaged. */
export function readPages(bytes: Uint8Array, leaf: ParquetLeaf, chunk: ParquetChunk): ParquetPage {
  const { codec, values: count } = chunk;
  const cursor = cursorOf(bytes);
  const pages: ParquetPage[] = [];
  let dictionary: ParquetValues | undefined;
  for (let most = count; most > 0;) {
    const packed = takePacked(cursor);
    if (packed.kind === kinds.dictionary) dictionary = dictionaryOf(packed, leaf, codec);
    if (packed.kind !== kinds.first && packed.kind !== kinds.second) continue;
    const version = packed.kind === kinds.first ? firstVersion : secondVersion;
    const page = version(packed, { leaf, codec, most, dictionary });
    pages.push(page);
    most -= page.count;
  }
  const repetition = joinedLevels(
    pages.map((page) => page.repetition),
    count,
  );
  const definition = joinedLevels(
    pages.map((page) => page.definition),
    count,
  );
  return { count, repetition, definition, values: joinedValues(pages.map(({ values }) => values)) };
}
