import { sizeOf } from "../core/arrays.ts";
import type { HostRecord } from "../core/arrays.ts";
import { ContraposeError, DataError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { quoted } from "../core/quote.ts";
import { tensorTypeOf, tensorTypes } from "./tensorTypes.ts";

/** Where one array lies: bytes `[start, end)` counted from the end of the header. */
export type TensorEntry = {
  readonly name: string;
  readonly type: string; // F32, I64, …
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
};

/** What stands before the data of a safetensors file. Entries in the header's order. */
export type SafetensorsHeader = {
  readonly entries: readonly TensorEntry[];
  readonly metadata: Record<string, string>;
};

/** Longest header that is read, in bytes: the limit of the reference implementation. */
export const LONGEST_HEADER = 100_000_000;

const widthOf = (type: string) => tensorTypes[type].bytes;

/** Places arrays: wide elements first, so that every array starts at a multiple of its element size. */
export function layOut(arrays: HostRecord): TensorEntry[] {
  const rows = Object.entries(arrays).map(([name, { dtype, shape, data }]) => {
    if (data.length !== sizeOf(shape)) {
      throw new DataError(
        `safetensors: ${quoted(name)} has ${data.length} elements, expected ${sizeOf(shape)} for shape [${shape.join(", ")}]`,
      );
    }
    if (name === "__metadata__") {
      throw new DataError(
        `safetensors: "__metadata__" cannot name an array, the format reserves it`,
      );
    }
    return { name, type: tensorTypeOf[dtype], shape, length: data.byteLength };
  });
  let at = 0;
  const starts = new Map<string, number>();
  for (const row of [...rows].sort((a, b) => widthOf(b.type) - widthOf(a.type))) {
    starts.set(row.name, at);
    at += row.length;
  }
  return rows.map(({ name, type, shape, length }) => {
    const start = starts.get(name)!;
    return { name, type, shape, start, end: start + length };
  });
}

/** Header bytes with their length in front, padded with spaces so that the data starts at a multiple of 8. */
export function encodeHeader(header: SafetensorsHeader): Uint8Array {
  const fields = header.entries.map((entry): [string, unknown] => [
    entry.name,
    { dtype: entry.type, shape: entry.shape, data_offsets: [entry.start, entry.end] },
  ]);
  const strings = Object.entries(header.metadata);
  const first: [string, unknown][] = strings.length > 0 ? [["__metadata__", header.metadata]] : [];
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...first, ...fields])));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  bytes.set(text, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  return bytes;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseEntry(name: string, value: unknown): TensorEntry {
  const fail = (problem: string): never => {
    throw new DataError(`array ${quoted(name)} ${problem}`);
  };
  if (!isObject(value)) return fail(`is described by ${quoted(value)}, expected an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(tensorTypes, dtype)) {
    const known = Object.keys(tensorTypes).join(", ");
    return fail(`has element type ${quoted(dtype)}, expected one of ${known}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return fail(`has shape ${quoted(shape)}, expected a list of whole numbers`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return fail(`has data_offsets ${quoted(offsets)}, expected two whole numbers`);
  }
  const [start, end] = offsets;
  const expected = sizeOf(shape) * widthOf(dtype);
  if (end - start !== expected) {
    const is = `${dtype} of shape ${quoted(shape)}`;
    return fail(`lies at [${start}, ${end}), expected ${expected} bytes for ${is}`);
  }
  return { name, type: dtype, shape, start, end };
}

function parseMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (isObject(value) && Object.values(value).every((text) => typeof text === "string")) {
    return value as Record<string, string>;
  }
  throw new DataError(`__metadata__ is ${quoted(value)}, expected texts by name`);
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new DataError("the header is no UTF-8 text");
  }
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new DataError("the header is no JSON", undefined, { cause });
  }
  if (isObject(value)) return value;
  throw new DataError("the header is no JSON object");
}

/** Arrays must follow each other without overlap or gap, and fill the data to the byte. */
function checkCover(entries: readonly TensorEntry[], dataBytes: number): void {
  let at = 0;
  for (const { name, start, end } of [...entries].sort(
    (a, b) => a.start - b.start || a.end - b.end,
  )) {
    if (start !== at) {
      const what = start < at ? "overlaps the array before it" : "leaves a gap before it";
      throw new DataError(
        `array ${quoted(name)} ${what}: it starts at byte ${start}, expected ${at}`,
      );
    }
    at = end;
  }
  if (at === dataBytes) return;
  const what = at > dataBytes ? "the file is cut short" : "the file is longer than its header says";
  throw new DataError(`${what}: it has ${dataBytes} bytes of data, expected ${at}`);
}

/** Length of the header from the first 8 bytes of a file of `fileBytes` bytes. */
export function headerLength(first: Uint8Array, fileBytes: number): number {
  if (first.length < 8) throw new DataError(`it has ${fileBytes} bytes, expected at least 8`);
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  if (length > BigInt(LONGEST_HEADER)) {
    throw new DataError(
      `its header would have ${length} bytes, expected ${LONGEST_HEADER} at most`,
    );
  }
  if (8 + Number(length) > fileBytes) {
    throw new DataError(`the file is cut short in its header of ${length} bytes`);
  }
  return Number(length);
}

/** Parses and checks a header against the number of bytes that follow it. Throws `DataError`. */
export function parseHeader(bytes: Uint8Array, dataBytes: number): SafetensorsHeader {
  const { __metadata__: metadata, ...arrays } = parseObject(bytes);
  const entries = Object.entries(arrays).map(([name, value]) => parseEntry(name, value));
  checkCover(entries, dataBytes);
  return { entries, metadata: parseMetadata(metadata) };
}

/** An error of the functions above with the file named in front. */
export function inFile(error: unknown, source: string): unknown {
  if (!(error instanceof ContraposeError)) return error;
  return new DataError(
    `${source} is no whole safetensors file: ${error.message}`,
    "write or download it again",
    { cause: error },
  );
}
