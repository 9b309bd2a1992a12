import { rm, rename } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";

import type * as duckdb from "@duckdb/node-api";

import { ConfigError, ContraposeError, DataError, DeviceError } from "../core/errors.ts";
import { harmless, quoted } from "../core/quote.ts";
import { checkParquetSum, explained, readParquetFooter } from "../files/index.ts";
import { checkFeatures } from "../metrics/index.ts";
import { type EmbeddedImage, emptyError, vectorColumn } from "./embeddings.ts";
import type { Filter, Literal } from "./filter.ts";
import { checkWidth, type Hit, type VectorStore } from "./vectorStore.ts";

/** A store in DuckDB, which takes any question in SQL about its table `images`. */
export type DuckdbStore = VectorStore & {
  /** Rows of a query, as objects by column name. */
  query(sql: string): Promise<Record<string, unknown>[]>;
};

async function load(): Promise<typeof duckdb> {
  try {
    return await import("@duckdb/node-api");
  } catch (cause) {
    throw new DeviceError(
      "the store duckdb needs the package @duckdb/node-api, which is not installed here",
      "npm install @duckdb/node-api, or use the store exact",
      { cause },
    );
  }
}

/** A condition as SQL; values become parameters, which are added to `values`. */
function filterSql(filter: Filter, values: Literal[]): string {
  const bind = (value: Literal) => `$${values.push(value)}`;
  const inner = (part: Filter) => filterSql(part, values);
  switch (filter.kind) {
    case "and":
    case "or":
      return `(${filter.parts.map(inner).join(` ${filter.kind} `)})`;
    case "not":
      return `(not ${inner(filter.part)})`;
    case "missing":
      return `("${filter.column}" is null)`;
    case "like":
      return `("${filter.column}" like ${bind(filter.pattern)})`;
    case "in":
      return `("${filter.column}" in (${filter.values.map(bind).join(", ")}))`;
    case "compare":
      return `("${filter.column}" ${filter.operator} ${bind(filter.value)})`;
  }
}

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
/** What DuckDB reads of a file of that very name; folders as `label=x` say nothing of its rows. */
function source(path: string, options = ""): string {
  const name = resolve(path).replace(/[*?[]/g, "[$&]");
  return `read_parquet(${quote(name)}, hive_partitioning = false${options})`;
}

const facts = `id, path, label, "group", width, height`;

/**
 * The table of a Parquet file, its vectors as arrays of one width, which DuckDB computes with. Columns
 * that it lacks are filled in as reading it without DuckDB does.
 */
function tableSql(parquet: string, columns: readonly string[], dimension: number): string {
  const or = (value: string, ...names: string[]) => {
    const there = names.filter((name) => columns.includes(name)).map((name) => `"${name}"`);
    return `coalesce(${[...there, value].join(", ")})`;
  };
  return `select file_row_number as row,
    ${or("null", "id", "path")}::varchar as id, ${or("null", "path", "id")}::varchar as path,
    ${or("null", "label")}::varchar as label, ${or("file_row_number", "group")}::integer as "group",
    ${or("0", "width")}::integer as width, ${or("0", "height")}::integer as height,
    "${vectorColumn(parquet, columns)}"::float[${dimension}] as vector
    from ${source(parquet, ", file_row_number = true")}`;
}

/** The first line of DuckDB's own words on what went wrong. */
function wordsOf(cause: unknown): string {
  const [first] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
  return harmless(first.slice(0, 300));
}

async function readable<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof ContraposeError) throw cause;
    const message = `${quoted(path)}: DuckDB cannot read it: ${wordsOf(cause)}`;
    throw new DataError(message, undefined, { cause });
  }
}

async function rowsOf(connection: duckdb.DuckDBConnection, sql: string, values: Literal[] = []) {
  const reader = await connection.runAndReadAll(sql, values);
  return reader.getRowObjectsJS() as Record<string, unknown>[];
}

const isNumber = (value: unknown): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";

function imageOf(row: Record<string, unknown>): EmbeddedImage {
  const { id, path, label, group, width, height } = row;
  const number = (value: unknown) => (isNumber(value) ? Number(value) : 0);
  return {
    id: String(id),
    path: String(path),
    content: "",
    label: typeof label === "string" ? label : undefined,
    group: number(group),
    width: number(width),
    height: number(height),
  };
}

/** A value with its 64-bit numbers as plain ones, which JSON can hold, also within lists and structs. */
function plainValue(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plainValue);
  const isObject = typeof value === "object" && value !== null;
  const isStruct = isObject && Object.getPrototypeOf(value) === Object.prototype;
  return isStruct ? plainValues(value as Record<string, unknown>) : value;
}

const plainValues = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainValue(value)]));

/** Builds the database of a table of embeddings: it opens faster than the Parquet file is read. */
export async function buildDuckdb(parquet: string, database: string): Promise<void> {
  const { DuckDBInstance } = await load();
  const name = basename(database).replaceAll("?", "_"); // behind ? DuckDB would see settings
  const part = resolve(dirname(database), `${name}.part`);
  for (const left of [part, `${part}.wal`]) await rm(left, { force: true });
  try {
    const instance = await DuckDBInstance.create(part);
    const connection = await instance.connect();
    await readable(parquet, async () => {
      const sql = await tableOf(connection, parquet);
      await connection.run(`create table images as ${sql}`);
      await checkRows(connection, parquet);
    }).finally(() => {
      connection.closeSync();
      instance.closeSync();
    });
    await explained("write", database, () => rename(part, database));
  } finally {
    await rm(part, { force: true });
    await rm(`${part}.wal`, { force: true });
  }
}

