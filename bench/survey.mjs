// The survey as one command: every method beside plain SimCLR on three sets of images, under one budget.
//   npm run build && node bench/survey.mjs NAME... [--shared FOLDER] [--work FOLDER] [--seeds 5] [--parallel 2] [--stale]
//   node bench/survey.mjs --page               writes docs/survey.md from bench/results
// NAME is a file of bench/survey without .yaml: the images, and the settings that all methods share. A survey is one
// `contrapose compare`, seed by seed, so it can be stopped at any time and goes on with the same command. Finished runs are
// in bench/results/survey-NAME.jsonl, with the hash of the code they were measured with; --stale starts one again whose code
// has changed. --shared: folder of the real images. What was seen is said by hand: of a set in its file under `found`, of all in
// bench/survey/found.md.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

import { parse, stringify } from "yaml";

import { renderMarkdown } from "../dist/compare/index.js";
import { encoders } from "../dist/encoders/index.js";
import { losses } from "../dist/losses/index.js";
import { optimisers } from "../dist/optim/index.js";
import { mixers, samplers } from "../dist/sampling/index.js";
import { pairedDifference } from "../dist/metrics/index.js";
import { methodNames } from "../dist/train/index.js";
import { codeOf, partsOf } from "../scripts/codeOf.mjs";
import { intervalsSvg } from "./intervalsSvg.mjs";
import { contrapose, linesOf, sampleFlags } from "./runs.mjs";

const here = import.meta.dirname;
const results = join(here, "results");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shared: { type: "string", default: "." },
    work: { type: "string", default: join(here, "..", "runs", "survey") },
    seeds: { type: "string" },
    parallel: { type: "string", default: "2" },
    stale: { type: "boolean", default: false },
    page: { type: "boolean", default: false },
  },
});

const read = (name) => ({
  name,
  ...parse(readFileSync(join(here, "survey", `${name}.yaml`), "utf8")),
});
const isOf = (one, other) => one.arm === other.arm && one.seed === other.seed;

/** Hash of all the code that any run may depend on. */
const wholeCode = () =>
  codeOf(
    Object.entries({ losses, sampling: { ...samplers, ...mixers }, encoders, optim: optimisers })
      .flatMap(([folder, entries]) => Object.keys(entries).map((name) => `${folder}/${name}`))
      .sort(),
  );

/** Training and test images: of the shared folder, or drawn. */
function imagesOf({ name, data }) {
  if (data.sample === undefined) {
    return { train: join(values.shared, data.train), test: join(values.shared, data.test) };
  }
  const folder = join(values.work, `${name}-images`);
  const { label = "shape", ...options } = data.sample;
  const set = sampleFlags(options);
  if (!existsSync(folder)) contrapose("sample", folder, "--label", label, "--quiet", ...set);
  return { train: join(folder, "train"), test: join(folder, "test") };
}

/** The comparison without the places of the machine that it was made on. */
function portable(all, survey) {
  const shared = survey.data.sample === undefined ? " --shared FOLDER" : "";
  return {
    ...all,
    out: `runs/survey/${survey.name}`,
    command: `node bench/survey.mjs ${survey.name}${shared}`,
    data: {
      ...all.data,
      path: survey.data.train ?? "sample images",
      test: survey.data.test ?? "sample images",
    },
  };
}

/** Adds what was measured since to the results of the project. */
function keep(survey, out, all) {
  const file = join(results, `survey-${survey.name}.jsonl`);
  const known = linesOf(file);
  const fresh = linesOf(join(out, "results.jsonl")).filter(
    (line) => !known.some((other) => isOf(line, other) && line.hash === other.hash),
  );
  const stamped = fresh.map((line) => {
    const { decisive, ...figures } = line;
    const parts = partsOf(decisive);
    return { ...figures, parts, code: codeOf(parts) };
  });
  const kept = known.filter((line) => !stamped.some((other) => isOf(line, other)));
  writeFileSync(file, [...kept, ...stamped].map((line) => `${JSON.stringify(line)}\n`).join(""));
  const page = JSON.stringify(portable(all, survey));
  writeFileSync(join(results, `survey-${survey.name}.json`), `${page}\n`);
}

