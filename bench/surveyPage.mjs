// The survey's page: differences at a glance, what was run, and the tables of every set, without saying anything twice.

import { factsOf, tablesOf } from "../dist/compare/index.js";
import { fixed, plusMinus, signed } from "../dist/compare/written.js";
import { pairedDifference, verdictOf } from "../dist/metrics/index.js";
import { methods } from "../dist/train/index.js";
import { intervalsSvg } from "./intervalsSvg.mjs";

const intro = `# The survey, measured

The methods of the survey of positive and negative sampling (arXiv:2502.08134) and its open question, beside plain SimCLR, on three sets of
images: the same images, encoder, epochs and seeds for all, and a preset's own views, pairs and loss. Nothing was tuned for any of them.
These are short trainings of a small net on two cores, so they say what a method does here, and nothing about what it does in a thousand
epochs of a large one. What each method does to its pairs, one claim at a time: [experiments.md](experiments.md).

This page is made by \`node bench/survey.mjs --page\` from \`bench/results\`; FOLDER in a command is that of the real images.
\`node scripts/checkFigures.mjs\` fails where the code that a figure depends on has changed since.`;

const line = (cells) => `| ${cells.join(" | ")} |`;
/** A table whose first columns, or those of the numbers in `left`, are words. */
const table = (head, rows, left = [0]) =>
  [
    line(head),
    line(head.map((_, i) => (left.includes(i) ? "---" : "---:"))),
    ...rows.map(line),
  ].join("\n");
const armOf = ({ arms }, wanted) => arms.find(({ name }) => name === wanted);
const named = (name, { usesLabels }) => `\`${name}\`${usesLabels ? " (labels)" : ""}`;

/** `+1.2 ± 3.4` points, bold where a difference is called one. */
function points(difference) {
  const cell = plusMinus(difference, 100, 1, signed);
  return ["better", "worse"].includes(verdictOf(difference)) ? `**${cell}**` : cell;
}

const kinds = { knn: "k-NN", linear: "linear" };

/** Points of a kind of accuracy beside the base. */
function differenceCell(all, name, kind) {
  const measure = armOf(all, name)?.measures[kind];
  if (measure === undefined) return "–";
  if (name === all.base) return `${fixed(100 * measure.mean, 1)} %`;
  return measure.difference === null ? "–" : points(measure.difference);
}

/** What an encoder that was not trained, or the pixels themselves, are beside the base. */
function baselineCell(all, baseline, kind) {
  const own = all.baselines[baseline]?.[kind];
  if (own === undefined) return "–";
  return points({ mean: own - armOf(all, all.base).measures[kind].mean, half: null, n: 1 });
}

const columnsOf = (done) =>
  done.flatMap(({ survey, all }) =>
    Object.keys(kinds).map((kind) => ({ all, kind, title: `${survey.short}, ${kinds[kind]}` })),
  );

/** Views of an image in a step: with gradient, and without. */
const viewsOf = ({ passes: { gradient, forward } }) =>
  forward === 0 ? String(gradient) : `${gradient} + ${forward}`;

function glance(done) {
  const columns = columnsOf(done);
  const [{ all: first }] = done;
  const baselines = { untrained: "the same encoder, untrained", pixels: "raw pixels" };
  const rows = [
    ...first.arms.map((arm) => [
      named(arm.name, arm),
      ...columns.map(({ all, kind }) => differenceCell(all, arm.name, kind)),
      viewsOf(arm),
    ]),
    ...Object.entries(baselines).map(([baseline, words]) => [
      words,
      ...columns.map(({ all, kind }) => baselineCell(all, baseline, kind)),
      "",
    ]),
  ];
  return [
    "## At a glance",
    `Accuracy of \`${first.base}\`, and the points by which the others lie above or below it: means of the paired differences over seeds, ± half their interval, bold where it leaves 0 out. Intervals hold at 95 % for all ${first.comparisons} comparisons of a column together, which with few seeds makes them wide: about 2.25 times that of one comparison alone with five seeds. Columns are not corrected for each other. Intervals are over seeds, for these test images. Methods marked "labels" are controls that train with the labels: they say how much there is to gain. The last column: views of an image that are encoded in a step, with gradient + without.`,
    table(["", ...columns.map(({ title }) => title), "views"], rows),
  ];
}

/** Methods beside the one they build on, and what differs. */
const relatives = [
  ["hcl", "debiased", "weights negatives by e^(β s), β 1"],
  ["ring", "moco", "negatives from a ring"],
  ["mochi", "moco", "mixtures of hard negatives"],
  ["looc", "moco", "a space for each augmentation, keys that share some of them"],
  ["invp", "instDisc", "positives along the graph, temperature 0.2, a head of two layers"],
];

function relativeCell(all, name, other) {
  const bySeed = (wanted) => new Map(Object.entries(armOf(all, wanted)?.measures.knn.bySeed ?? {}));
  const step = 1 / all.data.testImages;
  const difference = pairedDifference(bySeed(name), bySeed(other), relatives.length, step);
  return difference.n === 0 ? "–" : points(difference);
}

