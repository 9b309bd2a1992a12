import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { randomStream } from "../core/random.ts";
import { writeParquet } from "../files/index.ts";
import { nearestNeighbours } from "../metrics/index.ts";
import {
  buildDuckdb,
  duckdbStore,
  type EmbeddedImage,
  type Embeddings,
  exactStore,
  fillQdrant,
  matching,
  parseFilter,
  qdrantStore,
  readEmbeddings,
  type VectorStore,
  writeEmbeddings,
} from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-store-"));
const table = join(folder, "e.parquet");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function someEmbeddings(count: number, dimension: number, seed = 0): Embeddings {
  const stream = randomStream(seed, "store");
  const kinds = ["shoe", "shirt", "it's", undefined];
  const images = Array.from({ length: count }, (_, i): EmbeddedImage => {
    const id = `${kinds[i % 4] ?? "none"}/${i}.png`;
    const size = { width: 100 + 10 * (i % 30), height: 50 + (i % 7) };
    return { id, path: id, label: kinds[i % 4], group: i, ...size, content: `c${i}` };
  });
  const data = Float32Array.from({ length: count * dimension }, () => stream.uniform(-1, 1));
  return { images, features: { data, count, dimension }, facts: { encoderHash: "h" } };
}

const embeddings = someEmbeddings(300, 13);
const queries = someEmbeddings(5, 13, 1).features;
const duckdb = await import("@duckdb/node-api").then(
  () => true,
  () => false,
);

beforeAll(async () => {
  await writeEmbeddings({ parquet: table }, embeddings);
});

describe("a table of embeddings", () => {
  test("comes back as it was, from Parquet or from the npy beside it", async () => {
    expect(await readEmbeddings(table)).toMatchObject({
      images: embeddings.images,
      features: embeddings.features,
    });
    const base = join(folder, "both");
    const files = { parquet: `${base}.parquet`, npy: `${base}.npy`, names: `${base}.names.txt` };
    await writeEmbeddings(files, embeddings);
    expect((await readEmbeddings(base)).features).toEqual(embeddings.features);
    const other = someEmbeddings(300, 13, 2);
    await writeEmbeddings({ npy: files.npy }, other); // not the table's any more
    expect((await readEmbeddings(base)).features).toEqual(embeddings.features);
  });

  test("is there first where it is new, and last where it is replaced", async () => {
    const [parquet, npy] = [join(folder, "first.parquet"), join(folder, "first.npy")];
    mkdirSync(npy); // no file can be put there
    await expect(writeEmbeddings({ parquet, npy }, embeddings)).rejects.toThrow("it is a folder");
    expect((await readEmbeddings(parquet)).features).toEqual(embeddings.features);
    const other = someEmbeddings(300, 13, 2);
    await expect(writeEmbeddings({ parquet, npy }, other)).rejects.toThrow("it is a folder");
    expect((await readEmbeddings(parquet)).features).toEqual(embeddings.features);
  });
});

describe("a table that cannot be used", () => {
  const columns = [
    { name: "id", type: "string" },
    { name: "vector", type: "vector" },
  ] as const;

  test("is told by its checksum where a number of a vector has changed, by DuckDB too", async () => {
    const damaged = join(folder, "damaged.parquet");
    const bytes = readFileSync(table);
    const row = embeddings.features.data.slice(13 * 7, 13 * 8);
    const at = bytes.indexOf(Buffer.from(row.buffer));
    bytes[at + 5] ^= 1;
    writeFileSync(damaged, bytes);
    const isTold = /damaged.parquet" is damaged: its rows have the checksum/;
    await expect(readEmbeddings(damaged)).rejects.toThrow(isTold);
    if (duckdb) await expect(duckdbStore(damaged)).rejects.toThrow(isTold);
  });

  test("holds what is no finite number; such vectors are not written either", async () => {
    const path = join(folder, "nan.parquet");
    const rows = [
      { id: "a", vector: [1, 2] },
      { id: "b", vector: [1, NaN] },
    ];
    await writeParquet(path, columns, rows);
    await expect(readEmbeddings(path)).rejects.toThrow(
      "column of vectors holds NaN in row 1, column 1, expected finite numbers",
    );
    const { images, facts } = someEmbeddings(2, 1);
    const features = { data: Float32Array.of(1, Infinity), count: 2, dimension: 1 };
    const parquet = join(folder, "infinite.parquet");
    await expect(writeEmbeddings({ parquet }, { images, facts, features })).rejects.toThrow(
      "embed: vectors holds Infinity in row 1",
    );
    expect(existsSync(parquet)).toBe(false);
  });
});