/** What gives the rows of a Parquet file as the table `images` has them. */
async function tableOf(connection: duckdb.DuckDBConnection, parquet: string): Promise<string> {
  const { columns } = await readParquetFooter(parquet);
  const vector = vectorColumn(parquet, columns);
  const sql = `select len("${vector}") as width from ${source(parquet)} limit 1`;
  const first = (await rowsOf(connection, sql)).at(0);
  if (first === undefined) throw emptyError(parquet);
  return tableSql(parquet, columns, Number(first.width));
}

type Held = { rows: bigint; ids: bigint; different: bigint; finite: bigint };

/** Throws `DataError` where ids or numbers of a table are missing, ids are there twice, or numbers not finite. */
async function checkRows(connection: duckdb.DuckDBConnection, path: string): Promise<void> {
  const sql = `select count(*) as rows, count(id) as ids, count(distinct id) as different,
    count(*) filter (isfinite(list_sum(vector::double[])) and len(vector) = list_count(vector::float[]))
    as finite from images`;
  const [{ rows, ids, different, finite }] = (await rowsOf(connection, sql)) as Held[];
  const fail = (what: string, expected: string) =>
    new DataError(`${quoted(path)}: ${what}, expected ${expected}`);
  if (ids < rows) throw fail(`${rows - ids} of ${rows} rows have no id`, "a text");
  if (different < rows) throw fail(`${rows} rows have ${different} ids`, "one an image");
  if (finite < rows) {
    throw fail(
      `vectors of ${rows - finite} of ${rows} rows hold what is no number`,
      "finite numbers",
    );
  }
}

type Opened = {
  readonly instance: duckdb.DuckDBInstance;
  readonly connection: duckdb.DuckDBConnection;
};

function closeBoth({ instance, connection }: Opened): void {
  connection.closeSync();
  instance.closeSync();
}

async function openDatabase(path: string): Promise<Opened> {
  const { DuckDBInstance } = await load();
  const isDatabase = /\.duckdb$/i.test(path);
  const instance = isDatabase
    ? await DuckDBInstance.create(resolve(path), { access_mode: "READ_ONLY" })
    : await DuckDBInstance.create(":memory:");
  const opened = { instance, connection: await instance.connect() };
  if (isDatabase) return opened;
  try {
    await opened.connection.run(`create view images as ${await tableOf(opened.connection, path)}`);
    await checkRows(opened.connection, path);
    await checkParquetSum(path);
    return opened;
  } catch (error) {
    closeBoth(opened);
    throw error;
  }
}

/** Opens a Parquet table, or a database that `buildDuckdb` made of one. */
export async function duckdbStore(path: string, signal?: AbortSignal): Promise<DuckdbStore> {
  const opened = await readable(path, () => openDatabase(path));
  const { connection } = opened;
  const interrupt = () => connection.interrupt();
  signal?.addEventListener("abort", interrupt);
  const [{ count, width }] = await readable(path, () =>
    rowsOf(connection, "select count(*) as count, any_value(len(vector)) as width from images"),
  );
  if (Number(count) === 0) throw emptyError(path);
  const dimension = Number(width);
  const nearest = async (query: Float32Array, k: number, where: Filter | undefined) => {
    const values: Literal[] = [];
    const condition = where === undefined ? "true" : filterSql(where, values);
    const asked = `[${Array.from(query).join(", ")}]::float[${dimension}]`;
    // NaN, which zero vectors give, would come first; exact search says 0 of them
    const sql = `select ${facts}, array_cosine_similarity(vector, ${asked}) as cosine,
      if(isnan(cosine), 0, cosine) as similarity
      from images where ${condition} order by similarity desc, row limit ${Math.max(1, k)}`;
    const rows = await readable(path, () => rowsOf(connection, sql, values));
    return rows.map((row): Hit => ({ image: imageOf(row), similarity: Number(row.similarity) }));
  };
  return {
    kind: "duckdb",
    count: Number(count),
    dimension,
    async search(queries, { k, where }) {
      checkWidth(queries.dimension, dimension);
      checkFeatures("search", "query", queries, 0);
      const hits: Hit[][] = [];
      for (let q = 0; q < queries.count; q++) {
        const query = queries.data.subarray(q * dimension, (q + 1) * dimension);
        hits.push(await nearest(query, k, where));
      }
      return hits;
    },
    async vectorOf(id) {
      const sql = "select vector from images where id = $1";
      const row = (await readable(path, () => rowsOf(connection, sql, [id]))).at(0);
      return row === undefined ? undefined : Float32Array.from(row.vector as number[]);
    },
    async query(sql) {
      try {
        return (await rowsOf(connection, sql)).map(plainValues);
      } catch (cause) {
        const columns = `the table is images: ${facts}, vector`;
        throw new ConfigError(`--sql: ${wordsOf(cause)}`, columns, { cause });
      }
    },
    async close() {
      signal?.removeEventListener("abort", interrupt);
      closeBoth(opened);
    },
  };
}
