/** A field of a protocol buffer message: its number and its value as it lies in the bytes. */
export type Field =
  | { readonly number: number; readonly kind: "varint"; readonly value: bigint }
  | { readonly number: number; readonly kind: "double" | "float"; readonly value: number }
  | { readonly number: number; readonly kind: "bytes"; readonly value: Uint8Array };

const wires = { varint: 0, double: 1, bytes: 2, float: 5 } as const;

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

function payload(field: Field): Uint8Array {
  if (field.kind === "varint") return varint(field.value);
  if (field.kind === "bytes") {
    return Buffer.concat([varint(BigInt(field.value.length)), field.value]);
  }
  const bytes = Buffer.alloc(field.kind === "double" ? 8 : 4);
  if (field.kind === "double") bytes.writeDoubleLE(field.value);
  else bytes.writeFloatLE(field.value);
  return bytes;
}

/** A message from its fields. */
export function encodeMessage(fields: readonly Field[]): Uint8Array {
  return Buffer.concat(
    fields.flatMap((field) => [
      varint(BigInt((field.number << 3) | wires[field.kind])),
      payload(field),
    ]),
  );
}

/** A whole-number field. */
export function integerField(number: number, value: number): Field {
  return { number, kind: "varint", value: BigInt(value) };
}

/** A field that holds text, bytes or another message. */
export function bytesField(number: number, value: Uint8Array | string): Field {
  return { number, kind: "bytes", value: typeof value === "string" ? Buffer.from(value) : value };
}

/** The fields of a message in their order. Throws `RangeError` where it is cut short or has groups. */
export function decodeMessage(message: Uint8Array): Field[] {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const fields: Field[] = [];
  let at = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = view.getUint8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new RangeError(`varint at byte ${at} is too long`);
  };
  const take = (length: number) => {
    if (at + length > message.length) throw new RangeError(`message is cut short at byte ${at}`);
    at += length;
    return at - length;
  };
  while (at < message.length) {
    const key = Number(readVarint());
    const number = key >>> 3;
    const wire = key & 7;
    if (wire === wires.varint) fields.push({ number, kind: "varint", value: readVarint() });
    else if (wire === wires.double) {
      fields.push({ number, kind: "double", value: view.getFloat64(take(8), true) });
    } else if (wire === wires.float) {
      fields.push({ number, kind: "float", value: view.getFloat32(take(4), true) });
    } else if (wire === wires.bytes) {
      const length = Number(readVarint());
      const start = take(length);
      fields.push({ number, kind: "bytes", value: message.subarray(start, start + length) });
    } else throw new RangeError(`field ${number} has wire type ${wire}, expected 0, 1, 2 or 5`);
  }
  return fields;
}
