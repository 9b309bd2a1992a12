// Curation of bursts: things are photographed in bursts, and nobody says which photos show one thing. Does a training
// that knows the groups which the first one found come out better? A set of bursts is trained on
//   none     without any groups: frames of one burst are each other's negatives
//   dedupe   with those of `contrapose dedupe` on the embeddings of the first run
//   mutual   with those of `contrapose dedupe --mutual` on them: each other's nearest too; mutual80 with another number
//   truth    with the bursts as they were shot
//   long     without any groups, for twice as many epochs: what the time of two trainings gives without groups
//   chance   with as many groups of the same sizes, of images drawn at random: the control
// and, of arms that end in +, with other images of a group as positives too (the sampler groupPositives),
// and each is asked for the thing on a photo: of other bursts of these things (neighbour: a photo of the training;
// linear: a probe of its photos), and of things that no training saw (neighbour: one photo of each).
// npm run build && node bench/bursts.mjs --images TRAIN --test TEST [--seeds 5] [--epochs 25] [--things 20]
//   [--least 60] [--most 140] [--mutual 150] [--unseen 200] [--encoder convnet] [--width 16] [--size 32] [--batch 128]
//   [--method simclr] [--set KEY=VALUE] [--arms none,dedupe,mutual,truth,chance,long,mutual+,truth+] [--out FOLDER]
// TRAIN and TEST are folders of photos, one thing each. What is in --out is kept: a call with the same settings goes on
// where the last one was stopped.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { permutation, randomStream } from "../dist/core/index.js";
import {
  foundText,
  groupFinder,
  groupsFile,
  keepSettings,
  printDifferences,
  printPaired,
  trained,
  trainingFlags,
} from "./arms.mjs";
import { score, shoot } from "./planted.mjs";
import { contrapose } from "./runs.mjs";

const { values } = parseArgs({
  options: {
    images: { type: "string" },
    test: { type: "string" },
    out: { type: "string", default: "bursts" },
    seeds: { type: "string", default: "5" },
    epochs: { type: "string", default: "25" },
    things: { type: "string", default: "20" },
    least: { type: "string", default: "60" },
    most: { type: "string", default: "140" },
    mutual: { type: "string", default: "150" },
    unseen: { type: "string", default: "200" },
    encoder: { type: "string", default: "convnet" },
    width: { type: "string", default: "16" },
    size: { type: "string", default: "32" },
    batch: { type: "string", default: "128" },
    method: { type: "string", default: "simclr" },
    arms: { type: "string", default: "none,dedupe,mutual,truth,chance,long,mutual+,truth+" },
    set: { type: "string", multiple: true, default: [] },
  },
});
if (values.images === undefined || values.test === undefined) {
  console.error("node bench/bursts.mjs --images TRAIN --test TEST");
  process.exit(2);
}
const arms = values.arms.split(",");
if (
  arms[0] !== "none" ||
  !arms.slice(1).every((name) => /^(long|(dedupe|mutual\d*|truth|chance)\+?)$/.test(name))
) {
  console.error(
    "--arms: none, which the others are compared with, then of long, dedupe, mutual, truth, chance; + after any that has groups",
  );
  process.exit(2);
}
keepSettings(values.out, { ...values, out: undefined, seeds: undefined, arms: undefined });
const at = (...names) => join(values.out, ...names);

const BURSTS = 10; // more of each thing, to ask for
const truthFile = at("truth.json");
if (!existsSync(truthFile)) {
  const { images, test } = values;
  const things = Number(values.things);
  const frames = { least: Number(values.least), most: Number(values.most) };
  const truth = await shoot(images, at("train"), { things, frames, seed: 1 });
  const few = (count) => ({ least: count, most: count });
  await shoot(images, at("again"), { things, bursts: BURSTS, frames: few(3), seed: 2 });
  const unseen = { things: Number(values.unseen), frames: few(1) };
  await shoot(test, at("gallery"), { ...unseen, seed: 3 });
  await shoot(test, at("query"), { ...unseen, bursts: 4, seed: 4 });
  writeFileSync(truthFile, JSON.stringify(truth));
}
const bursts = JSON.parse(readFileSync(truthFile, "utf8")).map((frames) =>
  frames.map(({ path }) => path),
);
const bare = at("bare"); // packing's own groups left out
contrapose("pack", at("train"), "--out", bare, "--set", "nearDuplicates=false", "--quiet");

const flags = trainingFlags(values);

const results = Object.fromEntries(arms.map((name) => [name, []]));
const found = Object.fromEntries(arms.map((name) => [name, []]));

/** Trains an arm and asks it. */
function measured(name, seed, groups) {
  const more = ["--seed", String(seed)];
  if (name === "long") more.push("--epochs", String(2 * Number(values.epochs)));
  if (groups !== undefined) {
    more.push("--groups", groupsFile(at(`groups-${name}-${seed}.json`), groups));
    found[name].push(score(groups, bursts));
  }
  if (name.endsWith("+")) more.push("--samplers", "groupPositives");
  const run = trained(at(`run-${name}-${seed}`), bare, [...flags, ...more]);
  const asked = (train, test) => {
    const sets = ["--train", train, "--test", test, "--k", "1", "--no-baselines", "--quiet"];
    return contrapose("evaluate", run, ...sets);
  };
  const again = asked(bare, at("again"));
  const unseen = asked(at("gallery"), at("query"));
  results[name].push({
    neighbour: again.knn.accuracy,
    linear: again.linear.accuracy,
    unseen: unseen.knn.accuracy,
  });
  return run;
}

/** Groups of the sizes of the bursts, of images drawn at random. */
function shuffled(seed) {
  const images = bursts.flat();
  const order = permutation(randomStream(seed, "groups by chance"), images.length);
  let next = 0;
  return bursts.map((frames) => frames.map(() => images[order[next++]]));
}

for (let seed = 0; seed < Number(values.seeds); seed++) {
  const first = measured("none", seed);
  const find = groupFinder(first, bare, at(`embeddings-${seed}`));
  const groupsOf = (name) => {
    if (name === "long") return undefined;
    if (name === "truth") return bursts;
    if (name === "chance") return shuffled(seed);
    const k = name.startsWith("mutual") ? ["--mutual", name.slice(6) || values.mutual] : [];
    return find(...k);
  };
  for (const name of arms.slice(1)) measured(name, seed, groupsOf(name.replace("+", "")));
}

console.log(`${bursts.flat().length} photos of ${bursts.length} things, ${values.seeds} seeds`);
for (const name of arms.filter((arm) => found[arm].length > 0))
  console.log(`${name}: by pairs, ${foundText(found[name])}`);
console.log();
const measures = {
  neighbour: "seen again, neighbour",
  linear: "seen again, linear",
  unseen: "never seen, neighbour",
};
printDifferences(results, measures);
console.log();
const pairs = [
  ...arms.filter((name) => name.endsWith("+")).map((name) => [name, name.slice(0, -1)]),
  ["mutual", "long"], // of the same time, all in all
];
printPaired(
  results,
  pairs.filter((pair) => pair.every((name) => arms.includes(name))),
  measures,
);
