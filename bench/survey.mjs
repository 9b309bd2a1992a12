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

import { encoders } from "../dist/encoders/index.js";
import { losses } from "../dist/losses/index.js";
import { optimisers } from "../dist/optim/index.js";
import { mixers, samplers } from "../dist/sampling/index.js";
import { methodNames } from "../dist/train/index.js";
import { codeOf, partsOf } from "../scripts/codeOf.mjs";
import { contrapose, linesOf, sampleFlags } from "./runs.mjs";
import { commandOf, renderSurvey } from "./surveyPage.mjs";

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
  return {
    ...all,
    out: `runs/survey/${survey.name}`,
    command: commandOf(survey, all),
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
    (line) => !known.some((other) => isOf(line, other) && line.date === other.date),
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

for (const name of positionals) run(read(basename(name, ".yaml")));
if (values.page) {
  const files = readdirSync(join(here, "survey")).filter((file) => file.endsWith(".yaml"));
  const surveys = files
    .map((file) => read(basename(file, ".yaml")))
    .sort((a, b) => a.order - b.order)
    .map((survey) => {
      const file = join(results, `survey-${survey.name}.json`);
      return { survey, all: existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined };
    });
  const found = readFileSync(join(here, "survey", "found.md"), "utf8").trim();
  const { page, charts } = renderSurvey(surveys, found);
  const docs = join(here, "..", "docs");
  mkdirSync(join(docs, "figures", "survey"), { recursive: true });
  for (const [name, svg] of charts) {
    writeFileSync(join(docs, "figures", "survey", `${name}.svg`), svg);
  }
  writeFileSync(join(docs, "survey.md"), page);
}
