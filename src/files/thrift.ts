import { DataError } from "../core/errors.ts";
import {
  type ByteCursor,
  bytesLeft,
  takeByte,
  takeBytes,
  takeVarint,
  takeZigZag,
} from "./byteCursor.ts";

/** A value of Thrift's compact protocol. Numbers are exact up to 2 ** 53. */
export type ThriftValue = number | boolean | Uint8Array | readonly ThriftValue[] | ThriftStruct;

/** Fields by their number. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;

const types = {
  stop: 0,
  yes: 1,
  no: 2,
  byte: 3,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  struct: 12,
};
const integers = [4, 5, 6]; // of 16, 32 and 64 bits

const DEPTH = 16; // of structs and lists in each other
const VALUES = 2_000_000; // of one struct with all that is in it

type Budget = { values: number };

function takeList(cursor: ByteCursor, depth: number, budget: Budget): ThriftValue[] {
  const head = takeByte(cursor);
  const count = head >> 4 === 15 ? takeVarint(cursor) : head >> 4;
  if (count > bytesLeft(cursor)) {
    throw new DataError(`it has a list of ${count} in ${bytesLeft(cursor)} bytes`);
  }
  const type = head & 15;
  const values: ThriftValue[] = [];
  for (let i = 0; i < count; i++) {
    const boolean = type === types.yes || type === types.no; // a byte each, in lists
    values.push(boolean ? takeByte(cursor) === 1 : takeValue(cursor, type, depth, budget));
  }
  return values;
}

function takeValue(cursor: ByteCursor, type: number, depth: number, budget: Budget): ThriftValue {
  if (--budget.values < 0) throw new DataError(`it has more than ${VALUES} values`);
  if (depth > DEPTH) throw new DataError(`it is nested more than ${DEPTH} deep`);
  if (integers.includes(type)) return takeZigZag(cursor);
  switch (type) {
    case types.yes:
    case types.no:
      return type === types.yes;
    case types.byte:
      return (takeByte(cursor) << 24) >> 24;
    case types.double: {
      const { buffer, byteOffset } = takeBytes(cursor, 8);
      return new DataView(buffer, byteOffset).getFloat64(0, true);
    }
    case types.binary:
      return takeBytes(cursor, takeVarint(cursor));
    case types.list:
    case types.set:
      return takeList(cursor, depth + 1, budget);
    case types.struct:
      return takeFields(cursor, depth + 1, budget);
    default:
      throw new DataError(`it has a value of the unknown type ${type}`);
  }
}

function takeFields(cursor: ByteCursor, depth: number, budget: Budget): ThriftStruct {
  const fields = new Map<number, ThriftValue>();
  for (let id = 0; ;) {
    const head = takeByte(cursor);
    const type = head & 15;
    if (type === types.stop) return fields;
    id = head >> 4 === 0 ? takeZigZag(cursor) : id + (head >> 4);
    fields.set(id, takeValue(cursor, type, depth, budget));
  }
}

/** Reads a struct of Thrift's compact protocol (its specification: apache/thrift, thrift-compact-protocol.md). */
export const takeThrift = (cursor: ByteCursor): ThriftStruct =>
  takeFields(cursor, 0, { values: VALUES });

const wrong = (name: string, value: ThriftValue | undefined, expected: string) => {
  const is =
    value === undefined ? "missing" : typeof value === "object" ? "of another type" : value;
  return new DataError(`${name} is ${String(is)}, expected ${expected}`);
};

/** A field that counts something: a whole number from 0. */
export function countField(struct: ThriftStruct, id: number, name: string): number {
  const value = struct.get(id);
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(name, value, "a whole number from 0");
}

/** A field that is a list of structs. */
export function structsField(struct: ThriftStruct, id: number, name: string): ThriftStruct[] {
  const value = struct.get(id);
  if (!Array.isArray(value)) throw wrong(name, value, "a list");
  return value.map((one: ThriftValue) => {
    if (one instanceof Map) return one;
    throw wrong(`an entry of ${name}`, one, "a struct");
  });
}

/** A field that is a struct; undefined where it is left out. */
export function structField(
  struct: ThriftStruct,
  id: number,
  name: string,
): ThriftStruct | undefined {
  const value = struct.get(id);
  if (value === undefined || value instanceof Map) return value;
  throw wrong(name, value, "a struct");
}

/** A field that is a text; undefined where it is left out. */
export function textField(struct: ThriftStruct, id: number, name: string): string | undefined {
  const value = struct.get(id);
  if (value === undefined) return undefined;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  throw wrong(name, value, "a text");
}
