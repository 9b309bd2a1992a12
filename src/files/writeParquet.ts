import { crc32 } from "node:zlib";

import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { ColumnSource } from "hyparquet-writer";

import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { withAtomicFile } from "./atomic.ts";
import { AUTHOR, SUM } from "./readParquet.ts";

/** A column of a Parquet file. `vector`: a list of float32 in every row. */
export type ParquetColumn = {
  readonly name: string;
  readonly type: "string" | "int32" | "float32" | "float64" | "boolean" | "vector";
  readonly nullable?: boolean; // a missing value is null; else it is an error
};

/** One row: values by column name. Vectors may be typed arrays. */
export type ParquetRow = Record<string, unknown>;

const physical: Record<Exclude<ParquetColumn["type"], "vector">, Partial<SchemaElement>> = {
  string: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  int32: { type: "INT32" },
  float32: { type: "FLOAT" },
  float64: { type: "DOUBLE" },
  boolean: { type: "BOOLEAN" },
};

function elementsOf({ name, type, nullable }: ParquetColumn): SchemaElement[] {
  const repetition_type = nullable ? "OPTIONAL" : "REQUIRED";
  if (type !== "vector") return [{ name, repetition_type, ...physical[type] }];
  return [
    { name, repetition_type, num_children: 1, converted_type: "LIST" },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", repetition_type: "REQUIRED", type: "FLOAT" },
  ];
}

function fits(value: unknown, type: ParquetColumn["type"]): boolean {
  if (type === "vector") return Array.isArray(value) || value instanceof Float32Array;
  if (type === "int32") return typeof value === "number" && value === (value | 0);
  if (type === "string" || type === "boolean") return typeof value === type;
  return typeof value === "number";
}

/** Whether a column may hold a value. */
export const cellFits = (value: unknown, { type, nullable }: ParquetColumn): boolean =>
  value === null ? nullable === true : fits(value, type);

function cell(row: ParquetRow, column: ParquetColumn, at: number): unknown {
  const value = row[column.name] ?? null;
  if (cellFits(value, column)) return value instanceof Float32Array ? Array.from(value) : value;
  throw new DataError(
    `parquet: row ${at}, column ${quoted(column.name)} is ${quoted(value)}, expected ${column.type}`,
  );
}

function columnData(rows: ParquetRow[], columns: readonly ParquetColumn[], first: number) {
  return columns.map((column): ColumnSource => {
    const data = rows.map((row, i) => cell(row, column, first + i));
    // Embeddings hardly repeat or compress: looking for either would only take time.
    const plain = { encoding: "PLAIN", codec: "UNCOMPRESSED" } as const;
    return { name: column.name, data, ...(column.type === "vector" ? plain : {}) };
  });
}

/** Rows of a group held in memory together: about 4 million numbers. */
function rowsAGroup(row: ParquetRow): number {
  const sizes = Object.values(row).map((value) =>
    Array.isArray(value) || value instanceof Float32Array ? value.length : 1,
  );
  const width = sizes.reduce((sum, size) => sum + size, 0);
  return Math.max(1, Math.min(50_000, Math.floor(4_000_000 / Math.max(1, width))));
}

/**
 * Writes rows to a Parquet file as they come; the file appears whole at the end. Returns their number.
 *
 * `metadata` are texts for the footer, which also holds a checksum of all before it. Vectors are `LIST` columns of float: `FLOAT[]` to DuckDB,
 * `list<float>` to Arrow.
 */
export async function writeParquet(
  path: string,
  columns: readonly ParquetColumn[],
  rows: Iterable<ParquetRow> | AsyncIterable<ParquetRow>,
  metadata: Record<string, string> = {},
): Promise<number> {
  return withAtomicFile(path, async (file) => {
    const buffer = new ByteWriter();
    const schema = [
      { name: "root", num_children: columns.length },
      ...columns.flatMap((column) => elementsOf(column)),
    ];
    const texts = Object.entries(metadata).filter(([key]) => key !== SUM); // of a table that is written anew
    const kvMetadata = texts.map(([key, value]) => ({ key, value }));
    const writer = new ParquetWriter({
      writer: buffer,
      schema,
      kvMetadata,
      createdBy: AUTHOR,
    });
    let written = 0;
    let group: ParquetRow[] = [];
    let sum = 0;
    const drain = async () => {
      const bytes = new Uint8Array(buffer.getBytes());
      sum = crc32(bytes, sum);
      await file.write(bytes);
      buffer.index = 0; // `offset` goes on counting from the start of the file
    };
    const writeGroup = async () => {
      const data = columnData(group, columns, written);
      await writer.write({ columnData: data, rowGroupSize: group.length });
      written += group.length;
      group = [];
      await drain();
    };
    for await (const row of rows) {
      group.push(row);
      if (group.length >= rowsAGroup(row)) await writeGroup();
    }
    if (group.length > 0) await writeGroup();
    kvMetadata.push({ key: SUM, value: sum.toString(16) });
    await writer.finish();
    await drain();
    return written;
  });
}
