// Search beside what a user would take instead: time and recall against exact search, memory, build time.
// npm run build && node bench/search.mjs [--counts 10000,100000,1000000] [--dimension 128] [--batch 100] [--k 10]
//   [--clusters 1000] [--repeats 5]
// Vectors lie in clusters, as embeddings do; queries are new members of them. Every engine runs in a process of its own,
// so that its memory is its own: what is resident more after building than before, garbage collected. usearch is measured
// where it is installed (npm install --no-save usearch@2.25.3), DuckDB's own distance where @duckdb/node-api is; it
// builds its table from a Parquet file.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { randomStream } from "../dist/core/index.js";
import { writeParquet } from "../dist/files/index.js";
import { residentRows } from "../dist/metrics/index.js";

const { values } = parseArgs({
  options: {
    counts: { type: "string", default: "10000,100000,1000000" },
    dimension: { type: "string", default: "128" },
    batch: { type: "string", default: "100" },
    k: { type: "string", default: "10" },
    clusters: { type: "string", default: "1000" },
    repeats: { type: "string", default: "5" },
    engine: { type: "string" }, // for a process of one engine, with the one count and the table it reads
    table: { type: "string" },
  },
});
const [dimension, batch, k, clusters, repeats] = [
  ...[values.dimension, values.batch, values.k, values.clusters, values.repeats].map(Number),
];

const normal = (stream) =>
  Math.sqrt(-2 * Math.log(1 - stream.uniform(0, 1))) * Math.cos(stream.uniform(0, 2 * Math.PI));

