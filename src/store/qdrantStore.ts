import { z } from "zod";

import { ConfigError, DataError } from "../core/errors.ts";
import type { WorkCalls } from "../core/pause.ts";
import { quoted } from "../core/quote.ts";
import { checkFeatures, type Features } from "../metrics/index.ts";
import { type Embeddings, markOf } from "./embeddings.ts";
import { qdrantFilter } from "./qdrantFilter.ts";
import {
  type Ask,
  NotThere,
  type QdrantPlace,
  requestsTo,
  shownAddress,
} from "./qdrantRequests.ts";
import { checkWidth, type Hit, type VectorStore } from "./vectorStore.ts";

const pathOf = ({ collection }: QdrantPlace) => `/collections/${encodeURIComponent(collection)}`;

const Anything = z.unknown();
const Info = z.object({
  config: z.object({
    params: z.object({ vectors: z.object({ size: z.int().positive().max(65536) }) }),
  }),
});
const Counted = z.object({ count: z.int().nonnegative() });
const Marked = z.object({ payload: z.record(z.string(), z.unknown()).nullish() });
const Image = z.object({
  id: z.string(),
  path: z.string(),
  label: z.string().nullish(),
  group: z.int(),
  width: z.int(),
  height: z.int(),
  content: z.string(),
});
const Found = z.object({ score: z.number(), payload: Image });

/** What is at a path; undefined where nothing is. */
async function found<T>(ask: Ask, path: string, form: z.ZodType<T>): Promise<T | undefined> {
  try {
    return await ask("GET", path, form);
  } catch (error) {
    if (error instanceof NotThere) return undefined;
    throw error;
  }
}

const UPSERTED = 256; // points of a request

function pointsOf({ images, features }: Embeddings, first: number) {
  const { data, dimension } = features;
  return images.slice(first, first + UPSERTED).map((image, i) => {
    const row = first + i;
    const vector = Array.from(data.subarray(row * dimension, (row + 1) * dimension));
    return { id: row, vector, payload: image }; // a missing label is left out of JSON
  });
}

/** Sends embeddings to a server, into a new collection or, where that is allowed, in place of an earlier one. */
export async function fillQdrant(
  place: QdrantPlace,
  embeddings: Embeddings,
  overwrite: boolean,
  { progress, signal }: WorkCalls = {},
): Promise<void> {
  const ask = requestsTo(place, signal);
  if ((await found(ask, pathOf(place), Anything)) !== undefined) {
    if (!overwrite) {
      throw new ConfigError(
        `qdrant: the collection ${quoted(place.collection)} exists`,
        "choose another --collection, or --overwrite",
      );
    }
    await ask("DELETE", pathOf(place), Anything);
  }
  const { count, dimension: size } = embeddings.features;
  await ask("PUT", pathOf(place), Anything, { vectors: { size, distance: "Cosine" } });
  for (const [field_name, field_schema] of Object.entries(indexed)) {
    await ask("PUT", `${pathOf(place)}/index?wait=true`, Anything, { field_name, field_schema });
  }
  for (let first = 0; first < count; first += UPSERTED) {
    const points = pointsOf(embeddings, first);
    await ask("PUT", `${pathOf(place)}/points?wait=true`, Anything, { points });
    progress?.(first + points.length, count);
  }
  const payload = { [MARK]: markOf(embeddings.facts) }; // last: a collection without it is not whole
  const marked = { payload, points: [0] };
  await ask("POST", `${pathOf(place)}/points/payload?wait=true`, Anything, marked);
}

const MARK = "embeddings"; // payload field of the first point: which vectors the collection holds

/** Payload fields that conditions may name. */
const indexed = {
  id: "keyword",
  path: "keyword",
  label: "keyword",
  group: "integer",
  width: "integer",
  height: "integer",
};

function hitOf({ score, payload }: z.output<typeof Found>): Hit {
  return { image: { ...payload, label: payload.label ?? undefined }, similarity: score };
}

const ASKED = 64; // queries of a request at most
const HITS = 20_000; // of a request at most

/** What a collection must hold: the number of vectors, and the mark of their table (`markOf`). */
type Expected = { readonly count: number; readonly mark: string };

async function checkHeld(ask: Ask, place: QdrantPlace, count: number, expected: Expected) {
  const fail = (holds: string) =>
    new DataError(
      `qdrant: the collection ${quoted(place.collection)} holds ${holds}`,
      "send them again: contrapose index NAME --store qdrant --overwrite",
    );
  if (count === 0) throw fail("no vector, expected one at least");
  if (count !== expected.count) {
    throw fail(`${count} vectors, expected ${expected.count} as in the table`);
  }
  const first = await found(ask, `${pathOf(place)}/points/0`, Marked);
  if (first?.payload?.[MARK] === expected.mark) return;
  throw fail("other vectors than the table, or not all of them were sent");
}

/**
 * Opens a collection that `fillQdrant` made; throws `DataError` where it does not hold what is `expected`.
 * The server's index is approximate: near images may be missed.
 */
export async function qdrantStore(
  place: QdrantPlace,
  expected: Expected,
  signal?: AbortSignal,
): Promise<VectorStore> {
  const ask = requestsTo(place, signal);
  const info = await found(ask, pathOf(place), Info);
  if (info === undefined) {
    throw new DataError(
      `qdrant: there is no collection ${quoted(place.collection)} at ${shownAddress(place.url)}`,
      "make it first: contrapose index NAME --store qdrant",
    );
  }
  const { count } = await ask("POST", `${pathOf(place)}/points/count`, Counted, { exact: true });
  await checkHeld(ask, place, count, expected);
  const dimension = info.config.params.vectors.size;
  return {
    kind: "qdrant",
    count,
    dimension,
    async search(queries, { k, where }) {
      checkWidth(queries.dimension, dimension);
      const filter = where === undefined ? {} : { filter: qdrantFilter(where) };
      checkFeatures("search", "query", queries, 0);
      const limit = Math.max(1, k);
      const asked = Math.max(1, Math.min(ASKED, Math.floor(HITS / limit)));
      const points = z.object({ points: z.array(Found).max(limit) });
      const hits: Hit[][] = [];
      for (let first = 0; first < queries.count; first += asked) {
        const rows = rowsOf(queries, first, asked);
        const searches = rows.map((query) => ({ query, limit, with_payload: true, ...filter }));
        const form = z.array(points).length(rows.length);
        const replies = await ask("POST", `${pathOf(place)}/points/query/batch`, form, {
          searches,
        });
        for (const reply of replies) hits.push(reply.points.map(hitOf));
      }
      return hits;
    },
    async vectorOf(id) {
      const filter = { must: [{ key: "id", match: { value: id } }] };
      const body = { filter, limit: 1, with_vector: true };
      const vector = z.array(z.number()).length(dimension);
      const form = z.object({ points: z.array(z.object({ vector })).max(1) });
      const { points } = await ask("POST", `${pathOf(place)}/points/scroll`, form, body);
      return points.length === 0 ? undefined : Float32Array.from(points[0].vector);
    },
    close: async () => undefined,
  };
}

function rowsOf({ data, count, dimension }: Features, first: number, most: number): number[][] {
  const rows = Math.min(most, count - first);
  return Array.from({ length: rows }, (_, i) =>
    Array.from(data.subarray((first + i) * dimension, (first + i + 1) * dimension)),
  );
}