function run(survey) {
  mkdirSync(values.work, { recursive: true });
  const out = join(values.work, survey.name);
  const mark = join(values.work, `${survey.name}.code`);
  const code = wholeCode();
  const before = existsSync(mark) ? readFileSync(mark, "utf8") : code;
  if (before !== code) {
    if (!values.stale) {
      console.error(`${out} was begun with other code: --stale starts it again`);
      process.exit(2);
    }
    rmSync(out, { recursive: true, force: true });
  }
  writeFileSync(mark, code);
  const { train, test } = imagesOf(survey);
  const config = join(values.work, `${survey.name}.yaml`);
  writeFileSync(config, stringify(survey.config));
  const seeds = Number(values.seeds ?? survey.seeds);
  for (let count = 1; count <= seeds; count++) {
    const all = contrapose(
      ...["compare", train, "--test", test, "--config", config, "--out", out],
      ...["--methods", (survey.methods ?? methodNames).join(","), "--seeds", String(count)],
      ...["--epochs", String(survey.epochs), "--parallel", values.parallel, "--threads", "1"],
    );
    if (!all.finished || all.runs.failed.length > 0) process.exit(1);
    if (wholeCode() !== code) {
      console.error(`code changed while ${survey.name} was measured: its last runs are not kept`);
      process.exit(1);
    }
    keep(survey, out, all);
  }
}

const intro = `# The survey, measured

Every method of the survey of positive and negative sampling, beside plain SimCLR, on three sets of images: the same images, encoder,
epochs and seeds for all, and a preset's own views, pairs and loss. Nothing was tuned for any of them. These are short trainings of a small
net on two cores, so they say what a method does here, and nothing about what it does in a thousand epochs of a large one.
\`supCon\` and \`oracle\` train with the labels: they are ceilings, not methods. How to read the tables: [compare.md](compare.md). What each method does to
its pairs, one claim at a time: [experiments.md](experiments.md).

This page is made by \`node bench/survey.mjs --page\` from \`bench/results\`; FOLDER in a command is that of the real images.
\`node scripts/checkFigures.mjs\` fails where the code that a figure depends on has changed since.`;

const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");
const line = (cells) => `| ${cells.join(" | ")} |`;

const armOf = ({ arms }, wanted) => arms.find(({ name }) => name === wanted);

/** `+1.2 ± 3.4` points, bold where the interval leaves 0 out. */
function points({ mean, half }) {
  const width = half === null ? "" : ` ± ${fixed(100 * half, 1)}`;
  const cell = `${mean > 0 ? "+" : ""}${fixed(100 * mean, 1)}${width}`;
  return half !== null && Math.abs(mean) > half ? `**${cell}**` : cell;
}

/** Points of k-NN beside the base. */
function differenceCell({ verdict, measures }) {
  if (verdict === "base") return "base";
  const { difference } = measures.knn;
  return difference === null ? "–" : points(difference);
}

/** Methods that change one thing of a framework that is a method itself. */
const frameworks = { ring: "moco", mochi: "moco", looc: "moco", invp: "instDisc" };

/** Points of k-NN beside the method's own framework over the seeds that both have. */
function ownCell(all, name) {
  const bySeed = (wanted) => new Map(Object.entries(armOf(all, wanted).measures.knn.bySeed));
  const step = 1 / all.data.testImages;
  const comparisons = Object.keys(frameworks).length;
  return points(pairedDifference(bySeed(name), bySeed(frameworks[name]), comparisons, step));
}

