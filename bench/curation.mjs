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
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

import {
  foundText,
  groupFinder,
  groupsFile,
  keepSettings,
  printDifferences,
  trained,
  trainingFlags,
} from "./arms.mjs";
import { changes, edits, plant, score, unpack } from "./planted.mjs";
import { contrapose } from "./runs.mjs";

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

const at = (...names) => join(values.out, ...names);
keepSettings(values.out, { ...values, out: undefined, seeds: undefined, arms: undefined });
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
// Two packed forms of the same images: one that knows no duplicates, one with packing's own groups.
const bare = at("bare");
const grouped = at("grouped");
contrapose("pack", at("images"), "--out", bare, "--set", "nearDuplicates=false", "--quiet");
if (values.arms.includes("pixels")) contrapose("pack", at("images"), "--out", grouped, "--quiet");

const flags = trainingFlags(values);

/** Accuracies of a run, trained as far as it is not yet. */
function accuracy(name, data, seed, groups) {
  const more = groups === undefined ? [] : ["--groups", groups];
  const run = trained(at(`run-${name}-${seed}`), data, [...flags, "--seed", String(seed), ...more]);
  // neighbours are sought among the images as given: copies would have a vote each, and all the more where they lie close together
  const sets = ["--train", values.images, "--test", values.test, "--no-baselines", "--quiet"];
  const { knn, linear } = contrapose("evaluate", run, ...sets);
  return { run, knn: knn.accuracy, linear: linear.accuracy };
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
  const groupsOf = groupFinder(before.run, bare, at(`embeddings-${seed}`));
  const file = (name, groups) => groupsFile(at(`${name}.json`), groups);
  const train = {
    none: () => before,
    pixels: () => accuracy("pixels", grouped, seed),
    dedupe() {
      const alike = groupsOf();
      found.push(score(alike, truth));
      return accuracy("dedupe", bare, seed, file(`groups-${seed}`, alike));
    },
    mutual() {
      const nearest = groupsOf("--mutual", values.mutual);
      return accuracy("mutual", bare, seed, file(`mutual-${seed}`, nearest));
    },
    truth: () => accuracy("truth", bare, seed, file("groups-truth", truth)),
    class: () => accuracy("class", bare, seed, file("groups-class", classes)),
  };
  for (const name of arms) results[name].push(train[name]());
}

console.log(`${truth.flat().length} images, ${truth.flat().length - truth.length} of them planted`);
if (found.length > 0) {
  console.log(`duplicates found, by pairs, mean of ${found.length} encoders: ${foundText(found)}`);
}
printDifferences(results, { knn: "k-NN", linear: "linear" });
