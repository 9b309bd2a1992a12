import { DataError } from "../core/errors.ts";
import { type ByteCursor, bytesLeft, takeByte, takeBytes, takeUint32 } from "./byteCursor.ts";
import type { ParquetLeaf } from "./parquetFooter.ts";
import {
  takeDeltas,
  takeLengthTexts,
  takePrefixTexts,
  takeRuns,
  takeSplit,
} from "./parquetRuns.ts";
import { halfToNumber } from "./tensorTypes.ts";

/** A value of a column. Whole numbers of 64 bits are bigint. */
export type ParquetValue = string | number | bigint | boolean;

/** Values of a column, without nulls. */
export type ParquetValues = Float32Array | readonly ParquetValue[];

type Numbers = {
  readonly bytes: number; // a number
  readonly get: (view: DataView, at: number) => number | bigint;
};

const numbers: Record<string, Numbers> = {
  INT32: { bytes: 4, get: (view, at) => view.getInt32(at, true) },
  UINT32: { bytes: 4, get: (view, at) => view.getUint32(at, true) },
  INT64: { bytes: 8, get: (view, at) => view.getBigInt64(at, true) },
  UINT64: { bytes: 8, get: (view, at) => view.getBigUint64(at, true) },
  DOUBLE: { bytes: 8, get: (view, at) => view.getFloat64(at, true) },
};

const isHalf = ({ type, meaning, bytes }: ParquetLeaf) =>
  type === "FIXED_LEN_BYTE_ARRAY" && meaning === "half" && bytes === 2;
const isFloat = (leaf: ParquetLeaf) => leaf.type === "FLOAT" || isHalf(leaf);

/** What of a leaf cannot be read; undefined where it can. */
export function unreadable(leaf: ParquetLeaf): string | undefined {
  if (leaf.nested) return "columns within a column";
  if (leaf.meaning === "other") return "values that are neither texts nor plain numbers";
  const known = leaf.type in numbers || leaf.type === "BOOLEAN" || leaf.type === "BYTE_ARRAY";
  return known || isFloat(leaf) ? undefined : `values of the type ${leaf.type}`;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new DataError("it has a text that is not in UTF-8");
  }
}

function halvesOf(bytes: Uint8Array): Float32Array {
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) =>
    halfToNumber(bytes[2 * i] + 256 * bytes[2 * i + 1]),
  );
}

function floatsOf(leaf: ParquetLeaf, bytes: Uint8Array): Float32Array {
  return isHalf(leaf) ? halvesOf(bytes) : new Float32Array(Uint8Array.from(bytes).buffer);
}

const kindOf = ({ type, meaning }: ParquetLeaf): Numbers =>
  numbers[meaning === "unsigned" ? `U${type}` : type];

/** `count` values one behind the other. */
function takePlain(cursor: ByteCursor, leaf: ParquetLeaf, count: number): ParquetValues {
  const all = <T>(value: (i: number) => T) => Array.from({ length: count }, (_, i) => value(i));
  if (isFloat(leaf)) return floatsOf(leaf, takeBytes(cursor, count * (isHalf(leaf) ? 2 : 4)));
  if (leaf.type === "BOOLEAN") {
    const bits = takeBytes(cursor, Math.ceil(count / 8));
    return all((i) => ((bits[i >> 3] >> (i & 7)) & 1) === 1);
  }
  if (leaf.type === "BYTE_ARRAY") {
    if (4 * count > bytesLeft(cursor)) {
      throw new DataError(`it tells of ${count} texts in ${bytesLeft(cursor)} bytes`);
    }
    return all(() => textOf(takeBytes(cursor, takeUint32(cursor))));
  }
  const { bytes, get } = kindOf(leaf);
  const { buffer, byteOffset } = takeBytes(cursor, bytes * count);
  const view = new DataView(buffer, byteOffset, bytes * count);
  return all((i) => get(view, i * bytes));
}

/** Numbers whose first bytes come first, then all second ones. */
function takeSplitNumbers(cursor: ByteCursor, leaf: ParquetLeaf, count: number): ParquetValues {
  const width = isFloat(leaf) ? (isHalf(leaf) ? 2 : 4) : kindOf(leaf).bytes;
  return takePlain({ bytes: takeSplit(cursor, width, count), at: 0 }, leaf, count);
}

/** Whole numbers of a leaf's type from those of 64 bits. */
function wholeOf({ type, meaning }: ParquetLeaf, wide: BigInt64Array): ParquetValues {
  const bits = type === "INT32" ? 32 : 64;
  return Array.from(wide, (value) => {
    const fit = meaning === "unsigned" ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
    return bits === 32 ? Number(fit) : fit;
  });
}

function lookedUp(dictionary: ParquetValues, places: Int32Array): ParquetValues {
  return dictionary instanceof Float32Array
    ? Float32Array.from(places, (place) => dictionary[place])
    : Array.from(places, (place) => dictionary[place]);
}

type Take = (
  cursor: ByteCursor,
  leaf: ParquetLeaf,
  count: number,
  dictionary: ParquetValues | undefined,
) => ParquetValues;

const takeLookedUp: Take = (cursor, _leaf, count, dictionary) => {
  if (dictionary === undefined)
    throw new DataError("it has places in a dictionary that is missing");
  if (count === 0) return dictionary.slice(0, 0);
  const width = takeByte(cursor);
  return lookedUp(dictionary, takeRuns(cursor, width, count, dictionary.length - 1));
};

type Encoding = { readonly types: readonly string[]; readonly take: Take };

const every = [
  "BOOLEAN",
  "INT32",
  "INT64",
  "FLOAT",
  "DOUBLE",
  "BYTE_ARRAY",
  "FIXED_LEN_BYTE_ARRAY",
];

/** Ways to write values, by their number in Parquet's specification, and the types that each is for. */
const encodings = new Map<number, Encoding>([
  [0, { types: every, take: takePlain }],
  [2, { types: every, take: takeLookedUp }],
  [8, { types: every, take: takeLookedUp }],
  [
    3,
    {
      types: ["BOOLEAN"],
      take: (cursor, _leaf, count) => {
        const runs = takeBytes(cursor, takeUint32(cursor));
        return Array.from(takeRuns({ bytes: runs, at: 0 }, 1, count, 1), (value) => value === 1);
      },
    },
  ],
  [
    5,
    {
      types: ["INT32", "INT64"],
      take: (cursor, leaf, count) => wholeOf(leaf, takeDeltas(cursor, count)),
    },
  ],
  [
    6,
    {
      types: ["BYTE_ARRAY"],
      take: (cursor, _leaf, count) => takeLengthTexts(cursor, count).map(textOf),
    },
  ],
  [
    7,
    {
      types: ["BYTE_ARRAY"],
      take: (cursor, _leaf, count) => takePrefixTexts(cursor, count).map(textOf),
    },
  ],
  [
    9,
    {
      types: ["INT32", "INT64", "FLOAT", "DOUBLE", "FIXED_LEN_BYTE_ARRAY"],
      take: takeSplitNumbers,
    },
  ],
]);

/** `count` values of a leaf that are written in a way of that number; `dictionary` is that of the chunk. */
export function takeValues(
  cursor: ByteCursor,
  leaf: ParquetLeaf,
  count: number,
  encoding: number,
  dictionary: ParquetValues | undefined,
): ParquetValues {
  const found = encodings.get(encoding);
  if (found?.types.includes(leaf.type) === true) return found.take(cursor, leaf, count, dictionary);
  throw new DataError(
    `its ${leaf.type} values are written in the way ${encoding}, which is not known`,
  );
}