describe("exact search", () => {
  test("finds what exhaustive search finds, whatever the sizes", async () => {
    const sizes = fc.record({
      count: fc.integer({ min: 1, max: 1200 }),
      dimension: fc.integer({ min: 1, max: 40 }),
      asked: fc.integer({ min: 1, max: 70 }),
      k: fc.integer({ min: 1, max: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ count, dimension, asked, k }) => {
        const base = someEmbeddings(count, dimension);
        const query = someEmbeddings(asked, dimension, 5).features;
        const hits = await exactStore(base).search(query, { k });
        const expected = nearestNeighbours(query, base.features, k);
        const found = hits.map((list) => list.map(({ image }) => image.group)).flat();
        expect(found).toEqual(Array.from(expected.indices));
      }),
      { numRuns: 25, seed: 3 },
    );
  });

  test("is cosine similarity, 1 for a vector itself", async () => {
    const store = exactStore(embeddings);
    const vector = (await store.vectorOf("shirt/1.png"))!;
    const query = { data: vector.map((x) => 7 * x), count: 1, dimension: 13 };
    const [[first]] = await store.search(query, { k: 1 });
    expect(first.image.id).toBe("shirt/1.png");
    expect(first.similarity).toBeCloseTo(1, 6);
    expect(await store.vectorOf("nobody")).toBeUndefined();
  });

  test("leaves out what a condition leaves out, and gives fewer where there are fewer", async () => {
    const store = exactStore(embeddings);
    const where = parseFilter("label = 'shoe' and width > 370");
    const [hits] = await store.search(queries, { k: 100, where });
    expect(hits.length).toBe(5);
    expect(hits.every(({ image }) => image.label === "shoe" && image.width > 370)).toBe(true);
    const nobody = parseFilter("label = 'nobody'");
    expect(await store.search(queries, { k: 3, where: nobody })).toEqual([[], [], [], [], []]);
  });
});

describe("conditions", () => {
  const rows = embeddings.images;
  const ids = (source: string) => {
    const found = matching(parseFilter(source), rows);
    return rows.filter((_, i) => found[i] === 1).map(({ group }) => group);
  };

  test("mean what they mean in SQL", () => {
    expect(ids("group in (1, 2)")).toEqual([1, 2]);
    expect(ids("group between 3 and 5 and not group = 4")).toEqual([3, 5]);
    expect(ids("LABEL = 'it''s' AND group < 8")).toEqual([2, 6]);
    expect(ids(`"group" <= 1 or group >= 299`)).toEqual([0, 1, 299]);
    expect(ids("id like 'shoe/1_.png'")).toEqual([12, 16]);
    expect(ids("label is null and group < 9")).toEqual([3, 7]);
    expect(ids("not (label = 'shoe') and group < 5")).toEqual([1, 2]); // a missing label is neither
    expect(ids("label is not null and group < 4")).toEqual([0, 1, 2]);
  });

  test("say where they go wrong", () => {
    const error = (source: string) => {
      try {
        parseFilter(source);
        return "";
      } catch (caught) {
        return (caught as Error).message;
      }
    };
    expect(error("label = shoe")).toBe(
      '--where: expected a text in single quotes at "shoe" in "label = shoe"',
    );
    expect(error("width > 'a'")).toContain("expected a number at");
    expect(error("labl = 'a'")).toContain('"labl" is no column, expected one of id, path, label');
    expect(error("width")).toContain("expected a comparison as =, < or like at the end");
    expect(error("(width > 1")).toContain("expected ) at the end");
    expect(error("width > 1 label = 'a'")).toContain("expected and, or, or the end at");
    expect(error("width > 1; drop table images")).toContain('at "; drop table');
    expect(error("")).toContain("expected a column at the end");
    expect(error("constructor = 'a'")).toContain('"constructor" is no column');
    expect(error(`"__proto__" = 'a'`)).toContain('"__proto__" is no column');
    expect(error("(".repeat(50_000))).toContain("at most 100 parentheses in each other");
    expect(error("not ".repeat(20_000))).toContain("at most 100 parentheses in each other");
    expect(error(`id like '${"%a".repeat(501)}'`)).toContain("at most 1000 characters");
    expect(error("group = 99999999999999999999")).toContain("a number of at most 1000000000000000");
    expect(error(" ".repeat(100_001))).toContain("100001 characters, expected at most 100000");
    expect(error(`${"x".repeat(9000)} = 1`).length).toBeLessThan(400);
  });

  test("take time that grows with texts and pattern, whatever they are", () => {
    const text = "a".repeat(5000);
    const row = { id: text, path: `${text}b`, label: "\n𝒳" };
    const holds = (source: string) => matching(parseFilter(source), [row])[0] === 1;
    const parts = "%a".repeat(400);
    expect(holds(`id like '${parts}%b'`)).toBe(false);
    expect(holds(`path like '${parts}%b'`)).toBe(true);
    expect(holds(`id like '%${"_a".repeat(300)}b%'`)).toBe(false);
    expect(holds("label like '__' and not label like '___' and label like '%𝒳'")).toBe(true);
    const many = Array.from({ length: 5000 }, (_, i) => i).join(", ");
    expect(holds(`group in (${many}) or width not in (${many}) or id = 'b'`)).toBe(false);
  });
});

