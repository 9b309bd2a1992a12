// Experiments: arms × seeds of one training config, with what they show.
//   npm run build && node bench/experiments.mjs NAME... [--shared FOLDER] [--work FOLDER] [--seeds 0,1,2] [--only ARM]...
//     [--threads N] [--stale]
//   node bench/experiments.mjs --page          writes docs/experiments.md and its charts from bench/results
// NAME is a file of bench/experiments without .yaml. Runs that are in bench/results already, with the same config,
// are not repeated, so a stopped experiment goes on; with --stale they are where they were measured with other code, or
// with code that is not known. --shared: folder of the real images an experiment names.
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { cpus } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

import { parse } from "yaml";

import { codeOf, partsOf, standing } from "../scripts/codeOf.mjs";
import { runOf } from "./experimentConfig.mjs";
import { renderCharts, renderPage } from "./experimentsPage.mjs";
import { contrapose, linesOf, sampleFlags } from "./runs.mjs";

const here = import.meta.dirname;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shared: { type: "string", default: "." },
    work: { type: "string", default: join(here, "..", "runs", "experiments") },
    seeds: { type: "string" },
    only: { type: "string", multiple: true },
    threads: { type: "string" },
    stale: { type: "boolean", default: false },
    page: { type: "boolean", default: false },
  },
});

const call = (...args) => contrapose(...args, "--quiet");

/** Folders of an experiment's images: training, test, and the same images under other labels. */
function imagesOf({ data }, work) {
  if (data.sample === undefined) {
    const at = (path) => join(values.shared, path);
    return { train: at(data.train), test: at(data.test), probes: {} };
  }
  const { label = "shape", probes = [], ...options } = data.sample;
  const folder = (name) => {
    const id = createHash("sha256").update(JSON.stringify(options)).digest("hex").slice(0, 8);
    const path = join(work, `samples-${id}-${name}`);
    if (!existsSync(path)) {
      const set = sampleFlags(options);
      call("sample", path, "--label", name, ...set);
    }
    return { train: join(path, "train"), test: join(path, "test") };
  };
  return {
    ...folder(label),
    probes: Object.fromEntries(probes.map((name) => [name, folder(name)])),
  };
}

/** Means of figures of a run over the first, second and last third of its steps; null where never measured. */
function figuresOf(run, names) {
  const steps = readFileSync(join(run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === "step");
  const mean = (records, name) => {
    const known = records.map((record) => record[name]).filter((value) => value !== undefined);
    return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
  };
  const third = Math.ceil(steps.length / 3);
  const thirds = [0, 1, 2].map((i) => steps.slice(i * third, (i + 1) * third));
  return Object.fromEntries(names.map((name) => [name, thirds.map((part) => mean(part, name))]));
}

function runOne(name, experiment, images, arm, seed) {
  const { config, hash } = runOf(experiment, arm, seed);
  const file = join(here, "results", `${name}.jsonl`);
  const done = linesOf(file);
  const measured = done.findLast((record) => record.hash === hash && record.arm === arm.name);
  if (measured !== undefined && !(values.stale && standing(measured) !== "current")) return;
  const out = join(values.work, `${name}-${arm.name}-${seed}`);
  const written = join(values.work, `${name}-${arm.name}-${seed}.json`);
  const threads = values.threads === undefined ? {} : { threads: Number(values.threads) };
  const { train: data, test } = images;
  writeFileSync(written, JSON.stringify({ ...config, ...threads, data, test }));
  const trained = call("train", "--config", written, "--out", out, "--overwrite");
  const probed = {};
  for (const [probe, set] of Object.entries({ own: images, ...images.probes })) {
    const measured = call(
      "evaluate",
      out,
      "--train",
      set.train,
      "--test",
      set.test,
      "--no-baselines",
    );
    probed[probe] = { knn: measured.knn.accuracy, linear: measured.linear?.accuracy ?? null };
  }
  const parts = partsOf(JSON.parse(readFileSync(join(out, "config.json"), "utf8")));
  const record = {
    arm: arm.name,
    seed,
    hash,
    steps: trained.steps,
    epochs: trained.epochs,
    seconds: trained.seconds,
    probes: probed,
    figures: figuresOf(out, experiment.figures ?? []),
    parts,
    code: codeOf(parts),
    machine: `${cpus()[0].model}, ${cpus().length} cores`,
    date: new Date().toISOString().slice(0, 10),
  };
  appendFileSync(file, `${JSON.stringify(record)}\n`);
  rmSync(out, { recursive: true, force: true });
  const shown = Object.entries(probed).map(
    ([probe, { knn }]) => `${probe} ${(100 * knn).toFixed(1)}`,
  );
  console.log(
    `${name}  ${arm.name}  seed ${seed}  ${shown.join("  ")}  ${Math.round(trained.seconds)} s`,
  );
}

const read = (name) => ({
  name,
  ...parse(readFileSync(join(here, "experiments", `${name}.yaml`), "utf8")),
});

mkdirSync(values.work, { recursive: true });
for (const name of positionals) {
  const experiment = read(basename(name, ".yaml"));
  const images = imagesOf(experiment, values.work);
  const seeds = values.seeds?.split(",").map(Number) ?? experiment.seeds ?? [0, 1, 2];
  const { only } = values;
  for (const seed of seeds) {
    for (const arm of experiment.arms) {
      if (only === undefined || only.includes(arm.name))
        runOne(experiment.name, experiment, images, arm, seed);
    }
  }
}
if (values.page) {
  const names = readdirSync(join(here, "experiments")).map((file) => basename(file, ".yaml"));
  const results = names.map((name) => {
    const file = join(here, "results", `${name}.jsonl`);
    return { ...read(name), runs: linesOf(file) };
  });
  const docs = join(here, "..", "docs");
  const charts = join(docs, "figures", "experiments");
  mkdirSync(charts, { recursive: true });
  for (const [name, svg] of renderCharts(results)) writeFileSync(join(charts, `${name}.svg`), svg);
  writeFileSync(join(docs, "experiments.md"), renderPage(results));
}
