// What bench/kills.mjs kills: six verbs as they are called, how each is gone on with, and what must be the same after it.
import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

import { openDataset } from "../dist/data/index.js";
import { duckdbStore } from "../dist/store/index.js";
import { timeFields } from "../dist/train/index.js";
import { linesOf } from "./runs.mjs";

const words = (line) => line.split(" ");
const net =
  "--encoder convnet --set encoder.width=4 --image-size 8 --batch-size 16 --threads 1 --workers 1";

/** Paths of all files in a folder, from it. */
export const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();

const bytes = (folder, names) =>
  Object.fromEntries(
    names.map((name) => [name, readFileSync(join(folder, name)).toString("base64")]),
  );

/** Records of a run without the fields that tell of time and of memory. */
const figures = (file) =>
  linesOf(file).map((record) => {
    for (const field of timeFields) delete record[field];
    return JSON.stringify(record);
  });

/** Weights and optimiser of a run's last checkpoint, and its figures. */
function runResult(folder, run) {
  const states = ["weights", "state"].map((name) =>
    join(run, "checkpoints", "last", `${name}.safetensors`),
  );
  return {
    ...bytes(folder, states),
    [join(run, "metrics.jsonl")]: figures(join(folder, run, "metrics.jsonl")).join("\n"),
  };
}

/** A comparison's figures but for those of time and of memory. */
function comparisonResult(folder) {
  const comparison = JSON.parse(readFileSync(join(folder, "compared", "compare.json"), "utf8"));
  for (const { measures } of comparison.arms) {
    for (const name of ["seconds", "secondsPerEpoch", "memoryMiB"]) delete measures[name];
  }
  return JSON.stringify(comparison);
}

async function rowsResult(folder) {
  const store = await duckdbStore(join(folder, "embeddings.duckdb"));
  try {
    const rows = await store.query("select * from images order by row");
    return { images: rows.length, "embeddings.duckdb": JSON.stringify(rows) };
  } finally {
    await store.close();
  }
}

const written = ["groups.json", "page.html"];
const embeddings = ["embeddings.parquet", "embeddings.npy", "embeddings.names.txt"];

/** A packed dataset: its header, entries and pixels, wherever in which shard those lie. */
async function packedResult(folder) {
  const header = JSON.parse(readFileSync(join(folder, "dataset.json"), "utf8"));
  const dataset = await openDataset(folder);
  try {
    const entries = linesOf(join(folder, header.entries));
    delete header.shards;
    for (const entry of entries) for (const key of ["shard", "offset"]) delete entry[key];
    const sorted = entries.map((entry) => Object.entries(entry).sort());
    const pixels = entries.map((_, i) => Buffer.from(dataset.image(i).data).toString("base64"));
    const [head, list] = [header, sorted].map((value) => JSON.stringify(value));
    return { header: head, images: dataset.count, entries: list, pixels: pixels.join() };
  } finally {
    await dataset.close();
  }
}

/**
 * By name: the arguments of a call, run in a folder of its own beside `images` and a trained `run`; `again`, the
 * arguments where it was killed, if others; `put`, what is there before; `result`, all that must be equal in the end.
 */
export const verbs = {
  train: {
    call: words(`train ../images --out run --epochs 6 --set checkpoint.seconds=0.02 ${net}`),
    again: (folder) =>
      existsSync(join(folder, "run", "config.json")) && words("train --resume run"),
    result: (folder) => runResult(folder, "run"),
  },
  pack: {
    call: words("pack ../images --out packed"),
    result: (folder) => packedResult(join(folder, "packed")),
  },
  embed: {
    call: words("embed ../run ../images --cache cache --threads 1"),
    result: (folder) => bytes(folder, embeddings),
  },
  index: {
    call: words("index"),
    put: (folder) =>
      embeddings.forEach((name) => copyFileSync(join(folder, "..", name), join(folder, name))),
    result: rowsResult,
  },
  dedupe: {
    call: words("dedupe ../images --write-groups groups.json --out page.html --cache cache"),
    result: (folder) =>
      bytes(
        folder,
        filesIn(folder).filter((name) => written.includes(name)),
      ),
  },
  compare: {
    call: words(
      `compare ../images --methods simclr,debiased --seeds 1 --epochs 2 --parallel 1 --out compared ${net}`,
    ),
    result: (folder) => ({
      "compare.json": comparisonResult(folder),
      ...runResult(folder, join("compared", "runs", "simclr-seed0")),
      ...runResult(folder, join("compared", "runs", "debiased-seed0")),
    }),
  },
};
