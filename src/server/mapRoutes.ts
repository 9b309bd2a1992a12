import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";

import type { Hono } from "hono";

import { DataError } from "../core/errors.ts";
import { readParquet, readParquetFooter, workerUrl, writeParquet } from "../files/index.ts";
import type { EmbeddingFacts } from "../store/index.ts";
import type { Laid } from "./mapLayout.ts";
import { gone } from "./runRoutes.ts";
import type { OpenTable, Tables } from "./searchRoutes.ts";
import type { MapAbout, MapState } from "./wire.ts";

const columns = [
  { name: "id", type: "string" },
  { name: "x", type: "float32" },
  { name: "y", type: "float32" },
  { name: "cluster", type: "int32" },
  { name: "outlier", type: "float32" },
] as const;

const fileOf = (table: string): string => table.replace(/\.parquet$/, ".map.parquet");
const markOf = ({ vectors = "", encoderHash = "" }: EmbeddingFacts) => `${vectors} ${encoderHash}`;

/** The map that was made of these very vectors before; undefined where there is none. */
async function readMap({ place, embeddings }: OpenTable): Promise<Laid | undefined> {
  const path = fileOf(place.path);
  if (!existsSync(path)) return undefined;
  const { metadata, rows: count } = await readParquetFooter(path);
  const { images, facts } = embeddings;
  if (metadata.of !== markOf(facts) || count !== images.length) return undefined;
  const rows = await readParquet(path);
  const number = (name: string) => Float32Array.from(rows, (row) => Number(row[name]));
  const [x, y] = [number("x"), number("y")];
  const places = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) places.set([x[i], y[i]], 2 * i);
  return { places, clusters: Int32Array.from(number("cluster")), outliers: number("outlier") };
}

async function writeMap({ place, embeddings }: OpenTable, laid: Laid): Promise<void> {
  const { places, clusters, outliers } = laid;
  const rows = embeddings.images.map(({ id }, i) => ({
    id,
    x: places[2 * i],
    y: places[2 * i + 1],
    cluster: clusters[i],
    outlier: outliers[i],
  }));
  await writeParquet(fileOf(place.path), columns, rows, { of: markOf(embeddings.facts) });
}

/** Lays a table out in a thread of its own. */
function layOut({ embeddings }: OpenTable, tell: (share: number) => void): Promise<Laid> {
  const { features, images } = embeddings;
  const labels = new Set(images.flatMap(({ label }) => label ?? [])).size;
  const k =
    labels > 1 ? labels : Math.max(1, Math.min(20, Math.round(Math.sqrt(images.length / 2))));
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl("mapLayout", import.meta.url), {
      workerData: { features, seed: 0, clusters: Math.min(k, images.length) },
    });
    worker.on("message", (message: { share: number } | { laid: Laid }) => {
      if ("share" in message) tell(message.share);
      else resolve(message.laid);
    });
    worker.on("error", reject);
    worker.on("exit", () => reject(new DataError("map: it was not finished")));
  });
}

type Making = { state: MapState; laid?: Laid };

/** What the page asks of maps. */
export function addMaps(app: Hono, tables: Tables): void {
  const makings = new Map<string, Making>();
  const keyOf = ({ place }: OpenTable) => `${place.id} ${place.changed}`;
  const makingOf = async (table: OpenTable): Promise<Making> => {
    const known = makings.get(keyOf(table));
    if (known !== undefined) return known;
    const laid = await readMap(table).catch(() => undefined);
    const making: Making =
      laid === undefined ? { state: { state: "none" } } : { state: { state: "done" }, laid };
    makings.set(keyOf(table), making);
    return making;
  };
  app.get("/api/tables/:table/map", async (c) => {
    const table = await tables.of(c.req.param("table"));
    if (table === undefined) return gone(c, "table");
    const { state } = await makingOf(table);
    const { images } = table.embeddings;
    const labels = [...new Set(images.flatMap(({ label }) => label ?? []))].sort();
    const answer: MapAbout = { ...state, count: images.length, labels };
    return c.json(answer);
  });
  app.post("/api/tables/:table/map", async (c) => {
    const table = await tables.of(c.req.param("table"));
    if (table === undefined) return gone(c, "table");
    const making = await makingOf(table);
    if (making.state.state === "making" || making.state.state === "done")
      return c.json(making.state);
    making.state = { state: "making", share: 0 };
    layOut(table, (share) => (making.state = { state: "making", share }))
      .then(async (laid) => {
        await writeMap(table, laid);
        making.laid = laid;
        making.state = { state: "done" };
      })
      .catch((error: Error) => (making.state = { state: "failed", error: error.message }));
    return c.json(making.state);
  });
  /** Float32 x and y of every row, then its cluster, its group, its label's number (−1 for none) and its outlier score. */
  app.get("/api/tables/:table/map/rows", async (c) => {
    const table = await tables.of(c.req.param("table"));
    if (table === undefined) return gone(c, "table");
    const { laid } = await makingOf(table);
    if (laid === undefined) return gone(c, "map");
    const { images } = table.embeddings;
    const names = [...new Set(images.flatMap(({ label }) => label ?? []))].sort();
    const numbers = new Map(names.map((name, i) => [name, i]));
    const values = new Float32Array(6 * images.length);
    for (const [i, { group, label }] of images.entries()) {
      const number = label === undefined ? -1 : numbers.get(label)!;
      const row = [laid.places[2 * i], laid.places[2 * i + 1], laid.clusters[i], group, number];
      values.set([...row, laid.outliers[i]], 6 * i);
    }
    return c.body(new Uint8Array(values.buffer), 200, {
      "Content-Type": "application/octet-stream",
    });
  });
}
