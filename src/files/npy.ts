import { readFile } from "node:fs/promises";

import { sizeOf } from "../core/arrays.ts";
import type { DType, HostArray } from "../core/arrays.ts";
import { ContraposeError, DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { withAtomicFile } from "./atomic.ts";
import { explained } from "./fileError.ts";
import { arrayFromBytes, bytesOf, tensorTypes } from "./tensorTypes.ts";

const descriptions: Record<DType, string> = {
  float32: "<f4",
  float64: "<f8",
  int32: "<i4",
  uint32: "<u4",
  bool: "|b1",
};

const readable: Record<string, string> = {
  "<f4": "F32",
  "<f8": "F64",
  "<f2": "F16",
  "<i4": "I32",
  "<u4": "U32",
  "<i8": "I64",
  "<u8": "U64",
  "<i2": "I16",
  "<u2": "U16",
  "|i1": "I8",
  "|u1": "U8",
  "|b1": "BOOL",
};

const LONGEST_HEADER = 65_536; // bytes; that of an array without fields has about a hundred

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** What stands before the data of a .npy file (format 1.0); the data starts at a multiple of 64. */
export function npyHeader(dtype: DType, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descriptions[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + length).fill(0x20);
  bytes.set([...MAGIC, 1, 0, length & 255, length >> 8]);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes[bytes.length - 1] = 10;
  return bytes;
}

/** An array as the bytes of a .npy file, in C order. */
export function encodeNpy(array: HostArray): Uint8Array {
  return Buffer.concat([npyHeader(array.dtype, array.shape), bytesOf(array)]);
}

/** Writes an array to a .npy file, whole or not at all. */
export async function writeNpy(path: string, array: HostArray): Promise<void> {
  await withAtomicFile(path, async (file) => {
    await file.write(npyHeader(array.dtype, array.shape));
    await file.write(bytesOf(array));
  });
}

/**
 * Writes float32 rows to a .npy file as they come, so that they need not fit into memory together.
 *
 * `blocks` holds whole rows, any number each; all of them must be `shape[0]` rows. The file appears
 * when the last one is written.
 */
export async function writeNpyRows(
  path: string,
  shape: readonly [number, number], // rows, columns
  blocks: Iterable<Float32Array> | AsyncIterable<Float32Array>,
): Promise<void> {
  await withAtomicFile(path, async (file) => {
    await file.write(npyHeader("float32", shape));
    let elements = 0;
    for await (const block of blocks) {
      elements += block.length;
      await file.write(new Uint8Array(block.buffer, block.byteOffset, block.byteLength));
    }
    if (elements === sizeOf(shape)) return;
    throw new DataError(
      `cannot write ${quoted(path)}: got ${elements} elements, expected ${sizeOf(shape)} for shape [${shape.join(", ")}]`,
    );
  });
}

function parseNpyHeader(text: string): { description: string; shape: number[] } {
  const description = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const tuple = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (description === undefined || fortran === undefined || tuple === undefined) {
    throw new DataError(`its header is ${quoted(text.trim(), 80)}`);
  }
  const sizes = tuple.split(",").filter((size) => size.trim() !== "");
  const shape = sizes.map(Number);
  if (!shape.every(Number.isSafeInteger)) throw new DataError(`its shape is ${quoted(tuple, 80)}`);
  if (fortran === "True" && shape.filter((size) => size > 1).length > 1) {
    throw new DataError("it is in Fortran order, expected C order");
  }
  return { description, shape };
}

function headerSpan(bytes: Uint8Array): { start: number; end: number } {
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new DataError("it does not start as one");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6] >= 2; // formats 2.0 and 3.0 have a length of four bytes
  const start = long ? 12 : 10;
  const end = start + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) throw new DataError("it is cut short in its header");
  if (end > LONGEST_HEADER) {
    throw new DataError(`its header has ${end - start} bytes, expected ${LONGEST_HEADER} at most`);
  }
  return { start, end };
}

/** An array from the bytes of a .npy file. `source` names them in errors. */
export function decodeNpy(bytes: Uint8Array, source = "npy"): HostArray {
  try {
    const { start, end } = headerSpan(bytes);
    const { description, shape } = parseNpyHeader(
      new TextDecoder().decode(bytes.subarray(start, end)),
    );
    if (!Object.hasOwn(readable, description)) {
      const known = Object.keys(readable).join(", ");
      throw new DataError(`its elements are ${quoted(description, 80)}, expected one of ${known}`);
    }
    const type = tensorTypes[readable[description]];
    const data = bytes.subarray(end);
    const expected = sizeOf(shape) * type.bytes;
    if (data.length !== expected) {
      throw new DataError(
        `it has ${data.length} bytes of data, expected ${expected} for shape ${quoted(shape)}`,
      );
    }
    return arrayFromBytes(type, shape, data);
  } catch (error) {
    if (!(error instanceof ContraposeError)) throw error;
    throw new DataError(`${source} is no usable .npy file: ${error.message}`, undefined, {
      cause: error,
    });
  }
}

/**
 * Reads a .npy file in C order. 8, 16 and 64 bit integers become int32 (uint64: uint32; an element
 * that does not fit is an error), float16 becomes float32.
 */
export async function readNpy(path: string): Promise<HostArray> {
  const bytes = await explained("read", path, () => readFile(path));
  return decodeNpy(bytes, quoted(path));
}
