import { existsSync } from "node:fs";
import { basename } from "node:path";

import { harmless, quoted } from "../../core/quote.ts";
import { ConfigError } from "../../core/errors.ts";
import { writeFileAtomic } from "../../files/index.ts";
import type { Conversion } from "../../data/index.ts";
import type { Features } from "../../metrics/index.ts";
import { renderSearch, type Shown } from "../../report/index.ts";
import {
  type DuckdbStore,
  type Hit,
  openStore,
  parseFilter,
  readEmbeddedImages,
  type StoreKind,
  storeKinds,
  type VectorStore,
} from "../../store/index.ts";
import { counted, leftColumns } from "../format.ts";
import type { Answer, Call, OptionValues } from "../verb.ts";
import { openPictures, type Pictures, thumbnailSource } from "../common/pictures.ts";
import { embedFile, openEncoderOf } from "../../evaluate/queryImage.ts";
import { pagePath } from "../common/resultPage.ts";
import { valueReader, type ValueReader } from "../common/values.ts";
import { sayZeros } from "../common/zeroVectors.ts";

/** Where a Qdrant server is, as given; its key comes from the environment. */
export const placeOf = (values: ValueReader) => ({
  url: values.text("url") ?? "http://localhost:6333",
  apiKey: process.env.QDRANT_API_KEY,
  ...(values.text("collection") === undefined ? {} : { collection: values.text("collection")! }),
});

/** The embeddings that a call names. */
export const embeddingsOf = ({ words }: Call): string => words[0] ?? "embeddings";

type Query = {
  features: Features;
  shown: Shown;
  milliseconds?: number;
  converted?: readonly Conversion[]; // what was done to the pixels of a file
};

/** The picture that is asked with: a file, or an image of the set. */
async function queryOf(call: Call, store: VectorStore, pictures: Pictures, table: Table) {
  const values = valueReader("search", call.options);
  const [file, id] = [values.text("image"), values.text("id")];
  if (id !== undefined) {
    const image = table.images.find((one) => one.id === id);
    const vector = await store.vectorOf(id);
    if (image === undefined || vector === undefined) {
      throw new ConfigError(
        `--id: there is no image ${quoted(id)} in ${quoted(table.path)}`,
        "ids are those of the column id",
      );
    }
    const features = { data: vector, count: 1, dimension: vector.length };
    return { features, shown: await pictures.shown(image, table.path) } satisfies Query;
  }
  const encoder = await openEncoderOf(table.facts, {
    path: values.text("encoder"),
    device: values.text("device"),
    threads: values.number("threads"),
  });
  try {
    const started = performance.now();
    const places = { facts: table.facts, dataset: pictures.dataset };
    const { image, features, conversions } = await embedFile(file!, encoder, places);
    if (conversions.length > 0) {
      call.printer.note(`query      ${conversions.map(({ what }) => what).join("; ")}`);
    }
    const shown = { path: basename(file!), source: await thumbnailSource(image) };
    const milliseconds = performance.now() - started;
    return { features, shown, milliseconds, converted: conversions } satisfies Query;
  } finally {
    await encoder.dispose();
  }
}

type Table = Awaited<ReturnType<typeof readEmbeddedImages>>;

const plain = ({ image, similarity }: Hit) => {
  const { id, path, label, group, width, height } = image;
  return { id, path, label: label ?? null, group, width, height, similarity };
};

/** Refuses options that a question would leave aside without a word. */
function refuseBeside(question: string, options: OptionValues, names: readonly string[]): void {
  const given = names.filter((name) => options[name] !== undefined);
  if (given.length === 0) return;
  const flags = given.map((name) => `--${name}`).join(", ");
  throw new ConfigError(`search: ${question} is answered without ${flags}`, `leave out ${flags}`);
}

function checkWhat(options: OptionValues): void {
  const { image, id, sql, store } = options;
  const given = [image, id, sql].filter((value) => value !== undefined).length;
  if (given !== 1) {
    const what = given === 0 ? "what to ask with is missing" : "it is asked in two ways at once";
    throw new ConfigError(
      `search: ${what}, expected one of --image, --id and --sql`,
      "as in contrapose search --image photo.jpg",
    );
  }
  if (id !== undefined) refuseBeside("--id", options, ["encoder"]);
  if (sql === undefined) return;
  const others = store === "duckdb" ? [] : ["store"]; // which answers it
  refuseBeside("--sql", options, ["k", "where", "encoder", "out", ...others]);
}

