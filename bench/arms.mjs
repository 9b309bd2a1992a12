// What the benches share that train on one set with several groups of images: settings that stay, groups as a file, runs
// that go on where they stopped, and their differences.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { fixed, plusMinus, signed } from "../dist/compare/written.js";
import { meanInterval, pairedDifference } from "../dist/metrics/index.js";
import { contrapose } from "./runs.mjs";

/** Makes the folder of a bench; ends this process where it holds what other settings made. */
export function keepSettings(folder, values) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "settings.json");
  const settings = JSON.stringify(values, null, 1);
  if (!existsSync(file)) writeFileSync(file, settings);
  if (readFileSync(file, "utf8") === settings) return;
  console.error(`${file} says other settings than were given: choose another --out`);
  process.exit(2);
}

/** Writes groups of ids for `contrapose train --groups`. */
export function groupsFile(path, groups) {
  const several = groups.filter((group) => group.length > 1);
  writeFileSync(path, JSON.stringify({ format: "contrapose-groups", groups: several }));
  return path;
}

/** Trains a run, or as far as it is not trained yet. */
export function trained(run, data, flags) {
  if (existsSync(join(run, "config.json"))) contrapose("train", "--resume", run, "--quiet");
  else contrapose("train", data, "--out", run, ...flags, "--quiet");
  return run;
}

/** Flags of `contrapose train` by the options of a bench. */
export const trainingFlags = (values) => [
  ...["--method", values.method, "--encoder", values.encoder, "--width", values.width],
  ...(values.encoder === "resnet" ? ["--blocks", "1,1,1"] : []),
  ...["--image-size", values.size, "--batch-size", values.batch, "--epochs", values.epochs],
  ...values.set.flatMap((setting) => ["--set", setting]),
];

/**
 * Finds groups of ids by `contrapose dedupe`, with flags, on what the encoder of a run makes of the images: embedded when
 * first asked for, and the same flags are answered once.
 */
export function groupFinder(run, data, table) {
  const found = new Map();
  return (...args) => {
    const key = args.join(" ");
    if (found.size === 0) contrapose("embed", run, data, "--out", table, "--overwrite", "--quiet");
    if (!found.has(key)) {
      const { groups } = contrapose("dedupe", table, "--overwrite", "--quiet", ...args);
      found.set(
        key,
        groups.map(({ images }) => images.map(({ id }) => id)),
      );
    }
    return found.get(key);
  };
}

const bySeed = (records, of) => new Map(records.map((record, seed) => [seed, record[of]]));

/** The paired difference of an arm to another, as a text. */
function difference(results, [arm, to], of) {
  const paired = pairedDifference(bySeed(results[arm], of), bySeed(results[to], of));
  return plusMinus(paired, 100, 1, signed);
}

const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

/** Precision and recall of groups that were found once a seed, as a text. */
export function foundText(scores) {
  const of = (name) => fixed(100 * mean(scores.map((score) => score[name])), 1);
  return `precision ${of("precision")} %, recall ${of("recall")} %`;
}

/**
 * Prints shares as a table, an arm a row, with paired differences to the first: `results[arm]` holds a record for each
 * seed, and `measures` names what is shown, by the name in the records.
 */
export function printDifferences(results, measures) {
  const arms = Object.keys(results);
  const cells = (arm, of) => [
    plusMinus(meanInterval([...bySeed(results[arm], of).values()]), 100, 1),
    arm === arms[0] ? "" : difference(results, [arm, arms[0]], of),
  ];
  console.log("means over seeds ± half their 95 % interval; differences are paired\n");
  const heads = Object.values(measures).flatMap((title) => [`${title} %`, "difference"]);
  console.log(`| groups | ${heads.join(" | ")} |`);
  console.log(`| --- |${heads.map(() => " --- |").join("")}`);
  for (const arm of arms) {
    const row = Object.keys(measures).flatMap((of) => cells(arm, of));
    console.log(`| ${[arm, ...row].join(" | ")} |`);
  }
}

/** Prints paired differences between two arms, a line each pair. */
export function printPaired(results, pairs, measures) {
  for (const [arm, to] of pairs) {
    const each = Object.entries(measures).map(
      ([of, title]) => `${title} ${difference(results, [arm, to], of)}`,
    );
    console.log(`${arm} less ${to}: ${each.join("; ")}`);
  }
}
