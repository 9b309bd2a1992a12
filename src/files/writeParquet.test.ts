import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parquetMetadata } from "hyparquet";
import { afterAll, expect, it } from "vitest";

import { DataError } from "../core/errors.ts";
import { readParquet, readParquetFooter } from "./readParquet.ts";
import { type ParquetColumn, writeParquet } from "./writeParquet.ts";

const root = mkdtempSync(join(tmpdir(), "contrapose-parquet-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const columns: ParquetColumn[] = [
  { name: "path", type: "string" },
  { name: "label", type: "string", nullable: true },
  { name: "index", type: "int32" },
  { name: "score", type: "float64" },
  { name: "kept", type: "boolean" },
  { name: "embedding", type: "vector" },
];
const anyRow = fc.record({
  path: fc.string(),
  label: fc.option(fc.string()),
  index: fc.integer(),
  score: fc.double({ noNaN: true }),
  kept: fc.boolean(),
  embedding: fc.array(fc.float({ noNaN: true }), { maxLength: 5 }),
});

it("gives back rows with texts, nulls, numbers and vectors", async () => {
  const path = join(root, "a.parquet");
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow, { maxLength: 20 }), async (rows) => {
      expect(await writeParquet(path, columns, rows, { model: "m" })).toBe(rows.length);
      const back = (await readParquet(path)).map((row) => ({
        ...row,
        embedding: Array.from(row.embedding as Iterable<number>),
      }));
      expect(back).toEqual(rows);
      expect(await readParquetFooter(path)).toMatchObject({
        rows: rows.length,
        columns: columns.map(({ name }) => name),
        metadata: { model: "m" },
        own: true,
      });
    }),
    { numRuns: 40 },
  );
});

it("declares vectors as a list of float, the standard three levels", async () => {
  const path = join(root, "list.parquet");
  await writeParquet(
    path,
    [{ name: "embedding", type: "vector" }],
    [{ embedding: Float32Array.of(1) }],
  );
  const bytes = readFileSync(path);
  const { schema } = parquetMetadata(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  );
  expect(
    schema.slice(1).map(({ name, type, converted_type }) => [name, type, converted_type]),
  ).toEqual([
    ["embedding", undefined, "LIST"],
    ["list", undefined, undefined],
    ["element", "FLOAT", undefined],
  ]);
});

it("writes groups as rows come, from a stream of typed arrays", async () => {
  const path = join(root, "many.parquet");
  const row = (i: number) => ({ index: i, embedding: Float32Array.of(i, i / 2).slice() });
  async function* rows() {
    for (let i = 0; i < 70_000; i++) yield row(i);
  }
  const two: ParquetColumn[] = [
    { name: "index", type: "int32" },
    { name: "embedding", type: "vector" },
  ];
  expect(await writeParquet(path, two, rows())).toBe(70_000);
  const some = await readParquet(path, { start: 49_999, end: 50_002 });
  expect(some.map(({ index }) => index)).toEqual([49_999, 50_000, 50_001]);
  expect(Array.from(some[2].embedding as Iterable<number>)).toEqual([50_001, 25_000.5]);
  const only = await readParquet(path, { columns: ["index"], start: 69_999 });
  expect(only).toEqual([{ index: 69_999 }]);
});

it("names the row and column of a value of another type, and leaves no file", async () => {
  const path = join(root, "bad.parquet");
  const column: ParquetColumn[] = [{ name: "label", type: "int32" }];
  for (const [value, shown] of [
    [null, "null"],
    [1.5, "1.5"],
    ["1", '"1"'],
  ]) {
    await expect(writeParquet(path, column, [{ label: 1 }, { label: value }])).rejects.toThrow(
      `parquet: row 1, column "label" is ${shown}, expected int32`,
    );
  }
  expect(readdirSync(root).filter((name) => name.includes("bad"))).toEqual([]);
});

it("says that a file is no Parquet file", async () => {
  const path = join(root, "text.parquet");
  for (const text of ["", "no", "plain text that is long enough to be looked at"]) {
    writeFileSync(path, text);
    const error = await readParquet(path).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toContain(
      `${JSON.stringify(path)} is no whole Parquet file`,
    );
  }
  await expect(readParquet(join(root, "none"))).rejects.toThrow("it does not exist");
});