function medianOf(bySeed) {
  const sorted = Object.values(bySeed).sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Differences of all arms on all sets, and what an epoch costs beside one of the base. */
function glance(done) {
  const names = done[0].all.arms.map(({ name }) => name);
  const costOf = (name) => {
    const ratios = done.map(({ all }) => {
      const seconds = (wanted) => medianOf(armOf(all, wanted).measures.secondsPerEpoch.bySeed);
      return seconds(name) / seconds(all.base);
    });
    return `${fixed(Math.exp(ratios.reduce((sum, x) => sum + Math.log(x), 0) / ratios.length), 2)} ×`;
  };
  const rows = names.map((name) => [
    `\`${name}\``,
    ...done.map(({ all }) => differenceCell(armOf(all, name))),
    costOf(name),
  ]);
  const [{ all }] = done;
  const bases = done.map(({ survey, all }) => {
    const { knn } = armOf(all, all.base).measures;
    const untrained = fixed(100 * all.baselines.untrained.knn, 1);
    return `${fixed(100 * knn.mean, 1)} % on ${survey.short} (untrained ${untrained} %)`;
  });
  return [
    "## At a glance",
    `Points of k-NN accuracy beside \`${all.base}\`, which reaches ${bases.join(", ")}: the mean over seeds ± half its interval, which is 95 % for all ${all.comparisons} comparisons of a set together. Bold where the interval leaves 0 out. The last column: seconds of an epoch beside one of \`${all.base}\`, medians over seeds, geometric mean of the sets.`,
    [
      line(["", ...done.map(({ survey }) => survey.short), "an epoch takes"]),
      line(["---", ...done.map(() => "---:"), "---:"]),
      ...rows.map(line),
    ].join("\n"),
    "Four of them stand on the queue of `moco` or the memory bank of `instDisc`, and what those cost or gain is not theirs. Beside their own framework, intervals of 95 % for the four comparisons of a set together:",
    [
      line(["", "beside", ...done.map(({ survey }) => survey.short)]),
      line(["---", "---", ...done.map(() => "---:")]),
      ...Object.entries(frameworks).map(([name, framework]) =>
        line([`\`${name}\``, `\`${framework}\``, ...done.map(({ all }) => ownCell(all, name))]),
      ),
    ].join("\n"),
  ];
}

/** Paired differences of k-NN and linear accuracy over seeds with their intervals. */
function chartOf({ title }, { arms, base }) {
  const row = (arm, name) => {
    const measure = arm.measures[name];
    if (measure === undefined) return undefined;
    const value = 100 * measure.mean;
    if (arm.name === base || measure.difference === null) return { value };
    const theirs = arms.find((other) => other.name === base).measures[name].bySeed;
    const values = Object.entries(measure.bySeed).flatMap(([seed, own]) =>
      seed in theirs ? [100 * (own - theirs[seed])] : [],
    );
    const { mean, half } = measure.difference;
    return { value, mean: 100 * mean, half: half === null ? null : 100 * half, values };
  };
  const panels = [
    ["k-NN", "knn"],
    ["linear", "linear"],
  ].map(([kind, name]) => ({
    title: `${kind} accuracy, difference in points`,
    rows: arms.map((arm) => row(arm, name)),
  }));
  const names = arms.map(({ name }) => ({ name, base: name === base }));
  return intervalsSvg(`${title}: every method beside ${base}`, names, panels);
}

function sectionOf({ survey, all }) {
  const { title, about, found, name } = survey;
  const head = [`## ${title}`, about.trim()];
  if (all === undefined) return [...head, "Not measured yet."];
  const [, ...body] = renderMarkdown(all).split("\n");
  const lower = body.map((text) => (text.startsWith("## ") ? `#${text}` : text));
  const chart = `![Differences of accuracy with their intervals](figures/survey/${name}.svg)`;
  return [...head, ...(found === undefined ? [] : [found.trim()]), chart, lower.join("\n").trim()];
}

/** Writes the page and its charts. */
function writePage(names) {
  const docs = join(here, "..", "docs");
  const surveys = names
    .map(read)
    .sort((a, b) => a.order - b.order)
    .map((survey) => {
      const file = join(results, `survey-${survey.name}.json`);
      return { survey, all: existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined };
    });
  const done = surveys.filter(({ all }) => all !== undefined);
  const charts = join(docs, "figures", "survey");
  mkdirSync(charts, { recursive: true });
  for (const { survey, all } of done) {
    writeFileSync(join(charts, `${survey.name}.svg`), chartOf(survey, all));
  }
  const said = readFileSync(join(here, "survey", "found.md"), "utf8").trim();
  const parts = [
    intro,
    ...(done.length > 0 ? glance(done) : []),
    said,
    ...surveys.flatMap(sectionOf),
  ];
  writeFileSync(join(docs, "survey.md"), `${parts.filter((part) => part !== "").join("\n\n")}\n`);
}

for (const name of positionals) run(read(basename(name, ".yaml")));
if (values.page) {
  const files = readdirSync(join(here, "survey")).filter((file) => file.endsWith(".yaml"));
  writePage(files.map((file) => basename(file, ".yaml")));
}
