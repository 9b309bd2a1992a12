// Curation: does a training that knows the duplicates come out better? A set with planted duplicates is trained on
//   none     without any groups: duplicates are each other's negatives
//   pixels   with the groups that packing finds
//   dedupe   with those of `contrapose dedupe` on the embeddings of the first run
//   mutual   with those of `contrapose dedupe --mutual` on them: each other's nearest too
//   truth    with the groups that were planted
//   class    with a group for each class (a folder), copies included: what groups by label would give
// npm run build && node bench/curation.mjs --images TRAIN --test TEST [--seeds 3] [--epochs 40] [--share 0.5]
//   [--first IMAGES] [--copies 4] [--by changes|edits] [--originals 1000] [--mutual 5] [--encoder resnet]
//   [--width 16] [--size 64] [--batch 64] [--method simclr] [--set KEY=VALUE]
//   [--arms none,pixels,dedupe,mutual,truth,class] [--out FOLDER]
// TRAIN is a folder, or a file of CIFAR-10, of which the first --originals are trained on. Neighbours vote from all of TRAIN as
// it is given, without copies. --first plants copies of that many images only, as of a placeholder. Copies are those of
// planted.mjs: changed as views change them, or edited, as most views do not.
// What is in the folder is kept: a call with the same settings goes on where the last one was stopped.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { fixed, plusMinus, signed } from "../dist/compare/written.js";
import { meanInterval, pairedDifference } from "../dist/metrics/index.js";
import { changes, edits, plant, score, unpack } from "./planted.mjs";

const { values } = parseArgs({
  options: {
    images: { type: "string" },
    test: { type: "string" },
    out: { type: "string", default: "curation" },
    seeds: { type: "string", default: "3" },
    epochs: { type: "string", default: "40" },
    share: { type: "string", default: "0.5" },
    copies: { type: "string", default: "4" },
    by: { type: "string", default: "changes" },
    first: { type: "string" },
    originals: { type: "string", default: "1000" },
    mutual: { type: "string", default: "5" },
    encoder: { type: "string", default: "resnet" },
    width: { type: "string", default: "16" },
    size: { type: "string", default: "64" },
    batch: { type: "string", default: "64" },
    method: { type: "string", default: "simclr" },
    arms: { type: "string", default: "none,pixels,dedupe,mutual,truth,class" },
    set: { type: "string", multiple: true, default: [] },
  },
});
if (values.images === undefined || values.test === undefined) {
  console.error("node bench/curation.mjs --images TRAIN --test TEST");
  process.exit(2);
}

