// Search beside what a user would take instead: time and recall against exact search, memory, build time.
// npm run build && node bench/search.mjs [--counts 10000,100000,1000000] [--dimension 128] [--batch 100] [--k 10]
//   [--clusters 1000] [--repeats 5]
// Vectors lie in clusters, as embeddings do; queries are new members of them. usearch is measured where it is
// installed (npm install --no-save usearch@2.25.3), DuckDB's own distance where @duckdb/node-api is.
import { parseArgs } from "node:util";

import { randomStream } from "../dist/core/index.js";
import { residentRows } from "../dist/metrics/index.js";

const { values } = parseArgs({
  options: {
    counts: { type: "string", default: "10000,100000,1000000" },
    dimension: { type: "string", default: "128" },
    batch: { type: "string", default: "100" },
    k: { type: "string", default: "10" },
    clusters: { type: "string", default: "1000" },
    repeats: { type: "string", default: "5" },
  },
});
const [dimension, batch, k, clusters, repeats] = [
  ...[values.dimension, values.batch, values.k, values.clusters, values.repeats].map(Number),
];

const normal = (stream) =>
  Math.sqrt(-2 * Math.log(1 - stream.uniform(0, 1))) * Math.cos(stream.uniform(0, 2 * Math.PI));

/** Unit vectors around random centres. */
function vectors(count, centres, stream) {
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
const mebibytes = () => process.memoryUsage().rss / 2 ** 20;

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

const engines = {
  async contrapose(base) {
    const [build, rows] = await timed(() => residentRows(base));
    return { build, search: (queries) => rowsOf(rows.nearest(queries, k).indices), close() {} };
  },
  async duckdb(base) {
    const { DuckDBInstance, arrayValue } = await import("@duckdb/node-api");
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    const fill = async () => {
      await connection.run(`create table t (i integer, v float[${dimension}])`);
      const appender = await connection.createAppender("t");
      const { ARRAY, FLOAT } = await import("@duckdb/node-api");
      const type = ARRAY(FLOAT, dimension);
      for (let i = 0; i < base.count; i++) {
        appender.appendInteger(i);
        const vector = base.data.subarray(i * dimension, (i + 1) * dimension);
        appender.appendArray(arrayValue(Array.from(vector)), type);
        appender.endRow();
      }
      appender.closeSync();
    };
    const [build] = await timed(fill);
    const single = async (vector) => {
      const list = `[${Array.from(vector).join(",")}]::float[${dimension}]`;
      const sql = `select i from t order by array_cosine_distance(v, ${list}), i limit ${k}`;
      const reader = await connection.runAndReadAll(sql);
      return reader.getRows().map(([i]) => i);
    };
    const search = async ({ data, count }) => {
      const lists = [];
      for (let q = 0; q < count; q++) {
        lists.push(await single(data.subarray(q * dimension, (q + 1) * dimension)));
      }
      return lists;
    };
    return { build, search, close: () => connection.closeSync() };
  },
  async usearch(base) {
    const usearch = await import("usearch");
    const { Index, MetricKind, ScalarKind } = usearch.default ?? usearch;
    const index = new Index({
      metric: MetricKind.Cos,
      dimensions: dimension,
      quantization: ScalarKind.F32,
    });
    const keys = BigUint64Array.from({ length: base.count }, (_, i) => BigInt(i));
    const [build] = await timed(() => index.add(keys, base.data, 0));
    const search = ({ data, count }) => {
      const matches = index.search(data, k, 0);
      const found = count === 1 ? matches.keys : (matches.keys ?? matches.keysBatch);
      return rowsOf(found);
    };
    return { build, search, close() {} };
  },
};

console.log(
  `${dimension} numbers each, ${k} nearest, queries one by one and ${batch} at a time, Node ${process.version}\n`,
);
console.log("| vectors | by | build s | MiB more | one query ms | in a batch ms | recall |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const count of values.counts.split(",").map(Number)) {
  const stream = randomStream(0, `search ${count}`);
  const centres = Float32Array.from({ length: clusters * dimension }, () => normal(stream));
  const base = vectors(count, centres, stream);
  const queries = vectors(batch, centres, stream);
  let exact;
  for (const [name, open] of Object.entries(engines)) {
    const before = mebibytes();
    let engine;
    try {
      engine = await open(base);
    } catch (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
      console.log(`| ${count} | ${name} | not installed | | | | |`);
      continue;
    }
    const memory = mebibytes() - before;
    const { one, each, found } = await measure(engine.search, queries);
    exact ??= found;
    engine.close();
    const cells = [
      (engine.build / 1000).toFixed(2),
      memory.toFixed(0),
      ...[one.toFixed(2), each.toFixed(2), recall(found, exact).toFixed(3)],
    ];
    console.log(`| ${count} | ${name} | ${cells.join(" | ")} |`);
  }
}
