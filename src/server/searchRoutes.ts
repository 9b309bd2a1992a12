import type { Context, Hono } from "hono";
import { z } from "zod";

import { parseAs } from "../core/json.ts";
import type { ImageEncoder } from "../evaluate/index.ts";
import { openPacked } from "../evaluate/embeddedPictures.ts";
import { embedFile, openEncoderOf } from "../evaluate/queryImage.ts";
import type { Features } from "../metrics/index.ts";
import {
  type EmbeddedImage,
  type Embeddings,
  exactStore,
  matching,
  parseFilter,
  readEmbeddings,
  type VectorStore,
} from "../store/index.ts";
import { idsLimit, pictureLimit } from "./guard.ts";
import { numberIn } from "./imageRoutes.ts";
import { keepFew } from "./keep.ts";
import type { Watch } from "./overview.ts";
import { gone } from "./runRoutes.ts";
import type { FoundImage, SearchAnswer, TableAbout, TablePlace } from "./wire.ts";

const USUAL = 60; // images of an answer
const MOST = 1000;

/** A table whose vectors are in memory. */
export type OpenTable = {
  readonly place: TablePlace;
  readonly embeddings: Embeddings;
  readonly store: VectorStore;
  readonly rowOf: (image: EmbeddedImage) => number;
  /** The encoder that made the vectors. Throws `DataError` where it is gone. */
  readonly encoder: () => Promise<ImageEncoder>;
  close(): Promise<void>;
};

async function openTable(place: TablePlace): Promise<OpenTable> {
  const embeddings = await readEmbeddings(place.path);
  const rows = new Map(embeddings.images.map((image, row) => [image, row]));
  const { facts } = embeddings;
  let encoder: Promise<ImageEncoder> | undefined;
  return {
    place,
    embeddings,
    store: exactStore(embeddings),
    rowOf: (image) => rows.get(image)!,
    encoder: () => {
      encoder ??= openEncoderOf(facts, { path: facts.encoder });
      encoder.catch(() => (encoder = undefined));
      return encoder;
    },
    close: async () => (await encoder?.catch(() => undefined))?.dispose(),
  };
}

/** Opens tables, a few at a time; one that was written anew is opened anew. */
export function openTables(watch: Watch) {
  const kept = keepFew<OpenTable>(3, (table) => table.close());
  return {
    async of(id: string): Promise<OpenTable | undefined> {
      const place = watch.places().tables.get(id);
      return place && kept.get(`${id} ${place.changed}`, () => openTable(place));
    },
    close: () => kept.close(),
  };
}

/** Tables of embeddings. */
export type Tables = ReturnType<typeof openTables>;

/** A row as the page shows it. */
const shownRow = ({ embeddings }: OpenTable, row: number): FoundImage => {
  const { id, label, width, height, group } = embeddings.images[row];
  return { row, id, width, height, group, ...(label === undefined ? {} : { label }) };
};

function aboutTable({ embeddings, place, store }: OpenTable): TableAbout {
  const labels = new Map<string, number>();
  for (const { label } of embeddings.images) {
    if (label !== undefined) labels.set(label, (labels.get(label) ?? 0) + 1);
  }
  return {
    id: place.id,
    name: place.name,
    path: place.path,
    count: store.count,
    dimension: store.dimension,
    encoder: embeddings.facts.encoder ?? "",
    labels: [...labels].sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

const Rows = z.strictObject({ rows: z.array(z.int().min(0)) });

const asked = (c: Context) => {
  const condition = c.req.query("where") ?? "";
  return {
    k: Math.max(1, numberIn(c, "k", MOST + 1) ?? USUAL),
    where: condition.trim() === "" ? undefined : parseFilter(condition),
  };
};

async function answer(
  table: OpenTable,
  query: Features,
  { k, where }: ReturnType<typeof asked>,
): Promise<SearchAnswer> {
  const started = performance.now();
  const [hits] = await table.store.search(query, { k, where });
  const milliseconds = performance.now() - started;
  return {
    vectors: table.store.count,
    milliseconds,
    hits: hits.map(({ image, similarity }) => ({
      ...shownRow(table, table.rowOf(image)),
      similarity,
    })),
  };
}

const vectorOf = ({ embeddings: { features } }: OpenTable, row: number): Features => {
  const { data, dimension } = features;
  return { data: data.slice(row * dimension, (row + 1) * dimension), count: 1, dimension };
};

/** Answers with the table that a request names. */
const tableReader =
  (tables: Tables) =>
  (run: (c: Context, table: OpenTable) => Promise<Response> | Response) =>
  async (c: Context): Promise<Response> => {
    const table = await tables.of(c.req.param("table") ?? "");
    return table === undefined ? gone(c, "table") : run(c, table);
  };

/** What the page asks of the images of a table. */
export function addTables(app: Hono, tables: Tables): void {
  const withTable = tableReader(tables);
  app.get(
    "/api/tables/:table",
    withTable((c, table) => c.json(aboutTable(table))),
  );
  app.get(
    "/api/tables/:table/rows",
    withTable((c, table) => {
      const { k, where } = asked(c);
      const { images } = table.embeddings;
      const allowed = where === undefined ? undefined : matching(where, images);
      const rows = [...images.keys()].filter((row) => allowed === undefined || allowed[row] === 1);
      const each = Math.max(1, rows.length / k); // spread over all
      const some = Array.from(
        { length: Math.min(k, rows.length) },
        (_, i) => rows[Math.floor(i * each)],
      );
      return c.json({ count: rows.length, images: some.map((row) => shownRow(table, row)) });
    }),
  );
  app.get(
    "/api/tables/:table/rows/:row",
    withTable((c, table) => {
      const row = numberIn(c, "row", table.store.count);
      return row === undefined ? gone(c, "image") : c.json(shownRow(table, row));
    }),
  );
  app.post(
    "/api/tables/:table/ids",
    idsLimit,
    withTable(async (c, table) => {
      const { rows } = parseAs(Rows, await c.req.text(), { where: "the request" });
      const { images } = table.embeddings;
      if (rows.some((row) => row >= images.length)) return gone(c, "image");
      return c.json({ ids: rows.map((row) => images[row].id) });
    }),
  );
}

/** What the page asks to search. */
export function addSearch(app: Hono, tables: Tables): void {
  const withTable = tableReader(tables);
  app.get(
    "/api/tables/:table/search",
    withTable(async (c, table) => {
      const row = numberIn(c, "row", table.store.count);
      if (row === undefined) return gone(c, "image");
      const found = await answer(table, vectorOf(table, row), asked(c));
      return c.json({ ...found, query: shownRow(table, row) });
    }),
  );
  app.post(
    "/api/tables/:table/search",
    pictureLimit,
    withTable(async (c, table) => {
      const how = asked(c);
      const bytes = new Uint8Array(await c.req.arrayBuffer());
      if (bytes.length === 0) return c.json({ error: "the picture is empty" }, 400);
      const { facts } = table.embeddings;
      const encoder = await table.encoder();
      const dataset = await openPacked(facts);
      try {
        const { features } = await embedFile(bytes, encoder, { facts, dataset });
        return c.json(await answer(table, features, how));
      } finally {
        dataset?.close();
      }
    }),
  );
}
