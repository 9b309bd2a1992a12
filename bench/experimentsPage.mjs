// Markdown of the experiments' page: a table an experiment, mean with a 95 % interval over seeds, and the paired
// difference to the first arm, or to the one that an arm is set against.

import { figureMeanings } from "../dist/compare/index.js";
import { meanInterval, pairedDifference } from "../dist/metrics/index.js";
import { standing } from "../scripts/codeOf.mjs";
import { runOf } from "./experimentConfig.mjs";
import { intervalsSvg } from "./intervalsSvg.mjs";

const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");
const shown = ({ mean, half }, scale, digits, sign = "") => {
  const plus = sign !== "" && mean >= 0 ? "+" : "";
  const width = half === null ? "" : ` ± ${fixed(scale * half, digits)}`;
  return `${plus}${fixed(scale * mean, digits)}${width}`;
};

/** The newest run of each arm and seed with the config that the experiment has now. */
function byArm(experiment) {
  const { arms, runs } = experiment;
  return arms.map((arm) => {
    const { name, about, against = arms[0].name } = arm;
    const isOwn = (run) => run.arm === name && run.hash === runOf(experiment, arm, run.seed).hash;
    const own = runs.filter(isOwn);
    const seeds = new Map(own.map((run) => [run.seed, run])); // later lines win
    return { name, about, against, seeds };
  });
}

/**
 * A probe of every arm over seeds, in per cent: its mean with the interval, and where it is set against another arm the
 * paired difference with that of each seed; undefined where the arm has no run.
 */
function compared(arms, probe, kind) {
  const bySeed = ({ seeds }) =>
    new Map(
      [...seeds].flatMap(([seed, run]) => {
        const value = run.probes[probe]?.[kind];
        return typeof value === "number" ? [[seed, 100 * value]] : [];
      }),
    );
  return arms.map((arm) => {
    const mine = bySeed(arm);
    if (mine.size === 0) return undefined;
    const accuracy = meanInterval([...mine.values()]);
    const theirs = bySeed(arms.find(({ name }) => name === arm.against));
    const difference = pairedDifference(mine, theirs);
    if (arm.name === arm.against || difference.n === 0) return { accuracy };
    const shared = [...mine].filter(([seed]) => theirs.has(seed));
    const values = shared.map(([seed, value]) => value - theirs.get(seed));
    return { accuracy, difference: { ...difference, values } };
  });
}

/** Mean of a figure over the first and the last third of the steps, and the interval of its growth over seeds. */
function figureCell({ seeds }, name) {
  const thirds = [...seeds.values()].map(({ figures }) => figures[name] ?? []);
  const known = (i) => thirds.map((all) => all[i]).filter((value) => typeof value === "number");
  if (known(2).length === 0) return "";
  const last = meanInterval(known(2));
  const digits = Math.abs(last.mean) < 10 ? 3 : 0;
  const both = thirds.filter(
    ([first, , end]) => typeof first === "number" && typeof end === "number",
  );
  if (both.length === 0) return shown(last, 1, digits);
  const first = meanInterval(known(0));
  const growth = meanInterval(both.map(([from, , to]) => to - from));
  return `${fixed(first.mean, digits)} → ${fixed(last.mean, digits)} (${shown(growth, 1, digits, "+")})`;
}

const notes = { other: ", measured with other code", unknown: ", code unknown" };
/** What is to be said of the code that an arm was measured with; nothing where it is that of today. */
function codeNote({ seeds }) {
  const kinds = [...seeds.values()].map((run) => standing(run));
  return notes[["other", "unknown"].find((kind) => kinds.includes(kind))] ?? "";
}

const table = (head, rows) => {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
};

/** Accuracies of all arms and their differences, a pair of columns for each probe and kind. */
function accuracyTable({ probes }, arms) {
  const columns = Object.entries(probes).flatMap(([probe, kinds]) =>
    kinds.map((kind) => ({
      cells: compared(arms, probe, kind),
      title: `${probe === "own" ? "" : `${probe}, `}${kind === "knn" ? "k-NN" : "linear"} %`,
    })),
  );
  const cell = (found) => {
    if (found === undefined) return ["not run", ""];
    const { accuracy, difference } = found;
    return [shown(accuracy, 1, 1), difference === undefined ? "" : shown(difference, 1, 1, "+")];
  };
  const rows = arms.map((arm, i) => [
    (arm.about === undefined ? `**${arm.name}**` : `**${arm.name}**: ${arm.about}`) + codeNote(arm),
    ...columns.flatMap(({ cells }) => cell(cells[i])),
  ]);
  return table(["", ...columns.flatMap(({ title }) => [title, "difference"])], rows);
}

