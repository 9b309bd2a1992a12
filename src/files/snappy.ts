import { DataError } from "../core/errors.ts";
import { bytesLeft, cursorOf, takeByte, takeBytes, takeVarint } from "./byteCursor.ts";

const RATIO = 22; // a copy of 64 bytes takes 3

const takeNumber = (bytes: Uint8Array) => bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);

/**
 * What Snappy's block format holds, which must be of `length` bytes (its specification: google/snappy,
 * format_description.txt). Throws `DataError` where it is damaged, before it allocates what cannot be.
 */
export function decodeSnappy(bytes: Uint8Array, length: number): Uint8Array {
  const cursor = cursorOf(bytes);
  const said = takeVarint(cursor);
  if (said !== length) throw new DataError(`it unpacks to ${said} bytes, expected ${length}`);
  if (length > RATIO * bytes.length) {
    throw new DataError(`${bytes.length} bytes cannot unpack to ${length}`);
  }
  const out = new Uint8Array(length);
  let at = 0;
  while (bytesLeft(cursor) > 0) {
    const tag = takeByte(cursor);
    const [kind, size] = [tag & 3, tag >> 2];
    const literal = kind === 0;
    const extra = literal ? Math.max(0, size - 59) : kind === 1 ? 1 : kind === 2 ? 2 : 4; // bytes
    const number = takeNumber(takeBytes(cursor, extra));
    const count = literal
      ? (extra === 0 ? size : number) + 1
      : kind === 1
        ? (size & 7) + 4
        : size + 1;
    if (count > length - at) throw new DataError(`it unpacks to more than ${length} bytes`);
    if (literal) out.set(takeBytes(cursor, count), at);
    else copyBack(out, at, kind === 1 ? (tag >> 5) * 256 + number : number, count);
    at += count;
  }
  if (at !== length) throw new DataError(`it unpacks to ${at} bytes, expected ${length}`);
  return out;
}

/** Repeats what stands `back` bytes before, which may overlap with what is written. */
function copyBack(out: Uint8Array, at: number, back: number, count: number): void {
  if (back === 0 || back > at) throw new DataError(`it goes back ${back} bytes from byte ${at}`);
  if (back >= count) out.copyWithin(at, at - back, at - back + count);
  else for (let i = at; i < at + count; i++) out[i] = out[i - back];
}
