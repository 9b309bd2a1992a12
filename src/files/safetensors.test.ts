import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it, test } from "vitest";

import { hostArray, sizeOf } from "../core/arrays.ts";
import type { HostArray, HostRecord } from "../core/arrays.ts";
import { DataError } from "../core/errors.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  readSafetensorsHeader,
  writeSafetensors,
} from "./safetensors.ts";
import { halfToNumber } from "./tensorTypes.ts";

const root = mkdtempSync(join(tmpdir(), "contrapose-safetensors-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const python = "/usr/bin/python3";
const hasNumpy = existsSync(python) && spawnSync(python, ["-c", "import numpy"]).status === 0;

/** A file from a header written by hand, with `bytes` of data. */
function handMade(header: unknown, bytes = 0, padding = ""): Uint8Array {
  const text = Buffer.from(
    (typeof header === "string" ? header : JSON.stringify(header)) + padding,
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.from(Array.from({ length: bytes }, (_, i) => i))]);
}

const anyArray: fc.Arbitrary<HostArray> = fc
  .tuple(
    fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    fc.constantFrom("float32", "float64", "int32", "uint32", "bool"),
    fc.integer(),
  )
  .map(([shape, dtype, seed]) => {
    const values = Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(seed + i) * 1e5);
    if (dtype === "bool")
      return hostArray(
        dtype,
        shape,
        Uint8Array.from(values, (v) => Number(v > 0)),
      );
    if (dtype === "int32") return hostArray(dtype, shape, Int32Array.from(values));
    if (dtype === "uint32") return hostArray(dtype, shape, Uint32Array.from(values, Math.abs));
    if (dtype === "float64") return hostArray(dtype, shape, Float64Array.from(values));
    return hostArray("float32", shape, Float32Array.from(values));
  });
const anyName = fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__");
const anyRecord = fc.array(fc.tuple(anyName, anyArray), { maxLength: 6 }).map(Object.fromEntries);

describe("round trips", () => {
  it("gives back every array, name and text, and aligns each array to its elements", () => {
    fc.assert(
      fc.property(
        anyRecord,
        fc.dictionary(anyName, fc.string()),
        (arrays: HostRecord, metadata) => {
          const bytes = encodeSafetensors(arrays, metadata);
          const back = decodeSafetensors(bytes);
          expect(back.arrays).toEqual(arrays);
          expect({ ...back.metadata }).toEqual({ ...metadata });
          expect(Object.keys(back.arrays)).toEqual(Object.keys(arrays));
          expect(Number(Buffer.from(bytes).readBigUInt64LE()) % 8).toBe(0);
        },
      ),
    );
  });

  it("goes through a file, whose header can be read alone", async () => {
    const path = join(root, "a.safetensors");
    const weight = hostArray("float32", [2, 3], Float32Array.of(1, -2, 3.5, 0, NaN, Infinity));
    const flag = hostArray("bool", [], Uint8Array.of(1));
    const view = hostArray("int32", [2], Int32Array.of(7, 8, 9, 10).subarray(1, 3));
    await writeSafetensors(path, { flag, "layer1.0.weight": weight, view }, { format: "pt" });
    const { arrays, metadata } = await readSafetensors(path);
    expect(arrays).toEqual({ flag, "layer1.0.weight": weight, view });
    expect(metadata).toEqual({ format: "pt" });
    expect((await readSafetensorsHeader(path)).entries).toEqual([
      { name: "flag", type: "BOOL", shape: [], start: 32, end: 33 },
      { name: "layer1.0.weight", type: "F32", shape: [2, 3], start: 0, end: 24 },
      { name: "view", type: "I32", shape: [2], start: 24, end: 32 },
    ]);
  });

  it("reads element types that arrays here lack as wider ones", () => {
    const data = (type: string, count: number, bytes: number[]) => {
      const header = { x: { dtype: type, shape: [count], data_offsets: [0, bytes.length] } };
      const file = Buffer.concat([handMade(header), Uint8Array.from(bytes)]);
      return decodeSafetensors(file).arrays.x;
    };
    expect(data("F16", 3, [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00]).data).toEqual(
      Float32Array.of(1, -2, 2 ** -24),
    );
    expect(data("BF16", 2, [0x80, 0x3f, 0x20, 0xc1]).data).toEqual(Float32Array.of(1, -10));
    expect(data("I64", 1, [0xfe, 255, 255, 255, 255, 255, 255, 255]).data).toEqual(
      Int32Array.of(-2),
    );
    expect(data("U8", 2, [0, 200]).data).toEqual(Int32Array.of(0, 200));
    expect(data("I8", 2, [0, 200]).data).toEqual(Int32Array.of(0, -56));
    expect(data("I16", 1, [0x00, 0x80]).data).toEqual(Int32Array.of(-32768));
    expect(() => data("I64", 1, [0, 0, 0, 0, 1, 0, 0, 0])).toThrow("element 0 is 4294967296");
    expect(() => data("BOOL", 2, [1, 2])).toThrow("element 1 is 2, expected 0 or 1");
    expect(halfToNumber(0x7bff)).toBe(65504);
    expect(halfToNumber(0xfc00)).toBe(-Infinity);
    expect(halfToNumber(0x7e00)).toBeNaN();
  });

  it("reads headers as others write them: unpadded, padded with spaces", () => {
    const header = { x: { dtype: "I32", shape: [1], data_offsets: [0, 4] } };
    const expected = { x: hostArray("int32", [1], Int32Array.of(0x03020100)) };
    expect(decodeSafetensors(handMade(header, 4)).arrays).toEqual(expected);
    expect(decodeSafetensors(handMade(header, 4, "     ")).arrays).toEqual(expected);
  });
});

