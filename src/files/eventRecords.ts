import { readFile } from "node:fs/promises";

import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { maskedCrc32c } from "./crc32c.ts";
import { explained } from "./fileError.ts";
import { decodeMessage } from "./protobuf.ts";
import type { Field } from "./protobuf.ts";

/** An event of a TensorBoard file, as far as it is known here. */
export type TensorBoardEvent = {
  readonly wallTime: number; // seconds since 1970
  readonly step: number;
  readonly version?: string;
  readonly restart?: boolean; // events of this step and later in earlier files no longer count
  readonly scalars: Record<string, number>;
  readonly images: Record<string, { width: number; height: number; png: Uint8Array }>;
};

/** One record: length, its masked CRC, the bytes, their masked CRC. */
export function encodeRecord(message: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(message.length + 16);
  bytes.writeBigUInt64LE(BigInt(message.length));
  bytes.writeUInt32LE(maskedCrc32c(bytes.subarray(0, 8)), 8);
  bytes.set(message, 12);
  bytes.writeUInt32LE(maskedCrc32c(message), 12 + message.length);
  return bytes;
}

/**
 * The messages of a record file. One that was cut short at the end, while it was being written, is
 * left out; a CRC that does not fit is a `DataError`.
 */
export function decodeRecords(bytes: Uint8Array, source = "record file"): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: Uint8Array[] = [];
  const check = (start: number, end: number) => {
    if (view.getUint32(end, true) === maskedCrc32c(bytes.subarray(start, end))) return;
    throw new DataError(`${source} is damaged: the checksum at byte ${end} does not fit`);
  };
  for (let at = 0; at + 12 <= bytes.length;) {
    check(at, at + 8);
    const start = at + 12;
    const end = start + Number(view.getBigUint64(at, true));
    if (end + 4 > bytes.length) break;
    check(start, end);
    messages.push(bytes.subarray(start, end));
    at = end + 4;
  }
  return messages;
}

const find = (fields: readonly Field[], number: number) =>
  fields.find((field) => field.number === number)?.value;
const asNumber = (value: Field["value"] | undefined) =>
  value === undefined || value instanceof Uint8Array ? 0 : Number(value);
const asBytes = (value: Field["value"] | undefined) =>
  value instanceof Uint8Array ? value : new Uint8Array();
const asText = (value: Field["value"] | undefined) => new TextDecoder().decode(asBytes(value));

function decodeEvent(message: Uint8Array): TensorBoardEvent {
  const fields = decodeMessage(message);
  const version = find(fields, 3);
  const session = find(fields, 7);
  const scalars: [string, number][] = [];
  const images: [string, TensorBoardEvent["images"][string]][] = [];
  for (const value of decodeMessage(asBytes(find(fields, 5)))) {
    const parts = decodeMessage(asBytes(value.value));
    const tag = asText(find(parts, 1));
    const scalar = find(parts, 2);
    const image = find(parts, 4);
    if (scalar !== undefined) scalars.push([tag, asNumber(scalar)]);
    if (image === undefined) continue;
    const picture = decodeMessage(asBytes(image));
    const [height, width] = [1, 2].map((number) => asNumber(find(picture, number)));
    images.push([tag, { height, width, png: asBytes(find(picture, 4)) }]);
  }
  return {
    wallTime: asNumber(find(fields, 1)),
    step: asNumber(find(fields, 2)),
    ...(version === undefined ? {} : { version: asText(version) }),
    ...(session === undefined
      ? {}
      : { restart: asNumber(find(decodeMessage(asBytes(session)), 1)) === 1 }),
    scalars: Object.fromEntries(scalars),
    images: Object.fromEntries(images),
  };
}

/** The events of the bytes of a TensorBoard event file. `source` names them in errors. */
export function decodeEvents(bytes: Uint8Array, source = "event file"): TensorBoardEvent[] {
  return decodeRecords(bytes, source).map((message, i) => {
    try {
      return decodeEvent(message);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new DataError(`${source} is damaged: event ${i} is no message (${why})`, undefined, {
        cause,
      });
    }
  });
}

/** Reads a TensorBoard event file. Throws `DataError` where it is damaged. */
export async function readEvents(path: string): Promise<TensorBoardEvent[]> {
  return decodeEvents(await explained("read", path, () => readFile(path)), quoted(path));
}