const cellOf = (value: unknown): string =>
  typeof value === "string" ? harmless(value) : value === null ? "" : JSON.stringify(value);

async function answerSql(call: Call, name: string, sql: string): Promise<Answer> {
  const store = (await openStore("duckdb", name, {}, call.signal)) as DuckdbStore;
  try {
    const rows = await store.query(sql);
    const names = Object.keys(rows.at(0) ?? {});
    const shown = rows.map((row) => names.map((column) => cellOf(row[column])));
    for (const line of rows.length === 0 ? [] : leftColumns([names, ...shown])) {
      call.printer.say(line);
    }
    return { rows };
  } finally {
    await store.close();
  }
}

const digits = (milliseconds: number) => milliseconds.toFixed(milliseconds < 10 ? 2 : 0);

function sayHits(hits: readonly Hit[], { printer }: Call): void {
  const rows = hits.map(({ image, similarity }, i) => [
    `${i + 1}`,
    similarity.toFixed(3),
    harmless(image.label ?? ""),
    harmless(image.id),
  ]);
  for (const line of rows.length === 0 ? [] : leftColumns(rows)) printer.say(line);
}

async function writePage(
  page: string,
  query: Shown,
  hits: readonly Hit[],
  {
    pictures,
    condition,
    seconds,
  }: { pictures: Pictures; condition?: string | undefined; seconds: string },
): Promise<void> {
  const shown: Shown[] = [];
  for (const { image, similarity } of hits) {
    shown.push(await pictures.shown(image, page, { similarity }));
  }
  const facts = [{ name: "searched", value: seconds }];
  await writeFileAtomic(page, renderSearch({ query, hits: shown, condition, facts }));
}

/** Finds the images nearest to one. */
export async function runSearch(call: Call): Promise<Answer> {
  const { options, printer } = call;
  const values = valueReader("search", options);
  const kind: StoreKind = values.oneOf("store", storeKinds) ?? "exact";
  const k = values.number("k", { whole: true, least: 1, most: 10_000 }) ?? 24;
  values.number("threads", { whole: true, least: 1, most: 1024 });
  values.check();
  checkWhat(options);
  const name = embeddingsOf(call);
  const sql = values.text("sql");
  if (sql !== undefined) return answerSql(call, name, sql);
  const condition = values.text("where");
  const where = condition === undefined ? undefined : parseFilter(condition);
  const file = values.text("image");
  if (file !== undefined && !existsSync(file)) {
    throw new ConfigError(`--image: ${quoted(file)} does not exist`);
  }
  const table = await readEmbeddedImages(name);
  const page = pagePath("search", values, {
    beside: table.path,
    overwrite: options.overwrite === true,
  });
  const opened = performance.now();
  const store = await openStore(kind, name, placeOf(values), call.signal);
  const opening = performance.now() - opened;
  const pictures = await openPictures(table.facts);
  try {
    const query = await queryOf(call, store, pictures, table);
    sayZeros(query.features, call);
    const started = performance.now();
    const [hits] = await store.search(query.features, { k, where });
    const milliseconds = performance.now() - started;
    sayHits(hits, call);
    const seconds = `${counted(store.count, "vector")} in ${digits(milliseconds)} ms`;
    await writePage(page, query.shown, hits, { pictures, condition, seconds });
    printer.say();
    printer.say(`searched   ${seconds} (${kind}; opened in ${digits(opening)} ms)`);
    printer.say(`page       ${page}`);
    const times = { opening, search: milliseconds, embedding: query.milliseconds ?? 0 };
    return {
      query: file ?? values.text("id"),
      store: kind,
      vectors: store.count,
      converted: query.converted ?? [],
      milliseconds: times,
      hits: hits.map(plain),
      page,
    };
  } finally {
    pictures.close();
    await store.close();
  }
}
