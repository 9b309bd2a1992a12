import { type TensorProto, TensorProto_DataType as DataType } from "onnx-buf";

import { fromBfloat16, fromFloat16 } from "./halves.ts";

/** How numbers of an element type lie in a file: as bytes, or in a list of the message. */
type Kind = {
  readonly type: string;
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
  readonly list: (tensor: TensorProto) => ArrayLike<number>;
};

const kind = (type: string, bytes: number, read: Kind["read"], list: Kind["list"]): Kind => ({
  type,
  bytes,
  read,
  list,
});

const small: Kind["list"] = ({ int32Data }) => int32Data;
const signed: Kind["list"] = ({ int64Data }) => int64Data.map(Number);
const unsigned: Kind["list"] = ({ uint64Data }) => uint64Data.map(Number);

/** The element types that are read, by their number in a file. */
export const elementTypes = new Map<number, Kind>([
  [
    DataType.FLOAT,
    kind(
      "float32",
      4,
      (v, at) => v.getFloat32(at, true),
      (t) => t.floatData,
    ),
  ],
  [
    DataType.FLOAT16,
    kind(
      "float32",
      2,
      (v, at) => fromFloat16(v.getUint16(at, true)),
      (t) => t.int32Data.map(fromFloat16),
    ),
  ],
  [
    DataType.BFLOAT16,
    kind(
      "float32",
      2,
      (v, at) => fromBfloat16(v.getUint16(at, true)),
      (t) => t.int32Data.map(fromBfloat16),
    ),
  ],
  [
    DataType.DOUBLE,
    kind(
      "float64",
      8,
      (v, at) => v.getFloat64(at, true),
      (t) => t.doubleData,
    ),
  ],
  [DataType.INT64, kind("int64", 8, (v, at) => Number(v.getBigInt64(at, true)), signed)],
  [DataType.INT32, kind("int32", 4, (v, at) => v.getInt32(at, true), small)],
  [DataType.INT16, kind("int16", 2, (v, at) => v.getInt16(at, true), small)],
  [DataType.INT8, kind("int8", 1, (v, at) => v.getInt8(at), small)],
  [DataType.UINT64, kind("uint64", 8, (v, at) => Number(v.getBigUint64(at, true)), unsigned)],
  [DataType.UINT32, kind("uint32", 4, (v, at) => v.getUint32(at, true), unsigned)],
  [DataType.UINT16, kind("uint16", 2, (v, at) => v.getUint16(at, true), small)],
  [DataType.UINT8, kind("uint8", 1, (v, at) => v.getUint8(at), small)],
  [DataType.BOOL, kind("bool", 1, (v, at) => Number(v.getUint8(at) !== 0), small)],
]);