const ways = { changes, edits };
if (!(values.by in ways)) {
  console.error("--by: changes or edits");
  process.exit(2);
}

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const at = (...names) => join(values.out, ...names);
const contrapose = (...args) => {
  const out = execFileSync(process.execPath, [main, ...args, "--json", "--quiet"], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(out);
};

mkdirSync(values.out, { recursive: true });
const settingsFile = at("settings.json");
const later = { out: undefined, seeds: undefined, arms: undefined };
const settings = JSON.stringify({ ...values, ...later }, null, 1);
if (!existsSync(settingsFile)) writeFileSync(settingsFile, settings);
if (readFileSync(settingsFile, "utf8") !== settings) {
  console.error(`${settingsFile} says other settings than were given: choose another --out`);
  process.exit(2);
}
const truthFile = at("truth.json");
const isCifar = values.images.endsWith(".bin");
const originals = isCifar ? at("originals") : values.images;
if (!existsSync(truthFile)) {
  const [share, copies] = [Number(values.share), Number(values.copies)];
  if (isCifar) await unpack(values.images, originals, Number(values.originals));
  const by = ways[values.by];
  const first = values.first === undefined ? undefined : Number(values.first);
  const groups = await plant(originals, at("images"), { share, first, copies, by });
  writeFileSync(truthFile, JSON.stringify(groups));
}
const truth = JSON.parse(readFileSync(truthFile, "utf8")).map((group) => group.map((m) => m.path));
const classes = [...new Set(truth.flat().map(dirname))].map((name) =>
  truth.flat().filter((path) => dirname(path) === name),
);
const groupsFile = (name, groups) => {
  const several = groups.filter((group) => group.length > 1);
  const path = at(`${name}.json`);
  writeFileSync(path, JSON.stringify({ format: "contrapose-groups", groups: several }));
  return path;
};

// Two packed forms of the same images: one that knows no duplicates, one with packing's own groups.
const bare = at("bare");
const grouped = at("grouped");
contrapose("pack", at("images"), "--out", bare, "--set", "nearDuplicates=false");
if (values.arms.includes("pixels")) contrapose("pack", at("images"), "--out", grouped);

const flags = [
  ...["--method", values.method, "--encoder", values.encoder, "--width", values.width],
  ...(values.encoder === "resnet" ? ["--blocks", "1,1,1"] : []),
  ...["--image-size", values.size, "--batch-size", values.batch, "--epochs", values.epochs],
  ...values.set.flatMap((setting) => ["--set", setting]),
];

/** Accuracies of a run, trained as far as it is not yet. */
function accuracy(name, data, seed, groups) {
  const run = at(`run-${name}-${seed}`);
  const more = groups === undefined ? [] : ["--groups", groups];
  if (existsSync(join(run, "config.json"))) contrapose("train", "--resume", run);
  else contrapose("train", data, "--out", run, ...flags, "--seed", String(seed), ...more);
  // neighbours are sought among the images as given: copies would have a vote each, and all the more where they lie close together
  const args = ["evaluate", run, "--train", values.images, "--test", values.test, "--no-baselines"];
  return { run, ...contrapose(...args) };
}

const arms = values.arms.split(",");
if (arms[0] !== "none") {
  console.error("--arms: none is first, what the others are compared with");
  process.exit(2);
}
const results = Object.fromEntries(arms.map((name) => [name, []]));
const found = [];
for (let seed = 0; seed < Number(values.seeds); seed++) {
  const before = accuracy("none", bare, seed);
  const groupsOf = (...args) => {
    const table = at(`embeddings-${seed}`);
    contrapose("embed", before.run, bare, "--out", table, "--overwrite");
    const { groups } = contrapose("dedupe", table, "--overwrite", ...args);
    return groups.map(({ images }) => images.map(({ id }) => id));
  };
  const train = {
    none: () => before,
    pixels: () => accuracy("pixels", grouped, seed),
    dedupe() {
      const alike = groupsOf();
      found.push(score(alike, truth));
      return accuracy("dedupe", bare, seed, groupsFile(`groups-${seed}`, alike));
    },
    mutual() {
      const nearest = groupsOf("--mutual", values.mutual);
      return accuracy("mutual", bare, seed, groupsFile(`mutual-${seed}`, nearest));
    },
    truth: () => accuracy("truth", bare, seed, groupsFile("groups-truth", truth)),
    class: () => accuracy("class", bare, seed, groupsFile("groups-class", classes)),
  };
  for (const name of arms) results[name].push(train[name]());
}

const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const percent = (x) => fixed(100 * x, 1);
console.log(`${truth.flat().length} images, ${truth.flat().length - truth.length} of them planted`);
if (found.length > 0) {
  const of = (name) => percent(mean(found.map((score) => score[name])));
  const how = `precision ${of("precision")} %, recall ${of("recall")} %`;
  console.log(`duplicates found, by pairs, mean of ${found.length} encoders: ${how}`);
}
const bySeed = (name, kind) =>
  new Map(results[name].map((run, seed) => [seed, run[kind].accuracy]));
const cells = (name, kind) => [
  plusMinus(meanInterval([...bySeed(name, kind).values()]), 100, 1),
  name === "none"
    ? ""
    : plusMinus(pairedDifference(bySeed(name, kind), bySeed("none", kind)), 100, 1, signed),
];
console.log("means over seeds ± half their 95 % interval; differences are paired\n");
console.log("| groups | k-NN % | difference | linear % | difference |");
console.log("| --- | --- | --- | --- | --- |");
for (const name of arms) {
  console.log(`| ${[name, ...cells(name, "knn"), ...cells(name, "linear")].join(" | ")} |`);
}
