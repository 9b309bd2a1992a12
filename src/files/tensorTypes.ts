import { zeros } from "../core/arrays.ts";
import type { DataOf, DType, HostArray } from "../core/arrays.ts";
import { DataError } from "../core/errors.ts";

type Fill = (view: DataView, out: DataOf<DType>) => void;

/** How a safetensors element type is read: bytes an element, what it becomes, and the conversion if any. */
export type TensorType = {
  readonly bytes: number;
  readonly dtype: DType;
  readonly fill?: Fill; // absent: the bytes are the array
};

/** IEEE 754 half precision (1 sign, 5 exponent, 10 fraction bits) as a number. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const each =
  (bytes: number, get: (view: DataView, at: number) => number): Fill =>
  (view, out) => {
    for (let i = 0; i < out.length; i++) out[i] = get(view, i * bytes);
  };

const narrowed =
  (get: (view: DataView, at: number) => bigint, low: bigint, high: bigint): Fill =>
  (view, out) => {
    for (let i = 0; i < out.length; i++) {
      const value = get(view, i * 8);
      if (value < low || value > high) {
        throw new DataError(`element ${i} is ${value}, expected a number of 32 bits`);
      }
      out[i] = Number(value);
    }
  };

const brain = (view: DataView, at: number) => {
  scratch.setUint32(0, view.getUint16(at, true) << 16);
  return scratch.getFloat32(0);
};
const scratch = new DataView(new ArrayBuffer(4));

const onlyBits: Fill = (view, out) => {
  for (let i = 0; i < out.length; i++) {
    const value = view.getUint8(i);
    if (value > 1) throw new DataError(`element ${i} is ${value}, expected 0 or 1`);
    out[i] = value;
  }
};

/** Element types of safetensors that can be read. Types that arrays here do not have become a wider one. */
export const tensorTypes: Record<string, TensorType> = {
  F64: { bytes: 8, dtype: "float64" },
  F32: { bytes: 4, dtype: "float32" },
  I32: { bytes: 4, dtype: "int32" },
  U32: { bytes: 4, dtype: "uint32" },
  BOOL: { bytes: 1, dtype: "bool", fill: onlyBits },
  F16: {
    bytes: 2,
    dtype: "float32",
    fill: each(2, (v, at) => halfToNumber(v.getUint16(at, true))),
  },
  BF16: { bytes: 2, dtype: "float32", fill: each(2, brain) },
  I64: {
    bytes: 8,
    dtype: "int32",
    fill: narrowed((v, at) => v.getBigInt64(at, true), -(2n ** 31n), 2n ** 31n - 1n),
  },
  U64: {
    bytes: 8,
    dtype: "uint32",
    fill: narrowed((v, at) => v.getBigUint64(at, true), 0n, 2n ** 32n - 1n),
  },
  I16: { bytes: 2, dtype: "int32", fill: each(2, (v, at) => v.getInt16(at, true)) },
  U16: { bytes: 2, dtype: "int32", fill: each(2, (v, at) => v.getUint16(at, true)) },
  I8: { bytes: 1, dtype: "int32", fill: each(1, (v, at) => v.getInt8(at)) },
  U8: { bytes: 1, dtype: "int32", fill: each(1, (v, at) => v.getUint8(at)) },
};

/** The element type that an array is written as. */
export const tensorTypeOf: Record<DType, string> = {
  float64: "F64",
  float32: "F32",
  int32: "I32",
  uint32: "U32",
  bool: "BOOL",
};

/** The array that little-endian bytes of an element type stand for; `bytes` is copied where it must be. */
export function arrayFromBytes(
  type: TensorType,
  shape: readonly number[],
  bytes: Uint8Array,
): HostArray {
  const array = zeros(shape, type.dtype);
  if (type.fill !== undefined) {
    type.fill(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), array.data);
  } else {
    new Uint8Array(array.data.buffer).set(bytes);
  }
  return array;
}

/** The bytes of an array, not copied. */
export function bytesOf(array: HostArray): Uint8Array {
  return new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength);
}