const relativesPart = (done) => [
  `Some stand on another method, and what that costs or gains here is not theirs. Points of k-NN beside their nearest relative, intervals of 95 % for the ${relatives.length} of a column together:`,
  table(
    ["", "beside", "what differs", ...done.map(({ survey }) => survey.short)],
    relatives.map(([name, other, what]) => [
      ...[`\`${name}\``, `\`${other}\``, what],
      ...done.map(({ all }) => relativeCell(all, name, other)),
    ]),
    [0, 1, 2],
  ),
];

/** The command that made a survey. */
export function commandOf({ name, data }, { parallel }) {
  const shared = data.sample === undefined ? " --shared FOLDER" : "";
  return `node bench/survey.mjs ${name}${shared} --parallel ${parallel}`;
}

/** A config on one line, as YAML writes it. */
function written(value) {
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const entries = Object.entries(value).map(([name, inner]) => `${name}: ${written(inner)}`);
  return `{ ${entries.join(", ")} }`;
}

function whatWasRun(surveys, { arms }) {
  const rows = arms.map((arm) => {
    const { summary, source, config } = methods[arm.method];
    const { temperature } = config.loss;
    return [named(arm.name, arm), summary, config.framework.name, String(temperature), source];
  });
  const settings = surveys.map(
    ({ survey: { name, short, epochs, config } }) =>
      `- ${short}: ${epochs} epochs, ${Object.entries(config)
        .map(([key, value]) => `${key} ${written(value)}`)
        .join(", ")} ([survey/${name}.yaml](../bench/survey/${name}.yaml))`,
  );
  return [
    "## What was run",
    "Where presets differ from their papers is said in [methods.md](methods.md#where-presets-differ-from-their-papers). Epochs and updates are equal, so time is not: a step encodes as many views of each image as the table above says. `contrapose compare --budget 10m` asks the other question, equal time.",
    table(["", "what it does", "framework", "τ", "source"], rows, [0, 1, 2, 4]),
    settings.join("\n"),
  ];
}

/** Paired differences of k-NN and linear accuracy over seeds with their intervals. */
function chartOf({ title }, all) {
  const { arms, base } = all;
  const row = (arm, kind) => {
    const measure = arm.measures[kind];
    if (measure === undefined) return undefined;
    const value = 100 * measure.mean;
    if (arm.name === base || measure.difference === null) return { value };
    const theirs = armOf(all, base).measures[kind].bySeed;
    const values = Object.entries(measure.bySeed).flatMap(([seed, own]) =>
      seed in theirs ? [100 * (own - theirs[seed])] : [],
    );
    const { mean, half } = measure.difference;
    return { value, mean: 100 * mean, half: half === null ? null : 100 * half, values };
  };
  const panels = Object.entries(kinds).map(([kind, words]) => ({
    title: `${words} accuracy, difference in points`,
    rows: arms.map((arm) => row(arm, kind)),
  }));
  const names = arms.map(({ name }) => ({ name, base: name === base }));
  return intervalsSvg(`${title}: every method beside ${base}`, names, panels);
}

const legend =
  "A short line is the mean difference, the long one its corrected interval, a dot a seed, the number at the right the accuracy.";

function tableText({ title, intro, head, rows }, isFirst) {
  return [`### ${title}`, ...(isFirst ? [intro] : []), table(head, rows)];
}

function sectionOf({ survey, all }, isFirst) {
  const { title, about, found, name } = survey;
  const head = [`## ${title}`, about.trim()];
  if (all === undefined) return [...head, "Not measured yet."];
  const facts = factsOf(all).map(([fact, value]) => `- ${fact}: ${value}`);
  return [
    ...head,
    ...(found === undefined ? [] : [found.trim()]),
    `![Differences of accuracy with their intervals](figures/survey/${name}.svg)`,
    ...(isFirst ? [legend] : []),
    facts.join("\n"),
    ...tablesOf(all).flatMap((one) => tableText(one, isFirst)),
    `Command: \`${commandOf(survey, all)}\`; Contrapose ${all.contrapose}.`,
  ];
}

/** What the figures of sampling mean, once for all sets. */
function glossary(done) {
  const meanings = new Map(done.flatMap(({ all }) => Object.entries(all.meanings)));
  const lines = [...meanings]
    .filter(([, meaning]) => meaning !== "")
    .map(([name, meaning]) => `- \`${name}\`: ${meaning}`);
  return [
    "## What the figures of sampling mean",
    "Explained in [methods.md](methods.md). `effectiveNegatives` and `hardness` depend on how many candidates an anchor has (all other views of the batch, a queue or a bank) and on the temperature, so they compare methods of one framework and temperature.",
    lines.join("\n"),
  ];
}

/** `surveys` in the order of the page, each with its comparison or undefined; `found`: what was seen, in words. */
export function renderSurvey(surveys, found) {
  const done = surveys.filter(({ all }) => all !== undefined);
  const summary = done.length === 0 ? [] : [...glance(done), found, ...relativesPart(done)];
  const parts = [
    intro,
    ...summary,
    ...(done.length === 0 ? [] : whatWasRun(surveys, done[0].all)),
    ...surveys.flatMap((one) => sectionOf(one, one === done[0])),
    ...(done.length === 0 ? [] : glossary(done)),
  ];
  return {
    page: `${parts.filter((part) => part !== "").join("\n\n")}\n`,
    charts: new Map(done.map(({ survey, all }) => [survey.name, chartOf(survey, all)])),
  };
}