describe.skipIf(!duckdb)("DuckDB (needs @duckdb/node-api)", () => {
  const conditions = [
    undefined,
    "label = 'shoe' and width > 200",
    "not (label = 'shoe')",
    "label is null or width between 150 and 180",
    "label in ('it''s', 'shirt') and not id like '%1.png'",
    "not (width > 200 and label = 'shirt')",
  ];
  const same = async (store: VectorStore) => {
    const exact = exactStore(embeddings);
    expect([store.count, store.dimension]).toEqual([300, 13]);
    for (const source of conditions) {
      const where = source === undefined ? undefined : parseFilter(source);
      const [theirs, ours] = [
        await store.search(queries, { k: 7, where }),
        await exact.search(queries, { k: 7, where }),
      ];
      expect(theirs.map((hits) => hits.map(({ image }) => image.id))).toEqual(
        ours.map((hits) => hits.map(({ image }) => image.id)),
      );
      theirs.flat().forEach(({ similarity, image }, i) => {
        expect(similarity).toBeCloseTo(ours.flat()[i].similarity, 5);
        expect({ ...image, content: "" }).toEqual({ ...ours.flat()[i].image, content: "" });
      });
    }
    expect(await store.vectorOf("it's/2.png")).toEqual(await exact.vectorOf("it's/2.png"));
    await store.close();
  };

  test("gives what exact search gives, over the Parquet file", async () => {
    await same(await duckdbStore(table));
  });

  test("takes every condition as exact search does", async () => {
    const texts = ["", "a", "it's", "Ä", "a_b", "50%", "\uffee", "𝒳", "a\nb", "__proto__", "b\\"];
    const images = texts.map((text, i): EmbeddedImage => ({
      id: `${i}/${text}`,
      path: text,
      label: i % 3 ? text : undefined,
      content: "",
      group: i - 3,
      width: i % 4,
      height: -(2 ** 31),
    }));
    const features = {
      data: new Float32Array(texts.length).fill(1),
      count: texts.length,
      dimension: 1,
    };
    const path = join(folder, "conditions.parquet");
    await writeEmbeddings({ parquet: path }, { images, features, facts: {} });
    const [exact, store] = [exactStore({ images, features, facts: {} }), await duckdbStore(path)];
    const number = fc.constantFrom("0", "-1", "2", "1.5", "-2147483648", "99999999999");
    const text = fc
      .constantFrom(...texts, "%", "_", "%_b%")
      .map((one) => `'${one.replaceAll("'", "''")}'`);
    const operator = fc.constantFrom("=", "!=", "<>", "<", "<=", ">", ">=");
    const words = fc.constantFrom("id", "path", "label");
    const numbers = fc.constantFrom('"group"', "WIDTH", "height");
    const simple = fc.oneof(
      fc.tuple(words, operator, text).map((parts) => parts.join(" ")),
      fc.tuple(numbers, operator, number).map((parts) => parts.join(" ")),
      fc.tuple(words, fc.constantFrom("", "not"), text).map(([a, b, c]) => `${a} ${b} like ${c}`),
      fc.tuple(words, text, text).map(([a, b, c]) => `${a} in (${b}, ${c})`),
      fc.tuple(numbers, number, number).map(([a, b, c]) => `${a} not between ${b} and ${c}`),
      fc.tuple(words, fc.constantFrom("", "not")).map(([a, b]) => `${a} is ${b} null`),
    );
    const { either } = fc.letrec<{ either: string }>((tie) => ({
      either: fc.oneof(
        { depthSize: "small" },
        simple,
        tie("either").map((one) => `not (${one})`),
        fc
          .tuple(tie("either"), fc.constantFrom("and", "or"), tie("either"))
          .map((parts) => `(${parts.join(" ")})`),
      ),
    }));
    const query = { data: Float32Array.of(1), count: 1, dimension: 1 };
    await fc.assert(
      fc.asyncProperty(either, async (source) => {
        const asked = { k: 20, where: parseFilter(source) };
        const [[ours], [theirs]] = [
          await exact.search(query, asked),
          await store.search(query, asked),
        ];
        expect(theirs.map(({ image }) => image)).toEqual(ours.map(({ image }) => image));
      }),
      { numRuns: 150, seed: 11 },
    );
    const long = parseFilter(Array.from({ length: 3000 }, (_, i) => `width = ${i}`).join(" or "));
    expect((await store.search(query, { k: 20, where: long }))[0].length).toBe(texts.length);
    await store.close();
  });

  test("gives the same from a database built of it", async () => {
    const database = join(folder, "e.duckdb");
    await buildDuckdb(table, database);
    await same(await duckdbStore(database));
  });

  const copy = async (rows: string, path: string, options = "") => {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(`copy (${rows}) to '${path}' (format parquet ${options})`);
    connection.closeSync();
  };

  test("reads the table of that very name, whatever signs are in it", async () => {
    const odd = join(folder, "label=x", "a*[b]{c,d}");
    mkdirSync(odd, { recursive: true });
    const names = ["e*.parquet", "e1.parquet", "[e]1.parquet", "e?.parquet", 'it\'s "e".parquet'];
    for (const [i, name] of [...names, "~e.parquet", "{e1,e2}.parquet"].entries()) {
      const one = someEmbeddings(i + 1, 2);
      const parquet = join(odd, name);
      await writeEmbeddings({ parquet }, one);
      await buildDuckdb(parquet, `${parquet}.duckdb`);
      for (const path of [parquet, relative(".", parquet), `${parquet}.duckdb`]) {
        const store = await duckdbStore(path);
        expect(store.count, path).toBe(i + 1);
        const [[hit]] = await store.search(someEmbeddings(1, 2).features, { k: 1 });
        expect(hit.image.label).toBe("shoe"); // not of the folder's name
        await store.close();
      }
    }
  });

  test("refuses what exact search refuses", async () => {
    const path = join(folder, "refused.parquet");
    const table = (rows: string, columns: string) => `select * from (values ${rows}) t(${columns})`;
    for (const [rows, columns, exact, theirs] of [
      [
        "('a', [1.0::float]), ('a', [2])",
        "id, vector",
        'rows 0 and 1 have one id, "a"',
        "2 rows have 1 ids",
      ],
      [
        "('a', [1.0::float]), (null, [2])",
        "id, vector",
        "row 1 has no id",
        "1 of 2 rows have no id",
      ],
      ["('a', ['nan'::float])", "id, vector", "holds NaN in row 0", "hold what is no number"],
      [
        "('a', ['-inf'::float])",
        "id, vector",
        "holds -Infinity in row 0",
        "hold what is no number",
      ],
      [
        "('a', [1.0::float]), ('b', null)",
        "id, vector",
        "row 1 has no vector",
        "hold what is no number",
      ],
      [
        "('a', [1::float, null])",
        "id, vector",
        "holds NaN in row 0, column 1",
        "hold what is no number",
      ],
    ]) {
      await copy(table(rows, columns), path);
      await expect(readEmbeddings(path), rows).rejects.toThrow(exact);
      await expect(duckdbStore(path), rows).rejects.toThrow(theirs);
    }
    await copy(table("('a', [1], 2.5::double)", 'id, vector, "group"'), path);
    await expect(readEmbeddings(path)).rejects.toThrow("row 0 has the group 2.5, expected a whole");
    await copy(table("(7, 3, [1.5::float])", "id, label, vector"), path);
    const [ours] = (await readEmbeddings(path)).images;
    expect(ours).toMatchObject({ id: "7", label: "3" });
    const store = await duckdbStore(path);
    const [[hit]] = await store.search(
      { data: Float32Array.of(1), count: 1, dimension: 1 },
      { k: 1 },
    );
    expect(hit.image).toEqual(ours);
    await store.close();
  });

  test("fills in what a table of another program lacks, as exact search does", async () => {
    const path = join(folder, "bare.parquet");
    const rows = [0, 1, 2].map((i) => ({ path: `${i}.png`, embedding: [1, i] }));
    const columns = [
      { name: "path", type: "string" },
      { name: "embedding", type: "vector" },
    ] as const;
    await writeParquet(path, columns, rows);
    const [exact, store] = [exactStore(await readEmbeddings(path)), await duckdbStore(path)];
    const query = { data: Float32Array.of(1, 3), count: 1, dimension: 2 };
    const where = parseFilter("group < 2 and width = 0 and label is null");
    const [[ours], [theirs]] = [
      await exact.search(query, { k: 3, where }),
      await store.search(query, { k: 3, where }),
    ];
    expect(ours.map(({ image }) => image.id)).toEqual(["1.png", "0.png"]);
    expect(theirs.map(({ image }) => image)).toEqual(ours.map(({ image }) => image));
    await store.close();
  });

  test("says what is wrong with a table, and DuckDB's own words where it is not one of ours", async () => {
    const path = join(folder, "wrong.parquet");
    const vectors = (list: string) => `select * from (values ${list}) t(id, vector)`;
    await copy(vectors("('a', [1, 2]::float[]), ('b', [1]::float[])"), path);
    await expect(duckdbStore(path)).rejects.toThrow(/DuckDB cannot read it: .*2/);
    const gone = join(folder, "gone.parquet");
    await writeEmbeddings({ parquet: gone }, embeddings);
    const store = await duckdbStore(gone);
    rmSync(gone);
    await expect(store.search(queries, { k: 3 })).rejects.toThrow(/DuckDB cannot read it: .*gone/);
    await expect(store.vectorOf("b")).rejects.toThrow(/DuckDB cannot read it: .*gone/);
    await store.close();
    await copy(`${vectors("('a', [1, 2]::float[])")} where id = 'b'`, path);
    const nobody = `${JSON.stringify(path)} holds no image, expected one at least`;
    await expect(duckdbStore(path)).rejects.toThrow(nobody);
    await expect(readEmbeddings(path)).rejects.toThrow(nobody);
  });

  test("its files are read but for what they cannot hold", async () => {
    const path = join(folder, "theirs.parquet");
    const two =
      "select * from (values ('a', [1, 2]::float[]), ('b', [3, 4]::float[])) t(id, vector)";
    await copy(two, path, ", kv_metadata {vectors: 'of other rows'}");
    const { features } = await readEmbeddings(path); // that checksum is not taken for its own
    expect(Array.from(features.data)).toEqual([1, 2, 3, 4]);
    await copy(two, path, ", compression zstd");
    await expect(readEmbeddings(path)).rejects.toThrow(
      "is compressed with ZSTD, expected SNAPPY or no compression",
    );
    await copy("select 'a' as id, [1, null]::float[] as vector", path);
    await expect(readEmbeddings(path)).rejects.toThrow("holds NaN in row 0, column 1");
  });

  test("answers questions in SQL, and says what is wrong with one", async () => {
    const store = await duckdbStore(table);
    const counts = await store.query("select histogram(label) as n from images where label > 'k'");
    expect(counts[0].n).toEqual([
      { key: "shirt", value: 75 },
      { key: "shoe", value: 75 },
    ]);
    const sql = `select label, count(*) as n from images group by label order by label`;
    expect((await store.query(sql))[0]).toEqual({ label: "it's", n: 75 });
    await expect(store.query("select nothing from images")).rejects.toThrow(/--sql: .*nothing/);
    await store.close();
  });
});

