import { ConfigError, ContraposeError, DataError, DeviceError } from "../core/errors.ts";
import type { Features } from "../metrics/index.ts";
import { type EmbeddedImage, type Embeddings, markOf } from "./embeddings.ts";
import { qdrantFilter } from "./qdrantFilter.ts";
import { checkWidth, type Hit, type VectorStore } from "./vectorStore.ts";

/** Where a Qdrant server is, and under which name it keeps the vectors. */
export type QdrantPlace = {
  readonly url: string; // as http://localhost:6333
  readonly collection: string;
  readonly apiKey?: string | undefined;
};

type Api = (method: string, path: string, body?: unknown) => Promise<unknown>;

type Reply = { result?: unknown; status?: unknown };

function reasonOf(reply: Reply | undefined): string {
  const { status } = reply ?? {};
  const error = (status as { error?: unknown } | undefined)?.error;
  return typeof error === "string" ? error : "no reason given";
}

/** Calls of the REST API; what a reply holds under `result`. */
function apiOf({ url, apiKey }: QdrantPlace): Api {
  const root = url.replace(/\/+$/, "");
  const headers = {
    "content-type": "application/json",
    ...(apiKey === undefined ? {} : { "api-key": apiKey }),
  };
  return async (method, path, body) => {
    const where = `${method} ${root}${path}`;
    let response: Response;
    try {
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      response = await fetch(`${root}${path}`, { method, headers, ...content });
    } catch (cause) {
      throw new DeviceError(
        `qdrant: no answer from ${root}`,
        "start the server, or give another --url",
        { cause },
      );
    }
    const reply = (await response.json().catch(() => undefined)) as Reply | undefined;
    if (response.status === 404) throw new NotThere(`qdrant: ${where}: not found`);
    if (!response.ok || reply === undefined) {
      throw new DeviceError(
        `qdrant: ${where} failed with status ${response.status}: ${reasonOf(reply)}`,
      );
    }
    return reply.result;
  };
}

class NotThere extends ContraposeError {}

const pathOf = ({ collection }: QdrantPlace) => `/collections/${encodeURIComponent(collection)}`;

type Info = { config: { params: { vectors: { size?: number } } } };

/** What is at a path; undefined where nothing is. */
async function found(api: Api, path: string): Promise<unknown> {
  try {
    return await api("GET", path);
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
  progress?: (done: number) => void,
): Promise<void> {
  const api = apiOf(place);
  if ((await found(api, pathOf(place))) !== undefined) {
    if (!overwrite) {
      throw new ConfigError(
        `qdrant: the collection ${JSON.stringify(place.collection)} exists`,
        "choose another --collection, or --overwrite",
      );
    }
    await api("DELETE", pathOf(place));
  }
  const { count, dimension: size } = embeddings.features;
  await api("PUT", pathOf(place), { vectors: { size, distance: "Cosine" } });
  for (const [field_name, field_schema] of Object.entries(indexed)) {
    await api("PUT", `${pathOf(place)}/index?wait=true`, { field_name, field_schema });
  }
  for (let first = 0; first < count; first += UPSERTED) {
    const points = pointsOf(embeddings, first);
    await api("PUT", `${pathOf(place)}/points?wait=true`, { points });
    progress?.(first + points.length);
  }
  const payload = { [MARK]: markOf(embeddings.facts) }; // last: a collection without it is not whole
  await api("POST", `${pathOf(place)}/points/payload?wait=true`, { payload, points: [0] });
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

type Point = {
  score?: number;
  payload?: Partial<EmbeddedImage> & { [MARK]?: string };
  vector?: number[];
};

function hitOf({ score = 0, payload = {} }: Point): Hit {
  const { id = "", path = id, label, group = 0, width = 0, height = 0, content = "" } = payload;
  return { image: { id, path, label, group, width, height, content }, similarity: score };
}

const ASKED = 64; // queries of a request

/** What a collection must hold: the number of vectors, and the mark of their table (`markOf`). */
type Expected = { readonly count: number; readonly mark: string };

async function checkHeld(api: Api, place: QdrantPlace, count: number, expected: Expected) {
  const fail = (holds: string) =>
    new DataError(
      `qdrant: the collection ${JSON.stringify(place.collection)} holds ${holds}`,
      "send them again: contrapose index NAME --store qdrant --overwrite",
    );
  if (count === 0) throw fail("no vector, expected one at least");
  if (count !== expected.count) {
    throw fail(`${count} vectors, expected ${expected.count} as in the table`);
  }
  const first = (await found(api, `${pathOf(place)}/points/0`)) as Point | undefined;
  if (first?.payload?.[MARK] === expected.mark) return;
  throw fail("other vectors than the table, or not all of them were sent");
}

/**
 * Opens a collection that `fillQdrant` made; throws `DataError` where it does not hold what is `expected`.
 * The server's index is approximate: near images may be missed.
 */
export async function qdrantStore(place: QdrantPlace, expected: Expected): Promise<VectorStore> {
  const api = apiOf(place);
  const info = (await found(api, pathOf(place))) as Info | undefined;
  if (info === undefined) {
    throw new DataError(
      `qdrant: there is no collection ${JSON.stringify(place.collection)} at ${place.url}`,
      "make it first: contrapose index NAME --store qdrant",
    );
  }
  const counted = await api("POST", `${pathOf(place)}/points/count`, { exact: true });
  const { count } = counted as { count: number };
  await checkHeld(api, place, count, expected);
  const dimension = info.config.params.vectors.size ?? 0;
  return {
    ...{ kind: "qdrant", count, dimension },
    async search(queries, { k, where }) {
      checkWidth(queries.dimension, dimension);
      const filter = where === undefined ? {} : { filter: qdrantFilter(where) };
      const options = { limit: Math.max(1, k), with_payload: true, ...filter };
      const hits: Hit[][] = [];
      for (let first = 0; first < queries.count; first += ASKED) {
        const searches = rowsOf(queries, first).map((query) => ({ query, ...options }));
        const replies = await api("POST", `${pathOf(place)}/points/query/batch`, { searches });
        hits.push(...(replies as { points: Point[] }[]).map(({ points }) => points.map(hitOf)));
      }
      return hits;
    },
    async vectorOf(id) {
      const filter = { must: [{ key: "id", match: { value: id } }] };
      const body = { filter, limit: 1, with_vector: true };
      const { points } = (await api("POST", `${pathOf(place)}/points/scroll`, body)) as {
        points: Point[];
      };
      const vector = points.at(0)?.vector;
      return vector === undefined ? undefined : Float32Array.from(vector);
    },
    close: async () => undefined,
  };
}

function rowsOf({ data, count, dimension }: Features, first: number): number[][] {
  const rows = Math.min(ASKED, count - first);
  return Array.from({ length: rows }, (_, i) =>
    Array.from(data.subarray((first + i) * dimension, (first + i + 1) * dimension)),
  );
}
