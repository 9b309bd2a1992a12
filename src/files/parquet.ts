import { open } from "node:fs/promises";

import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import type { AsyncBuffer, SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { ColumnSource } from "hyparquet-writer";

import { ContraposeError, DataError } from "../core/errors.ts";
import { withAtomicFile } from "./atomic.ts";
import { explained } from "./fileError.ts";

const AUTHOR = "contrapose";

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

function cell(row: ParquetRow, column: ParquetColumn, at: number): unknown {
  const value = row[column.name] ?? null;
  if (value === null ? column.nullable : fits(value, column.type)) {
    return value instanceof Float32Array ? Array.from(value) : value;
  }
  throw new DataError(
    `parquet: row ${at}, column ${JSON.stringify(column.name)} is ${JSON.stringify(value)}, expected ${column.type}`,
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
 * `metadata` are texts for the footer. Vectors are `LIST` columns of float: `FLOAT[]` to DuckDB,
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
    const kvMetadata = Object.entries(metadata).map(([key, value]) => ({ key, value }));
    const writer = new ParquetWriter({
      writer: buffer,
      schema,
      kvMetadata,
      createdBy: AUTHOR,
    });
    let written = 0;
    let group: ParquetRow[] = [];
    const drain = async () => {
      await file.write(buffer.getBytes());
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
    await writer.finish();
    await drain();
    return written;
  });
}

function unreadable(path: string, cause: Error): DataError {
  const codec = /unsupported compression codec: (\w+)/.exec(cause.message)?.[1];
  if (codec === undefined) {
    const message = `${JSON.stringify(path)} is no whole Parquet file: ${cause.message}`;
    return new DataError(message, undefined, { cause });
  }
  return new DataError(
    `${JSON.stringify(path)} is compressed with ${codec}, expected SNAPPY or no compression`,
    "write it again with the compression snappy",
    { cause },
  );
}

async function withBuffer<T>(path: string, read: (buffer: AsyncBuffer) => Promise<T>): Promise<T> {
  return explained("read", path, async () => {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const slice = async (start: number, end = size) => {
        const bytes = new Uint8Array(end - start);
        await file.read(bytes, 0, bytes.length, start);
        return bytes.buffer;
      };
      return await read({ byteLength: size, slice });
    } catch (error) {
      if (error instanceof ContraposeError || (error as NodeJS.ErrnoException).syscall) throw error;
      throw unreadable(path, error as Error);
    } finally {
      await file.close();
    }
  });
}

/** Rows of a Parquet file, those in `[start, end)` and those columns only where asked. Vectors come as lists. */
export async function readParquet(
  path: string,
  options: { columns?: string[]; start?: number; end?: number } = {},
): Promise<ParquetRow[]> {
  const { columns, start, end } = options;
  return withBuffer(path, (file) =>
    parquetReadObjects({
      file,
      ...(columns === undefined ? {} : { columns }),
      ...(start === undefined ? {} : { rowStart: start }),
      ...(end === undefined ? {} : { rowEnd: end }),
    }),
  );
}

/** What the footer of a Parquet file says. */
export type ParquetFooter = {
  readonly rows: number;
  readonly columns: string[]; // their names
  readonly metadata: Record<string, string>; // texts
  readonly own: boolean; // whether `writeParquet` wrote the file
};

/** Reads the footer of a Parquet file. */
export async function readParquetFooter(path: string): Promise<ParquetFooter> {
  return withBuffer(path, async (file) => {
    const footer = await parquetMetadataAsync(file);
    const texts = footer.key_value_metadata ?? [];
    const columns = topLevelNames(footer.schema);
    const metadata = Object.fromEntries(texts.map(({ key, value }) => [key, value ?? ""]));
    const own = footer.created_by === AUTHOR;
    return { rows: Number(footer.num_rows), columns, metadata, own };
  });
}

function topLevelNames(schema: readonly SchemaElement[]): string[] {
  const names: string[] = [];
  const skip = (at: number): number => {
    let next = at + 1;
    for (let i = 0; i < (schema[at].num_children ?? 0); i++) next = skip(next);
    return next;
  };
  for (let at = 1; at < schema.length; at = skip(at)) names.push(schema[at].name);
  return names;
}
