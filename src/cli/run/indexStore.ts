import { existsSync, statSync } from "node:fs";

import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { lock } from "../../files/index.ts";
import type { Features } from "../../metrics/index.ts";
import {
  buildDuckdb,
  collectionName,
  databasePath,
  exactStore,
  fillQdrant,
  openStore,
  readEmbeddings,
  shownAddress,
  type StoreKind,
  storeKinds,
  tablePath,
  type VectorStore,
} from "../../store/index.ts";
import { counted, duration } from "../format.ts";
import type { Printer } from "../printer.ts";
import type { Answer, Call } from "../verb.ts";
import { progressOf } from "../common/images.ts";
import { embeddingsOf, placeOf } from "./search.ts";
import { valueReader } from "../common/values.ts";

type Made = { database?: string; bytes?: number; url?: string; collection?: string };

async function intoDuckdb(table: string, overwrite: boolean, printer: Printer): Promise<Made> {
  const database = databasePath(table);
  if (existsSync(database)) {
    if (!overwrite) {
      throw new ConfigError(`index: ${quoted(database)} exists`, "say --overwrite");
    }
  }
  const held = await lock(database, {
    what: `index: ${quoted(database)} is being written`,
    note: (text) => printer.note(`note       ${text}`),
  });
  await buildDuckdb(table, database).finally(() => held.release());
  return { database, bytes: statSync(database).size };
}

const first = ({ data, dimension }: Features): Features => ({
  data: data.slice(0, dimension),
  count: 1,
  dimension,
});

async function secondsOf(store: VectorStore, query: Features): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    await store.search(query, { k: 10 });
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[2];
}

/** Puts embeddings into a store, and measures a query there. */
export async function runIndex(call: Call): Promise<Answer> {
  const { options, printer } = call;
  const values = valueReader("index", options);
  const kind: StoreKind = values.oneOf("store", storeKinds) ?? "duckdb";
  values.check();
  const name = embeddingsOf(call);
  const table = tablePath(name);
  const embeddings = await readEmbeddings(name); // checks every vector
  const place = { collection: collectionName(table), ...placeOf(values) };
  const overwrite = options.overwrite === true;
  const started = performance.now();
  let made: Made = {};
  if (kind === "duckdb") made = await intoDuckdb(table, overwrite, printer);
  if (kind === "qdrant") {
    const show = progressOf(call);
    await fillQdrant(place, embeddings, overwrite, {
      progress: (done, total) => show("sending", done, total),
      signal: call.signal,
    });
    made = { url: shownAddress(place.url), collection: place.collection };
  }
  const store =
    kind === "exact" ? exactStore(embeddings) : await openStore(kind, name, place, call.signal);
  const seconds = (performance.now() - started) / 1000;
  const query = await secondsOf(store, first(embeddings.features));
  await store.close();
  const where = made.database ?? made.collection ?? "memory";
  printer.say(
    `indexed    ${counted(store.count, "vector")} of ${store.dimension} numbers in ${duration(seconds)}: ${where}`,
  );
  printer.say(`query      ${query.toFixed(2)} ms for the 10 nearest, the median of five`);
  return {
    store: kind,
    vectors: store.count,
    dimension: store.dimension,
    seconds,
    milliseconds: query,
    ...made,
  };
}
