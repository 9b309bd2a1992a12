import { DataError } from "../core/errors.ts";
import { type ByteCursor, bytesLeft, takeBytes, takeVarint, takeWideZigZag } from "./byteCursor.ts";

/** Numbers of `width` bits each that lie one behind the other, lowest bits first; those not there are 0. */
function unpack(bytes: Uint8Array, width: number, into: Int32Array): void {
  const size = 2 ** width;
  let [held, bits, at] = [0, 0, 0]; // bits of bytes read that are not given out
  for (let i = 0; i < into.length; i++) {
    while (bits < width) {
      held += bytes[at++] * 2 ** bits;
      bits += 8;
    }
    into[i] = held % size;
    held = Math.floor(held / size);
    bits -= width;
  }
}

/**
 * `count` numbers of `width` bits, in runs of equal ones and of packed ones. Throws `DataError` where a run is
 * longer than what is expected or there, or a number greater than `most`.
 */
export function takeRuns(
  cursor: ByteCursor,
  width: number,
  count: number,
  most: number,
): Int32Array {
  if (width > 31) throw new DataError(`it has numbers of ${width} bits, expected at most 31`);
  const out = new Int32Array(count);
  for (let at = 0; at < count;) {
    const head = takeVarint(cursor);
    const packed = head % 2 === 1;
    const length = Math.floor(head / 2) * (packed ? 8 : 1);
    const used = Math.min(length, count - at);
    if (!packed && used < length) {
      throw new DataError(`it has a run of ${length} values where ${used} are expected`);
    }
    if (packed) {
      const needed = Math.ceil((used * width) / 8); // the last run may lack its padding
      const padded = Math.min((length * width) / 8, bytesLeft(cursor));
      unpack(takeBytes(cursor, Math.max(needed, padded)), width, out.subarray(at, at + used));
    } else {
      const bytes = takeBytes(cursor, Math.ceil(width / 8));
      out.fill(
        bytes.reduceRight((sum, byte) => sum * 256 + byte, 0),
        at,
        at + used,
      );
    }
    at += used;
  }
  const wrong = out.find((value) => value < 0 || value > most);
  if (wrong === undefined) return out;
  throw new DataError(`it has the number ${wrong}, expected at most ${most}`);
}

/** A number of `width` bits at a bit of some bytes. */
function wideAt(bytes: Uint8Array, bit: number, width: number): bigint {
  let value = 0n;
  const [first, last] = [Math.floor(bit / 8), Math.floor((bit + width - 1) / 8)];
  for (let i = last; i >= first; i--) value = (value << 8n) | BigInt(bytes[i]);
  return (value >> BigInt(bit % 8)) & ((1n << BigInt(width)) - 1n);
}

/** `count` whole numbers of 64 bits, each as its difference to the one before (DELTA_BINARY_PACKED). */
export function takeDeltas(cursor: ByteCursor, count: number): BigInt64Array {
  const [block, parts, said] = [takeVarint(cursor), takeVarint(cursor), takeVarint(cursor)];
  const size = block / parts; // numbers of a part
  if (said !== count) throw new DataError(`it has ${said} numbers, expected ${count}`);
  if (!(Number.isSafeInteger(size) && size >= 8 && size % 8 === 0)) {
    throw new DataError(`it has blocks of ${block} numbers in ${parts} parts`);
  }
  const out = new BigInt64Array(count);
  let value = takeWideZigZag(cursor);
  if (count > 0) out[0] = value;
  for (let at = 1; at < count;) {
    const least = takeWideZigZag(cursor);
    for (const width of takeBytes(cursor, parts)) {
      if (at >= count) break; // parts without numbers have no bytes
      if (width > 64) throw new DataError(`it has numbers of ${width} bits, expected at most 64`);
      const used = Math.min(size, count - at);
      const [needed, padded] = [Math.ceil((used * width) / 8), (size / 8) * width];
      const bytes = takeBytes(cursor, Math.max(needed, Math.min(padded, bytesLeft(cursor))));
      for (let i = 0; i < used; i++) {
        value = BigInt.asIntN(64, value + least + wideAt(bytes, i * width, width));
        out[at++] = value;
      }
    }
  }
  return out;
}

const TEXTS = 2 ** 28; // bytes of a page's texts at most

/** Lengths of texts; throws `DataError` where one is negative, or where together they are out of bounds. */
function takeLengths(cursor: ByteCursor, count: number): number[] {
  const lengths = Array.from(takeDeltas(cursor, count), Number);
  const wrong = lengths.find((length) => length < 0 || length > TEXTS);
  if (wrong !== undefined) throw new DataError(`it has a text of ${wrong} bytes`);
  return lengths;
}

/** Texts behind their lengths (DELTA_LENGTH_BYTE_ARRAY), as bytes. */
export function takeLengthTexts(cursor: ByteCursor, count: number): Uint8Array[] {
  return takeLengths(cursor, count).map((length) => takeBytes(cursor, length));
}

/** Texts that each begin like the one before (DELTA_BYTE_ARRAY), as bytes. */
export function takePrefixTexts(cursor: ByteCursor, count: number): Uint8Array[] {
  const shared = takeLengths(cursor, count);
  const rest = takeLengthTexts(cursor, count);
  const bytes = shared.reduce((sum, length, i) => sum + length + rest[i].length, 0);
  if (bytes > TEXTS)
    throw new DataError(`its texts have ${bytes} bytes, expected at most ${TEXTS}`);
  let before = new Uint8Array();
  return rest.map((end, i) => {
    if (shared[i] > before.length) {
      throw new DataError(`a text shares ${shared[i]} bytes with one of ${before.length}`);
    }
    const text = new Uint8Array(shared[i] + end.length);
    text.set(before.subarray(0, shared[i]));
    text.set(end, shared[i]);
    before = text;
    return text;
  });
}

/** Numbers of `width` bytes whose first bytes come first, then all second ones (BYTE_STREAM_SPLIT). */
export function takeSplit(cursor: ByteCursor, width: number, count: number): Uint8Array {
  const split = takeBytes(cursor, width * count);
  const out = new Uint8Array(width * count);
  for (let i = 0; i < count; i++) {
    for (let b = 0; b < width; b++) out[i * width + b] = split[b * count + i];
  }
  return out;
}