type Exchange = {
  method: string;
  path: string;
  body?: unknown;
  status: number;
  reply: unknown;
};

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  let text = "";
  for await (const piece of request) text += String(piece);
  return text === "" ? undefined : JSON.parse(text);
};

/** A server that answers as recorded, and remembers what it was asked out of turn. */
async function replay(exchange: Exchange[], use: (url: string) => Promise<void>) {
  const rest = [...exchange];
  const odd: unknown[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const expected = rest.shift();
      const asked = { method: request.method, path: request.url, body };
      const { method, path, body: wanted } = expected ?? {};
      try {
        expect(asked).toEqual({ method, path, body: wanted });
      } catch (error) {
        odd.push((error as Error).message);
      }
      response.writeHead(expected?.status ?? 500, { "content-type": "application/json" });
      response.end(JSON.stringify(expected?.reply ?? {}));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(odd).toEqual([]);
    expect(rest).toEqual([]);
  } finally {
    server.close();
  }
}

describe("Qdrant, against an exchange written down from its documentation (no server was at hand)", () => {
  const file = new URL("../../test/cases/qdrant.json", import.meta.url);
  const recorded = JSON.parse(readFileSync(file, "utf8")) as Record<string, Exchange[]>;
  const three: Embeddings = {
    images: [0, 1, 2].map((i) => ({
      id: `${i}.png`,
      path: `${i}.png`,
      group: i,
      width: 100 * i,
      height: 50,
      content: "c",
      label: i === 2 ? undefined : "shoe",
    })),
    features: { data: Float32Array.from([1, 0, 0, 1, 0.5, 0.5]), count: 3, dimension: 2 },
    facts: { vectors: "5d1e", encoderHash: "h" },
  };
  const expected = { count: 3, mark: "5d1e h" };
  const one = { data: Float32Array.from([1, 0]), count: 1, dimension: 2 };

  test("a collection is made and filled", async () => {
    await replay(recorded.fill, (url) => fillQdrant({ url, collection: "photos" }, three, false));
  });

  test("one that exists is replaced only where that is asked for", async () => {
    await replay(recorded.refuse, async (url) => {
      await expect(fillQdrant({ url, collection: "photos" }, three, false)).rejects.toThrow(
        'the collection "photos" exists',
      );
    });
  });

  test("a search asks with a filter and reads hits", async () => {
    await replay(recorded.search, async (url) => {
      const store = await qdrantStore({ url, collection: "photos" }, expected);
      expect([store.count, store.dimension]).toEqual([3, 2]);
      const where = parseFilter("label = 'shoe' and not width > 200 and label != 'x'");
      const [hits] = await store.search(one, { k: 2, where });
      expect(hits.map(({ image }) => image.id)).toEqual(["0.png", "1.png"]);
      expect(hits[0]).toMatchObject({ similarity: 1, image: { label: "shoe", width: 0 } });
      expect(await store.vectorOf("1.png")).toEqual(Float32Array.from([0, 1]));
      const wide = { data: new Float32Array(3), count: 1, dimension: 3 };
      await expect(store.search(wide, { k: 1 })).rejects.toThrow("the query has 3 numbers");
    });
  });

  test("what fails says why", async () => {
    await replay(recorded.missing, async (url) => {
      await expect(qdrantStore({ url, collection: "nothing" }, expected)).rejects.toThrow(
        'there is no collection "nothing"',
      );
      await expect(qdrantStore({ url, collection: "broken" }, expected)).rejects.toThrow(
        /failed with status 500: "out of memory"/,
      );
    });
    const nowhere = { url: "http://127.0.0.1:1", collection: "a" };
    await expect(qdrantStore(nowhere, expected)).rejects.toThrow(
      "qdrant: no answer from http://127.0.0.1:1",
    );
  });

  test("a collection that holds something else than the table is refused", async () => {
    await replay(recorded.held, async (url) => {
      for (const holds of [
        "holds no vector, expected one at least",
        "holds 2 vectors, expected 3 as in the table",
        "holds other vectors than the table", // another mark
        "or not all of them were sent", // no mark
      ]) {
        const opened = qdrantStore({ url, collection: "photos" }, expected);
        await expect(opened).rejects.toThrow(holds);
      }
    });
  });
});
