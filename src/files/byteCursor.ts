import { DataError } from "../core/errors.ts";

/** Bytes, and a place in them that reading moves on. Whatever reads beyond their end throws `DataError`. */
export type ByteCursor = { readonly bytes: Uint8Array; at: number };

/** A cursor at the start of some bytes. */
export const cursorOf = (bytes: Uint8Array): ByteCursor => ({ bytes, at: 0 });

/** Bytes behind the cursor. */
export const bytesLeft = ({ bytes, at }: ByteCursor): number => bytes.length - at;

/** The next bytes, not copied. */
export function takeBytes(cursor: ByteCursor, length: number): Uint8Array {
  if (!(length >= 0 && length <= bytesLeft(cursor))) {
    throw new DataError(`it tells of ${length} bytes where ${bytesLeft(cursor)} are left`);
  }
  cursor.at += length;
  return cursor.bytes.subarray(cursor.at - length, cursor.at);
}

/** The next byte. */
export function takeByte(cursor: ByteCursor): number {
  if (bytesLeft(cursor) < 1) throw new DataError("it is cut short");
  return cursor.bytes[cursor.at++];
}

/** The next four bytes as a number, the lowest first. */
export function takeUint32(cursor: ByteCursor): number {
  const [a, b, c, d] = takeBytes(cursor, 4);
  return a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24;
}

const VARINT = 10; // bytes of a number at most: 64 bits in groups of 7

/** A number in groups of 7 bits, the lowest first; exact up to 2 ** 53. */
export function takeVarint(cursor: ByteCursor): number {
  let value = 0;
  for (let i = 0; i < VARINT; i++) {
    const byte = takeByte(cursor);
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return value;
  }
  throw new DataError(`it has a number of more than ${VARINT} bytes`);
}

/** A number in groups of 7 bits whose lowest bit is its sign; exact up to 2 ** 53. */
export function takeZigZag(cursor: ByteCursor): number {
  const value = takeVarint(cursor);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** `takeZigZag`, exact for all numbers of 64 bits. */
export function takeWideZigZag(cursor: ByteCursor): bigint {
  let value = 0n;
  for (let i = 0; i < VARINT; i++) {
    const byte = takeByte(cursor);
    value += BigInt(byte & 127) << BigInt(7 * i);
    if (byte < 128) return (value >> 1n) ^ -(value & 1n);
  }
  throw new DataError(`it has a number of more than ${VARINT} bytes`);
}
