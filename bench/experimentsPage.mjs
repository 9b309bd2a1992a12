// Markdown of the experiments' page: a table an experiment, mean with a 95 % interval over seeds, and the paired
// difference to the first arm, or to the one that an arm is set against.

import { meanInterval, pairedDifference } from "../dist/metrics/index.js";
import { standing } from "../scripts/codeOf.mjs";

const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");
const shown = ({ mean, half }, scale, digits, sign = "") => {
  const plus = sign !== "" && mean >= 0 ? "+" : "";
  const width = half === null ? "" : ` ± ${fixed(scale * half, digits)}`;
  return `${plus}${fixed(scale * mean, digits)}${width}`;
};

/** Runs of the newest config of each arm, by arm and seed. */
function byArm({ arms, runs }) {
  return arms.map(({ name, about, against = arms[0].name }) => {
    const own = runs.filter(({ arm }) => arm === name);
    const seeds = new Map(own.map((run) => [run.seed, run])); // later lines win
    return { name, about, against, seeds };
  });
}

function probeTable(experiment, arms, probe, kind) {
  const value = (run) => run.probes[probe]?.[kind];
  const rows = arms.map(({ name, against, seeds }) => {
    const base = arms.find((arm) => arm.name === against);
    const runs = [...seeds.values()].filter((run) => typeof value(run) === "number");
    if (runs.length === 0) return [name, "not run", ""];
    const bySeed = (all) => new Map(all.map((run) => [run.seed, value(run)]));
    const theirs = [...base.seeds.values()].filter((run) => typeof value(run) === "number");
    const difference = pairedDifference(bySeed(runs), bySeed(theirs));
    const paired = name === base.name || difference.n === 0 ? "" : shown(difference, 100, 1, "+");
    return [name, shown(meanInterval(runs.map(value)), 100, 1), paired];
  });
  return rows;
}

function figureCell({ seeds }, name) {
  const thirds = [0, 2].map((i) =>
    [...seeds.values()]
      .map(({ figures }) => figures[name]?.[i])
      .filter((x) => typeof x === "number"),
  );
  if (thirds[1].length === 0) return "";
  const digits = Math.abs(meanInterval(thirds[1]).mean) < 10 ? 3 : 0;
  const [first, last] = thirds.map((numbers) =>
    numbers.length === 0 ? "–" : fixed(meanInterval(numbers).mean, digits),
  );
  return `${first} → ${last}`;
}

const notes = { other: ", measured with other code", unknown: ", code unknown" };
/** What is to be said of the code that an arm was measured with; nothing where it is that of today. */
function codeNote({ seeds }) {
  const kinds = [...seeds.values()].map(standing);
  return notes[["other", "unknown"].find((kind) => kinds.includes(kind))] ?? "";
}

const table = (head, rows) => {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
};

function section(experiment) {
  const arms = byArm(experiment);
  const {
    title,
    question,
    conclusion,
    probes = { own: ["knn"] },
    figures = [],
    runs,
    name,
  } = experiment;
  const seeds = new Set(runs.map(({ seed }) => seed));
  const columns = Object.entries(probes).flatMap(([probe, kinds]) =>
    kinds.map((kind) => ({
      probe,
      kind,
      title: `${probe === "own" ? "" : `${probe}, `}${kind === "knn" ? "k-NN" : "linear"} %`,
    })),
  );
  const tables = columns.map(({ probe, kind }) => probeTable(experiment, arms, probe, kind));
  const head = ["", ...columns.flatMap(({ title }) => [title, "difference"]), ...figures];
  const rows = arms.map((arm, i) => [
    (arm.about === undefined ? `**${arm.name}**` : `**${arm.name}**: ${arm.about}`) + codeNote(arm),
    ...tables.flatMap((part) => part[i].slice(1)),
    ...figures.map((figure) => figureCell(arm, figure)),
  ]);
  const machine = [...new Set(runs.map(({ machine }) => machine))].join("; ");
  return [
    `## ${title}`,
    question.trim(),
    runs.length === 0 ? "Not run yet." : table(head, rows),
    (conclusion ?? "").trim(),
    runs.length === 0
      ? `Command: \`node bench/experiments.mjs ${name}\``
      : `Command: \`node bench/experiments.mjs ${name}\`; seeds ${[...seeds].sort().join(", ")}; ${machine}.`,
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

/** The page of all experiments. */
export function renderPage(experiments) {
  const intro = `# What each method does, measured

Small experiments, one for each claim: the same data, encoder, number of steps and seeds in every arm. Accuracies are those of
held-out images by the encoder's features (k-NN: k 20, temperature 0.07; linear: a probe on frozen features). "±" is the 95 %
interval of the mean over seeds (Student's t), "difference" that of the paired differences to the first arm (or to the arm that is
named), not corrected for the number of arms. An interval that holds 0 says that these runs do not tell the arms apart. Figures written as a → b are means over
the first and the last third of the steps. "Measured with other code": what the figures depend on has changed since then.
This page is made by \`node bench/experiments.mjs --page\` from \`bench/results\`; the configs are in \`bench/experiments\`.`;
  const ordered = [...experiments].sort((a, b) => (a.order ?? 99) - (b.order ?? 99));
  return `${[intro, ...ordered.map(section)].join("\n\n")}\n`;
}
