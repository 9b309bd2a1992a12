import { existsSync, statSync } from "node:fs";
import { basename } from "node:path";

import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { readParquetFooter } from "../files/index.ts";
import { duckdbStore } from "./duckdbStore.ts";
import { markOf, readEmbeddings, tablePath } from "./embeddings.ts";
import { exactStore } from "./exactStore.ts";
import type { QdrantPlace } from "./qdrantRequests.ts";
import { qdrantStore } from "./qdrantStore.ts";
import type { VectorStore } from "./vectorStore.ts";

/** The stores there are. */
export const storeKinds = ["exact", "duckdb", "qdrant"] as const;

/** The name of a store. */
export type StoreKind = (typeof storeKinds)[number];

/** Where a database made of a table stands: beside it. */
export const databasePath = (table: string): string => table.replace(/\.parquet$/i, ".duckdb");

/** The collection that stands for a table where none is named: the table's own name. */
export const collectionName = (table: string): string =>
  basename(table)
    .replace(/\.parquet$/i, "")
    .replace(/[^\w-]+/g, "-");

function duckdbPath(table: string): string {
  const database = databasePath(table);
  if (!existsSync(database)) return table;
  if (statSync(database).mtimeMs >= statSync(table).mtimeMs) return database;
  throw new ConfigError(
    `${quoted(database)} is older than ${quoted(table)}: it lacks what was embedded since`,
    "make it again: contrapose index NAME --store duckdb --overwrite",
  );
}

/** Opens a store of the embeddings that a name stands for. */
export async function openStore(
  kind: StoreKind,
  name: string,
  place: Partial<QdrantPlace> = {},
  signal?: AbortSignal,
): Promise<VectorStore> {
  if (kind === "qdrant") {
    const { url = "http://localhost:6333" } = place;
    const table = tablePath(name);
    const { rows, metadata } = await readParquetFooter(table);
    const collection = place.collection ?? collectionName(table);
    const expected = { count: rows, mark: markOf(metadata) };
    return qdrantStore({ ...place, url, collection }, expected, signal);
  }
  if (kind === "duckdb") return duckdbStore(duckdbPath(tablePath(name)), signal);
  return exactStore(await readEmbeddings(name));
}
