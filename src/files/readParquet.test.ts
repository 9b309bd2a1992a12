import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parquetReadObjects } from "hyparquet";
import { ByteWriter, parquetWrite } from "hyparquet-writer";
import type { ColumnSource } from "hyparquet-writer";
import { afterAll, describe, expect, test } from "vitest";

import { DataError } from "../core/errors.ts";
import { randomStream } from "../core/random.ts";
import { cursorOf } from "./byteCursor.ts";
import { takeDeltas, takeRuns } from "./parquetRuns.ts";
import { readParquet, readParquetFooter } from "./readParquet.ts";
import { decodeSnappy } from "./snappy.ts";
import { takeThrift } from "./thrift.ts";
import { writeParquet } from "./writeParquet.ts";

const root = mkdtempSync(join(tmpdir(), "contrapose-read-parquet-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const path = join(root, "a.parquet");
const indices = Array.from({ length: 50 }, (_, i) => i);
const texts = indices.map((i) => `cats/${i % 7}/é ${i}`);

/** A column in each way that values can be written. */
const columns: ColumnSource[] = [
  { name: "plain", data: texts, type: "STRING", encoding: "PLAIN" },
  { name: "looked up", data: texts.map((_, i) => texts[i % 3]), type: "STRING" },
  { name: "gaps", data: texts.map((text, i) => (i % 3 ? text : null)), type: "STRING" },
  { name: "lengths", data: texts, type: "STRING", encoding: "DELTA_LENGTH_BYTE_ARRAY" },
  { name: "prefixes", data: texts.toSorted(), type: "STRING", encoding: "DELTA_BYTE_ARRAY" },
  {
    name: "deltas",
    type: "INT32",
    encoding: "DELTA_BINARY_PACKED",
    data: Int32Array.from(indices, (i) => (i % 5) * 2 ** 28 * (i % 2 ? 1 : -1)),
  },
  {
    name: "wide deltas",
    type: "INT64",
    encoding: "DELTA_BINARY_PACKED",
    data: BigInt64Array.from(indices, (i) => BigInt(i) ** 11n - 5n),
  },
  { name: "wide", data: BigInt64Array.from(indices, BigInt), type: "INT64" },
  { name: "split", data: Float32Array.from(indices, Math.sin), encoding: "BYTE_STREAM_SPLIT" },
  { name: "double", data: Float64Array.from(indices, Math.cos), type: "DOUBLE" },
  { name: "truths", data: indices.map((i) => i % 3 === 0), type: "BOOLEAN" },
  { name: "runs", data: indices.map((i) => i % 9 === 0), type: "BOOLEAN", encoding: "RLE" },
];

async function written(codec: "SNAPPY" | "UNCOMPRESSED"): Promise<Uint8Array> {
  const writer = new ByteWriter();
  await parquetWrite({
    writer,
    columnData: columns.map((column) => ({ ...column })),
    codec,
    rowGroupSize: 30,
  });
  return writer.getBytes();
}

test.each(["SNAPPY", "UNCOMPRESSED"] as const)(
  "gives what another reader gives, however values are written (%s)",
  async (codec) => {
    const bytes = await written(codec);
    writeFileSync(path, bytes);
    const file = Uint8Array.from(bytes).buffer;
    expect(await readParquet(path)).toEqual(await parquetReadObjects({ file }));
    const some = await readParquet(path, { columns: ["wide"], start: 28, end: 32 });
    expect(some.map(({ wide }) => wide)).toEqual([28n, 29n, 30n, 31n]);
    expect((await readParquetFooter(path)).values.gaps).toBe(50);
    await expect(readParquet(path, { columns: ["none"] })).rejects.toThrow('has no column "none"');
  },
);

describe("a damaged table", () => {
  const isFine = (error: unknown) =>
    error instanceof DataError && error.message.includes(path) && error.message.length < 400;

  test("is read or gives an error that names it, wherever bytes are changed", async () => {
    await writeParquet(
      path,
      [
        { name: "id", type: "string" },
        { name: "label", type: "string", nullable: true },
        { name: "vector", type: "vector" },
      ],
      indices.map((i) => ({ id: texts[i], label: i % 2 ? "a" : null, vector: [i, i / 2] })),
    );
    const stream = randomStream(1, "damage");
    const values = [0, 1, 15, 127, 128, 254, 255];
    for (const whole of [
      readFileSync(path),
      await written("SNAPPY"),
      await written("UNCOMPRESSED"),
    ]) {
      const footer = whole.length - 8 - Buffer.from(whole).readUInt32LE(whole.length - 8);
      for (let i = 0; i < 150; i++) {
        const bytes = Uint8Array.from(whole);
        const from = i % 2 === 0 ? footer : 0;
        const at = from + stream.integer(whole.length - from);
        bytes.fill(values[stream.integer(values.length)], at, at + 1 + stream.integer(3) ** 3);
        writeFileSync(path, i % 10 === 0 ? bytes.subarray(0, at) : bytes);
        const error: unknown = await readParquet(path).then(
          () => undefined,
          (failure: unknown) => failure,
        );
        expect(error === undefined || isFine(error), `${i}, byte ${at}: ${String(error)}`).toBe(
          true,
        );
      }
    }
  });

  test("is not believed in how much there is", () => {
    const huge = [255, 255, 255, 255, 15]; // 2 ** 32 - 1 as groups of 7 bits
    const cursor = (...bytes: number[]) => cursorOf(Uint8Array.from(bytes));
    const refused = (run: () => unknown, why: string) => expect(run).toThrow(why);
    refused(() => takeThrift(cursor(0x19, 0xf5, ...huge)), "a list of 4294967295 in 0 bytes");
    refused(() => takeThrift(cursor(0x18, ...huge)), "4294967295 bytes where 0 are left");
    refused(() => takeThrift(cursor(...Array<number>(100).fill(0x1c))), "nested more than 16 deep");
    refused(
      () => takeRuns(cursor(254, 255, 255, 255, 15, 1), 1, 8, 1),
      "a run of 2147483647 values",
    );
    refused(() => takeRuns(cursor(3, 255), 3, 8, 7), "3 bytes where 1 are left");
    refused(() => takeRuns(cursor(16, 9), 8, 8, 7), "the number 9, expected at most 7");
    refused(() => takeDeltas(cursor(128, 1, 0, 8, 0), 8), "blocks of 128 numbers in 0 parts");
    refused(
      () => decodeSnappy(Uint8Array.from([...huge, 0]), 2 ** 32 - 1),
      "6 bytes cannot unpack",
    );
    refused(
      () => decodeSnappy(Uint8Array.from([4, 252, 255, 255, 255, 255]), 4),
      "more than 4 bytes",
    );
    refused(() => decodeSnappy(Uint8Array.from([8, 9, 1, 0]), 8), "goes back");
  });
});