/** What was sampled, of the arms of which anything is known, and what the figures mean. */
function figureTable({ figures = [] }, arms) {
  const meaningOf = figureMeanings();
  const rows = arms.map((arm) => [arm.name, ...figures.map((name) => figureCell(arm, name))]);
  const known = rows.filter(([, ...cells]) => cells.some((cell) => cell !== ""));
  if (known.length === 0) return "";
  const kept = figures.map((_, i) => known.some((row) => row[i + 1] !== ""));
  const pick = (cells) => cells.filter((_, i) => i === 0 || kept[i - 1]);
  const meanings = figures
    .filter((name, i) => kept[i] && name in meaningOf)
    .map((name) => `- \`${name}\`: ${meaningOf[name]}`);
  return [
    table(pick(["", ...figures.map((name) => `\`${name}\``)]), known.map(pick)),
    meanings.join("\n"),
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

/** Chart of an experiment: paired differences of k-NN accuracy in points, beside the accuracy itself, a panel a probe. */
function chartOf({ probes, title }, arms) {
  const panels = Object.keys(probes).map((probe) => ({
    title: `${probe === "own" ? "" : `${probe}: `}k-NN accuracy, difference in points`,
    rows: compared(arms, probe, "knn").map(
      (found) => found && { value: found.accuracy.mean, ...found.difference },
    ),
  }));
  const names = arms.map(({ name }) => ({
    name,
    base: arms.some(({ against }) => against === name),
  }));
  return intervalsSvg(title, names, panels);
}

function section(experiment) {
  const arms = byArm(experiment);
  const { title, question, conclusion = "", runs, name, data } = experiment;
  const seeds = new Set(runs.map(({ seed }) => seed));
  const shared = data.sample === undefined ? " --shared FOLDER" : "";
  const command = `Command: \`node bench/experiments.mjs ${name}${shared}\``;
  const machine = [...new Set(runs.map(({ machine }) => machine))].join("; ");
  const parts =
    runs.length === 0
      ? ["Not run yet.", command]
      : [
          `![Differences of k-NN accuracy with their intervals](figures/experiments/${name}.svg)`,
          conclusion.trim(),
          accuracyTable(experiment, arms),
          figureTable(experiment, arms),
          `${command}; seeds ${[...seeds].sort().join(", ")}; ${machine}.`,
        ];
  return [`## ${title}`, question.trim(), ...parts].filter((text) => text !== "").join("\n\n");
}

/** What is claimed and what was seen, a line an experiment. */
const overview = (experiments) =>
  table(
    ["", "what is claimed", "what was seen here"],
    experiments.map(({ title, claim, here, runs }) => {
      const anchor = title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} -]/gu, "")
        .replaceAll(" ", "-");
      return [
        `[${title}](#${anchor})`,
        claim ?? "",
        runs.length === 0 ? "not run yet" : (here ?? ""),
      ];
    }),
  );

/** The page of all experiments. */
export function renderPage(experiments) {
  const intro = `# What each method does, measured

Small experiments, one for each claim: the same data, encoder, number of steps and seeds in every arm. Accuracies are those of
held-out images by the encoder's features (k-NN: k 20, temperature 0.07; linear: a probe on frozen features). "±" is the 95 %
interval of the mean over seeds (Student's t), "difference" that of the paired differences to the first arm (or to the arm that is
named), not corrected for the number of arms. An interval that holds 0 says that these runs do not tell the arms apart. In the charts a short line is
the mean difference, the long one its interval, a dot a seed, and the number the accuracy; shaded is what others are set against. Figures written as a → b are means over the first and the last third of the steps, with the interval of their difference
over seeds in brackets. "Measured with other code": what the figures depend on has changed since then. FOLDER in a command is that of the real images.
The words are those of [methods.md](methods.md). All runs are short, of small nets on a CPU: what fails to appear in them may appear in longer ones.

This page is made by \`node bench/experiments.mjs --page\` from \`bench/results\`; the configs are in \`bench/experiments\`.`;
  const ordered = [...experiments].sort((a, b) => (a.order ?? 99) - (b.order ?? 99));
  return `${[intro, overview(ordered), ...ordered.map(section)].join("\n\n")}\n`;
}

/** The charts of all experiments that were run: name and SVG. */
export const renderCharts = (experiments) =>
  experiments
    .filter(({ runs }) => runs.length > 0)
    .map((experiment) => [experiment.name, chartOf(experiment, byArm(experiment))]);