describe("damage", () => {
  const good = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  const cases: [string, Uint8Array, string][] = [
    ["empty", new Uint8Array(), "it has 0 bytes, expected at least 8"],
    ["seven bytes", new Uint8Array(7), "it has 7 bytes, expected at least 8"],
    ["huge header", Buffer.alloc(8, 255), "its header would have 18446744073709551615 bytes"],
    [
      "header past the end",
      Buffer.from("ff00000000000000", "hex"),
      "cut short in its header of 255",
    ],
    ["no JSON", handMade("{oops"), "the header is no JSON"],
    ["no UTF-8", Buffer.from("0200000000000000c328", "hex"), "the header is no UTF-8 text"],
    ["a list", handMade("[]"), "the header is no JSON object"],
    ["null", handMade("null"), "the header is no JSON object"],
    ["entry null", handMade({ x: null }), 'array "x" is described by null'],
    ["no type", handMade({ x: { ...good, dtype: undefined } }, 8), "has element type undefined"],
    [
      "odd type",
      handMade({ x: { ...good, dtype: "F8" } }, 8),
      'has element type "F8", expected one of',
    ],
    ["inherited type", handMade({ x: { ...good, dtype: "toString" } }, 8), "has element type"],
    ["shape text", handMade({ x: { ...good, shape: "2" } }, 8), 'has shape "2"'],
    ["negative size", handMade({ x: { ...good, shape: [-2] } }, 8), "has shape [-2]"],
    ["half size", handMade({ x: { ...good, shape: [1.5] } }, 8), "has shape [1.5]"],
    ["huge shape", handMade({ x: { ...good, shape: [2 ** 52, 2 ** 52] } }, 8), "lies at [0, 8)"],
    ["three offsets", handMade({ x: { ...good, data_offsets: [0, 8, 9] } }, 8), "has data_offsets"],
    ["offset text", handMade({ x: { ...good, data_offsets: ["0", 8] } }, 8), "has data_offsets"],
    ["backwards", handMade({ x: { ...good, data_offsets: [8, 0] } }, 8), "lies at [8, 0)"],
    [
      "wrong length",
      handMade({ x: { ...good, shape: [3] } }, 8),
      "expected 12 bytes for F32 of shape [3]",
    ],
    [
      "cut short",
      handMade({ x: good }, 7),
      "the file is cut short: it has 7 bytes of data, expected 8",
    ],
    ["too long", handMade({ x: good }, 9), "the file is longer than its header says"],
    [
      "overlap",
      handMade({ x: good, y: { ...good, data_offsets: [4, 12] } }, 12),
      "overlaps the array before it",
    ],
    ["twice", handMade({ x: good, y: good }, 8), "overlaps the array before it"],
    [
      "gap",
      handMade({ x: good, y: { ...good, data_offsets: [12, 20] } }, 20),
      "leaves a gap before it",
    ],
    ["metadata number", handMade({ __metadata__: { a: 1 } }), "expected texts by name"],
    ["metadata list", handMade({ __metadata__: [] }), "expected texts by name"],
  ];
  it.each(cases)("%s is one sentence with the source", async (_, bytes, problem) => {
    const path = join(root, "bad.safetensors");
    writeFileSync(path, bytes);
    for (const read of [
      async () => decodeSafetensors(bytes, JSON.stringify(path)),
      () => readSafetensors(path),
    ]) {
      const error = await read().catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(DataError);
      expect((error as DataError).message).toContain(problem);
      expect((error as DataError).message).toContain(JSON.stringify(path));
    }
  });

  it("is noticed wherever the file is cut", () => {
    const whole = encodeSafetensors(
      {
        a: hostArray("float32", [3], new Float32Array(3)),
        b: hostArray("bool", [2], new Uint8Array(2)),
      },
      { note: "x" },
    );
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeSafetensors(whole.subarray(0, length))).toThrow(DataError);
    }
  });

  it("never gives anything but arrays or a DataError for changed bytes", () => {
    const whole = encodeSafetensors(
      { a: hostArray("int32", [2], Int32Array.of(1, 2)) },
      { n: "1" },
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 9), fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(whole);
        changed[at] = byte;
        try {
          for (const array of Object.values(decodeSafetensors(changed).arrays)) {
            expect(array.data.length).toBe(sizeOf(array.shape));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("says which file is missing, and that a folder is none", async () => {
    await expect(readSafetensors(join(root, "none"))).rejects.toThrow('none": it does not exist');
    await expect(readSafetensors(root)).rejects.toThrow("it is a folder, expected a file");
  });

  it("is not written: lengths that do not fit a shape, the reserved name", () => {
    const odd = { dtype: "float32", shape: [3], data: new Float32Array(2) } as HostArray;
    expect(() => encodeSafetensors({ odd })).toThrow('"odd" has 2 elements, expected 3');
    expect(() => encodeSafetensors({ __metadata__: odd })).toThrow(DataError);
  });
});

test.skipIf(!hasNumpy)(
  "Python reads the file by the format's description (needs /usr/bin/python3 with numpy)",
  async () => {
    const path = join(root, "python.safetensors");
    const a = hostArray("float32", [2, 2], Float32Array.of(1.5, -2, 3, 4));
    const b = hostArray("float64", [1], Float64Array.of(Math.PI));
    const c = hostArray("bool", [3], Uint8Array.of(1, 0, 1));
    await writeSafetensors(path, { c, "ä.weight": a, b }, { by: "test" });
    const script = `
import json, struct, sys, numpy as np
raw = open(sys.argv[1], "rb").read()
n, = struct.unpack("<Q", raw[:8])
header = json.loads(raw[8:8 + n])
meta = header.pop("__metadata__")
kinds = {"F32": "<f4", "F64": "<f8", "BOOL": "|b1"}
out = {k: np.frombuffer(raw[8 + n:][slice(*v["data_offsets"])], kinds[v["dtype"]]).reshape(v["shape"]).tolist() for k, v in header.items()}
print(json.dumps([n % 8, meta, out]))`;
    const { stdout } = spawnSync(python, ["-c", script, path], { encoding: "utf8" });
    expect(JSON.parse(stdout)).toEqual([
      0,
      { by: "test" },
      {
        c: [true, false, true],
        "ä.weight": [
          [1.5, -2],
          [3, 4],
        ],
        b: [Math.PI],
      },
    ]);
  },
);
