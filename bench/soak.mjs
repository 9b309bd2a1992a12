// Does anything grow in a process that goes on for long? Trains short runs, embeds their images, searches in memory and in
// DuckDB, and looks for copies, over and over, all in this process; after each cycle, garbage collected, it notes what
// is resident, the heap, and the open file descriptors.
// npm run soak -- [--minutes 20] [--grows 0.2]
// Fits a line to the second half of the cycles. Exit code 1 where resident memory or the heap grows by more than `grows` MiB
// a cycle beyond what the scatter of the line explains (two standard errors), or where descriptors grow.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { openLikeness, renderSamples } from "../dist/data/index.js";
import { embedImages, openImageEncoder } from "../dist/evaluate/index.js";
import { imageRows, openImages } from "../dist/inference/index.js";
import { buildDuckdb, duckdbStore, exactStore, writeEmbeddings } from "../dist/store/index.js";
import { train } from "../dist/train/index.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "20" },
    grows: { type: "string", default: "0.2" },
  },
});
const [minutes, bound] = [Number(values.minutes), Number(values.grows)];
if (globalThis.gc === undefined) {
  console.error("node --expose-gc bench/soak.mjs, or npm run soak");
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), "contrapose-soak-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
const images = join(scratch, "drawn", "train");

/** Trains a run of two epochs; another seed each time. */
async function trainOne(run, seed) {
  await train({
    data: images,
    out: run,
    encoder: { name: "convnet", width: 4 },
    imageSize: 16,
    batchSize: 32,
    epochs: 2,
    threads: 1,
    workers: 1,
    seed,
  });
}

async function embedOne(run) {
  const encoder = await openImageEncoder(run, { threads: 1 });
  const opened = await openImages(images, { cache: join(scratch, "cache"), imageSize: 16 });
  try {
    const embeddings = await embedImages(encoder, opened);
    const [query] = [await encoder.embed(imageRows(opened, encoder.format, Int32Array.of(0)))];
    return { embeddings, query, packed: opened.path };
  } finally {
    opened.close();
    await encoder.dispose();
  }
}

async function searchIn(store, query) {
  try {
    const [hits] = await store.search(query, { k: 10 });
    if (hits.length !== 10) throw new Error(`${store.kind}: ${hits.length} hits, expected 10`);
  } finally {
    await store.close();
  }
}

async function cycle(number) {
  const run = join(scratch, "run");
  await trainOne(run, number);
  const { embeddings, query, packed } = await embedOne(run);
  const [table, database] = ["e.parquet", "e.duckdb"].map((name) => join(scratch, name));
  await writeEmbeddings({ parquet: table }, embeddings);
  await searchIn(exactStore(embeddings), query);
  await buildDuckdb(table, database);
  await searchIn(await duckdbStore(database), query);
  const looks = await openLikeness(packed);
  looks.close();
  for (const path of [run, table, database]) rmSync(path, { recursive: true });
}

/** What this process holds, in MiB, and its open descriptors. */
async function sample() {
  for (let i = 0; i < 2; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20)); // finalisers run between
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const [resident, heap, outside] = [rss, heapUsed, external].map((bytes) => bytes / 2 ** 20);
  return { resident, heap, outside, descriptors: readdirSync("/proc/self/fd").length - 1 };
}

/** Slope of the least-squares line through values at 0, 1, 2 …, and its standard error. */
function lineOf(ys) {
  const n = ys.length;
  const [meanX, meanY] = [(n - 1) / 2, ys.reduce((sum, y) => sum + y, 0) / n];
  const spread = ys.reduce((sum, _, x) => sum + (x - meanX) ** 2, 0);
  const slope = ys.reduce((sum, y, x) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const rest = ys.reduce((sum, y, x) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / Math.max(n - 2, 1) / spread) };
}

const started = performance.now();
const elapsed = () => (performance.now() - started) / 60_000;
await renderSamples(join(scratch, "drawn"), { train: 128, test: 1, size: 32 });
const samples = [];
for (let told = 0; elapsed() < minutes || samples.length < 6;) {
  await cycle(samples.length);
  samples.push(await sample());
  if (elapsed() < told) continue;
  told = Math.floor(elapsed()) + 1;
  const { resident, heap, outside, descriptors } = samples.at(-1);
  const sizes = [resident, heap, outside].map((size) => size.toFixed(1));
  console.log(
    `${elapsed().toFixed(1)} min: cycle ${samples.length}, resident ${sizes[0]} MiB, heap ${sizes[1]}, outside it ${sizes[2]}, ${descriptors} descriptors`,
  );
}

const half = samples.slice(samples.length >> 1);
const limits = { resident: bound, heap: bound, outside: bound, descriptors: 0 };
let grew = false;
console.log(`\nsecond half, ${half.length} cycles:`);
for (const [name, limit] of Object.entries(limits)) {
  const { slope, error } = lineOf(half.map((each) => each[name]));
  const grows = slope - 2 * error > limit;
  grew ||= grows;
  const words = `${slope.toFixed(3)} a cycle, standard error ${error.toFixed(3)}, bound ${limit}`;
  console.log(`${name.padEnd(12)} ${words}: ${grows ? "grows" : "flat"}`);
}
process.exit(grew ? 1 : 0);