/** Unit vectors around random centres: the `kind` of those of a set of `count`. */
function vectors(kind, count, set) {
  const around = randomStream(0, "centres", set);
  const centres = Float32Array.from({ length: clusters * dimension }, () => normal(around));
  const stream = randomStream(0, kind, set);
  const data = new Float32Array(count * dimension);
  for (let i = 0; i < count; i++) {
    const centre = stream.integer(clusters) * dimension;
    let squared = 0;
    for (let e = 0; e < dimension; e++) {
      const value = centres[centre + e] + 0.5 * normal(stream);
      data[i * dimension + e] = value;
      squared += value * value;
    }
    const scale = 1 / Math.sqrt(squared);
    for (let e = 0; e < dimension; e++) data[i * dimension + e] *= scale;
  }
  return { data, count, dimension };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** MiB that this process holds, without garbage. */
function mebibytes() {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().rss / 2 ** 20;
}

async function timed(run) {
  const started = performance.now();
  const result = await run();
  return [performance.now() - started, result];
}

/** Median milliseconds of single queries, and of one batch a query; the found indices of the batch. */
async function measure(search, queries) {
  const one = [];
  const warm = 30; // calls until the compiler has done its best
  for (let i = 0; i < repeats + warm; i++) {
    const at = i % queries.count;
    const query = queries.data.subarray(at * dimension, (at + 1) * dimension);
    const [ms] = await timed(() => search({ data: query, count: 1, dimension }));
    if (i >= warm) one.push(ms);
    if (i === 0 && ms > 200) i = warm - 1; // so long a call needs no warming
  }
  const all = [];
  let found;
  for (let i = 0; i < Math.min(3, repeats); i++) {
    const [ms, result] = await timed(() => search(queries));
    all.push(ms / queries.count);
    found = result;
  }
  return { one: median(one), each: median(all), found };
}

const recall = (found, exact) =>
  found.reduce((sum, list, q) => sum + list.filter((i) => exact[q].includes(i)).length, 0) /
  (exact.length * k);

const rowsOf = (indices) =>
  Array.from({ length: indices.length / k }, (_, q) =>
    Array.from(indices.subarray(q * k, (q + 1) * k), Number),
  );

// An engine builds from what `prepare` gives, and says on how many threads it searches.
const engines = {
  contrapose: {
    prepare: (count) => vectors("base", count, count),
    build: (base) => residentRows(base),
    open: (rows) => ({
      threads: 1,
      search: (queries) => rowsOf(rows.nearest(queries, k).indices),
    }),
  },
  duckdb: {
    async prepare() {
      const { DuckDBInstance } = await import("@duckdb/node-api");
      return (await DuckDBInstance.create(":memory:")).connect();
    },
    async build(connection) {
      const rows = `select i, v::float[${dimension}] as v from read_parquet('${values.table}')`;
      await connection.run(`create table t as ${rows}`);
      return connection;
    },
    async open(connection) {
      const answer = async (sql) => (await connection.runAndReadAll(sql)).getRows();
      const [[threads]] = await answer("select current_setting('threads')");
      const single = async (vector) => {
        const list = `[${Array.from(vector).join(",")}]::float[${dimension}]`;
        const sql = `select i from t order by array_cosine_distance(v, ${list}), i limit ${k}`;
        return (await answer(sql)).map(([i]) => i);
      };
      const search = async ({ data, count }) => {
        const lists = [];
        for (let q = 0; q < count; q++) {
          lists.push(await single(data.subarray(q * dimension, (q + 1) * dimension)));
        }
        return lists;
      };
      return { threads: Number(threads), search };
    },
  },
  usearch: {
    async prepare(count) {
      const usearch = await import("usearch");
      const { Index, MetricKind, ScalarKind } = usearch.default ?? usearch;
      const metric = { metric: MetricKind.Cos, dimensions: dimension };
      const index = new Index({ ...metric, quantization: ScalarKind.F32 });
      const keys = BigUint64Array.from({ length: count }, (_, i) => BigInt(i));
      return { index, keys, base: vectors("base", count, count) };
    },
    build({ index, keys, base }) {
      index.add(keys, base.data, 0);
      return index;
    },
    open(index) {
      const search = ({ data, count }) => {
        const matches = index.search(data, k, 0);
        const found = count === 1 ? matches.keys : (matches.keys ?? matches.keysBatch);
        return rowsOf(found);
      };
      return { threads: availableParallelism(), search };
    },
  },
};

/** Writes the table that DuckDB reads. */
async function writeTable(count) {
  const { data } = vectors("base", count, count);
  const columns = [
    { name: "i", type: "int32" },
    { name: "v", type: "vector" },
  ];
  function* rows() {
    for (let i = 0; i < count; i++) {
      yield { i, v: data.subarray(i * dimension, (i + 1) * dimension) };
    }
  }
  await writeParquet(values.table, columns, rows());
}

/** What is measured of an engine, in its own process; undefined where it is not installed. */
async function measured({ prepare, build, open }, count) {
  let prepared;
  try {
    prepared = await prepare(count);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    return undefined;
  }
  const before = mebibytes();
  const [milliseconds, built] = await timed(() => build(prepared));
  const memory = mebibytes() - before;
  const { threads, search } = await open(built);
  const times = await measure(search, vectors("queries", batch, count));
  return { build: milliseconds, memory, threads, ...times };
}

/** Runs this file for one engine and one count, and returns what it prints. */
function inProcess(engine, count, table) {
  const args = ["--expose-gc", fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const own = ["--engine", engine, "--counts", String(count), "--table", table];
  const { stdout, status } = spawnSync(process.execPath, [...args, ...own], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) process.exit(1);
  return stdout === "" ? undefined : JSON.parse(stdout);
}

function compare(table) {
  const sizes = `${dimension} numbers each, ${k} nearest`;
  console.log(`${sizes}, queries one by one and ${batch} at a time, Node ${process.version}\n`);
  const head = ["vectors", "by", "threads", "build s", "MiB more", "one query ms"];
  console.log(`| ${[...head, "in a batch ms", "recall"].join(" | ")} |`);
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const count of values.counts.split(",").map(Number)) {
    inProcess("table", count, table);
    let exact;
    for (const name of Object.keys(engines)) {
      const result = inProcess(name, count, table);
      if (result === undefined) {
        console.log(`| ${count} | ${name} | not installed | | | | | |`);
        continue;
      }
      const { build, memory, threads, one, each, found } = result;
      exact ??= found;
      const cells = [
        ...[threads, (build / 1000).toFixed(2), memory.toFixed(0)],
        ...[one.toFixed(2), each.toFixed(2), recall(found, exact).toFixed(3)],
      ];
      console.log(`| ${count} | ${name} | ${cells.join(" | ")} |`);
    }
  }
}

if (values.engine === "table") await writeTable(Number(values.counts));
else if (values.engine !== undefined) {
  const result = await measured(engines[values.engine], Number(values.counts));
  if (result !== undefined) console.log(JSON.stringify(result));
} else {
  const scratch = mkdtempSync(join(tmpdir(), "contrapose-search-"));
  process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
  compare(join(scratch, "vectors.parquet"));
}
