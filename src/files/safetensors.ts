import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

import type { HostArray, HostRecord } from "../core/arrays.ts";
import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { withAtomicFile } from "./atomic.ts";
import { explained } from "./fileError.ts";
import { encodeHeader, headerLength, inFile, layOut, parseHeader } from "./safetensorsHeader.ts";
import type { SafetensorsHeader, TensorEntry } from "./safetensorsHeader.ts";
import { arrayFromBytes, bytesOf, tensorTypes } from "./tensorTypes.ts";

/** Arrays with the texts that travel with them. */
export type Safetensors = {
  readonly arrays: HostRecord;
  readonly metadata: Record<string, string>;
};

const byStart = (a: TensorEntry, b: TensorEntry) => a.start - b.start || a.end - b.end;

function pieces(arrays: HostRecord, metadata: Record<string, string>): Uint8Array[] {
  const entries = layOut(arrays);
  const data = [...entries].sort(byStart).map(({ name }) => bytesOf(arrays[name]));
  return [encodeHeader({ entries, metadata }), ...data];
}

/** Arrays and texts as the bytes of a safetensors file. */
export function encodeSafetensors(
  arrays: HostRecord,
  metadata: Record<string, string> = {},
): Uint8Array {
  return Buffer.concat(pieces(arrays, metadata));
}

/** Writes arrays and texts to a safetensors file, whole or not at all. */
export async function writeSafetensors(
  path: string,
  arrays: HostRecord,
  metadata: Record<string, string> = {},
): Promise<void> {
  const parts = pieces(arrays, metadata);
  await withAtomicFile(path, async (file) => {
    for (const part of parts) await file.write(part);
  });
}

function decodeArray(entry: TensorEntry, bytes: Uint8Array): HostArray {
  if (bytes.length !== entry.end - entry.start) {
    throw new DataError(`the file is cut short in array ${quoted(entry.name)}`);
  }
  return arrayFromBytes(tensorTypes[entry.type], entry.shape, bytes);
}

/** Arrays and texts from the bytes of a safetensors file. `source` names them in errors. */
export function decodeSafetensors(bytes: Uint8Array, source = "safetensors"): Safetensors {
  try {
    const dataStart = 8 + headerLength(bytes.subarray(0, 8), bytes.length);
    const { entries, metadata } = parseHeader(
      bytes.subarray(8, dataStart),
      bytes.length - dataStart,
    );
    const data = bytes.subarray(dataStart);
    const arrays = entries.map((entry): [string, HostArray] => [
      entry.name,
      decodeArray(entry, data.subarray(entry.start, entry.end)),
    ]);
    return { arrays: Object.fromEntries(arrays), metadata };
  } catch (error) {
    throw inFile(error, source);
  }
}

async function readBytes(file: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await file.read(bytes, at, Math.min(length - at, 1 << 30), start + at);
    if (bytesRead === 0) return bytes.subarray(0, at); // the file became shorter meanwhile
    at += bytesRead;
  }
  return bytes;
}

async function openHeader(file: FileHandle): Promise<SafetensorsHeader & { dataStart: number }> {
  const { size } = await file.stat();
  const length = headerLength(await readBytes(file, 0, Math.min(8, size)), size);
  const header = parseHeader(await readBytes(file, 8, length), size - 8 - length);
  return { ...header, dataStart: 8 + length };
}

async function withFile<T>(path: string, read: (file: FileHandle) => Promise<T>): Promise<T> {
  return explained("read", path, async () => {
    const file = await open(path, "r");
    try {
      return await read(file);
    } catch (error) {
      throw inFile(error, quoted(path));
    } finally {
      await file.close();
    }
  });
}

/** Names, types and shapes of a safetensors file, and its texts, without reading the data. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withFile(path, async (file) => {
    const { entries, metadata } = await openHeader(file);
    return { entries, metadata };
  });
}

/**
 * Reads a safetensors file. Damage of any kind is a `DataError` with the path.
 *
 * F16 and BF16 become float32; I8, U8, I16, U16 and I64 become int32, U64 uint32 (an element that
 * does not fit is an error): arrays here have no such types.
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  return withFile(path, async (file) => {
    const { entries, metadata, dataStart } = await openHeader(file);
    const arrays: [string, HostArray][] = [];
    for (const entry of entries) {
      const bytes = await readBytes(file, dataStart + entry.start, entry.end - entry.start);
      arrays.push([entry.name, decodeArray(entry, bytes)]);
    }
    return { arrays: Object.fromEntries(arrays), metadata };
  });
}
