import { counted } from "../core/counted.ts";
import type { MeanInterval } from "../metrics/index.ts";
import type { ArmMeasure, ArmSummary, Comparison, MeasureName } from "./comparison.ts";
import { baselinesOf } from "./facts.ts";
import { digitsFor, fixed, overSeeds, plusMinus, signed } from "./written.ts";

/** A table as text: the first column names, the others hold figures. */
export type Table = {
  readonly id: string;
  readonly title: string;
  readonly intro: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What columns mean, by their titles. */
  readonly meanings?: readonly (readonly [name: string, meaning: string])[];
};

const NONE = "–";
const verdicts: Record<string, string> = {
  base: "base",
  better: "better",
  worse: "worse",
  none: "no difference shown",
  few: "too few seeds",
  early: "not all seeds yet",
  control: "control",
};

/** Whether any run could be measured by labels. */
export const isLabelled = ({ arms }: Comparison): boolean =>
  arms.some(({ measures }) => measures.knn !== undefined);

type Column = {
  name: MeasureName;
  title: string;
  scale: number;
  digits: number;
  alone?: true; // without a difference to the base
};

const accuracyColumns = (judged: Comparison["judged"]): readonly Column[] => [
  { name: "knn", title: "k-NN %", scale: 100, digits: 1 },
  {
    name: "knnBalanced",
    title: "balanced %",
    scale: 100,
    digits: 1,
    ...(judged === "knn" ? { alone: true as const } : {}),
  },
  { name: "linear", title: "linear %", scale: 100, digits: 1 },
  { name: "linearBalanced", title: "balanced %", scale: 100, digits: 1, alone: true },
];
const shapeColumns: readonly Column[] = [
  { name: "alignment", title: "alignment", scale: 1, digits: 3 },
  { name: "uniformity", title: "uniformity", scale: 1, digits: 2 },
  { name: "effectiveRank", title: "rank", scale: 1, digits: 1 },
];

function measureCells(measure: ArmMeasure | undefined, { scale, digits, alone }: Column): string[] {
  if (alone) return [measure === undefined ? NONE : overSeeds(measure, scale, digits)];
  if (measure === undefined) return [NONE, ""];
  const { difference } = measure;
  const paired = difference === null ? "" : plusMinus(difference, scale, digits, signed);
  return [overSeeds(measure, scale, digits), paired];
}

function measureRow(arm: ArmSummary, columns: readonly Column[], verdict: boolean) {
  const cells = columns.flatMap((column) => measureCells(arm.measures[column.name], column));
  const said = verdict ? [verdicts[arm.verdict ?? ""] ?? ""] : [];
  return [arm.name, String(arm.seeds.length), ...cells, ...said];
}

/** Level of the differences in words. */
function levelOf({ comparisons }: Comparison): string {
  if (comparisons < 2) return "95 %";
  return `95 % for all ${comparisons} together (Bonferroni)`;
}

function measureTable(
  all: Comparison,
  columns: readonly Column[],
  verdict: boolean,
): Table["rows"] {
  return all.arms.map((arm) => measureRow(arm, columns, verdict));
}

const heads = (columns: readonly Column[]) =>
  columns.flatMap(({ title, alone }) => (alone ? [title] : [title, "difference"]));

/** What learned nothing, as rows below the arms. */
function baselineRows({ baselines, judged }: Comparison): Table["rows"] {
  return baselinesOf(baselines).map(([name, { knn, knnBalanced, linear, linearBalanced }]) => {
    const [vote, even, probe, evenProbe] = [knn, knnBalanced, linear, linearBalanced].map((one) =>
      typeof one === "number" ? fixed(100 * one, 1) : NONE,
    );
    const start = baselines.start === null ? [] : [""];
    return [
      name,
      "",
      vote,
      "",
      even,
      ...(judged === "knn" ? [] : [""]),
      probe,
      "",
      evenProbe,
      "",
      ...start,
    ];
  });
}

const startCell = ({ besideStart }: ArmSummary): string =>
  besideStart === null ? "" : plusMinus(besideStart, 100, 1, signed);

function accuracyTable(all: Comparison): Table {
  const begun = all.baselines.start !== null;
  const start = begun
    ? ` Beside the start: the difference of balanced k-NN to the start, not adapted, ± half its interval, for all ${counted(all.arms.length, "arm")} together.`
    : "";
  const columns = accuracyColumns(all.judged);
  const rows = measureTable(all, columns, true);
  const vote =
    all.judged === "knn" ? "k-NN" : "balanced k-NN, as one class is far larger than the others";
  return {
    id: "accuracy",
    title: "Accuracy",
    intro: `Mean over seeds ± half its 95 % interval (Student's t), of two seeds both; the paired difference to ${all.base} over common seeds ± half its interval, ${levelOf(all)}. Balanced: the mean over the classes of the share of each that is right. Beside ${all.base} is about ${vote}.${start}`,
    head: [
      ...["", "seeds", ...heads(columns), `beside ${all.base}`],
      ...(begun ? ["beside the start"] : []),
    ],
    rows: [
      ...rows.map((row, i) => (begun ? [...row, startCell(all.arms[i])] : row)),
      ...baselineRows(all),
    ],
  };
}

function shapeTable(all: Comparison): Table {
  return {
    id: "shape",
    title: "Features",
    intro:
      "Alignment: squared distance of two views of an image, 0 the same, 2 unrelated. Uniformity: lower is more even. Rank: directions that the features use. None of them says by itself which encoder is better. Differences are paired, their intervals corrected as those of accuracies are.",
    head: ["", "seeds", ...heads(shapeColumns)],
    rows: measureTable(all, shapeColumns, false),
  };
}

const measured = (measure: ArmMeasure | undefined, digits: number): string =>
  measure === undefined ? NONE : fixed(measure.mean, digits);

/** Median over seeds: one run that other programs held up hardly moves it. */
function medianOf(measure: ArmMeasure | undefined): number | undefined {
  if (measure === undefined) return undefined;
  const sorted = Object.values(measure.bySeed).sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

const typical = (measure: ArmMeasure | undefined, digits?: number): string => {
  const value = medianOf(measure);
  return value === undefined ? NONE : fixed(value, digits ?? digitsFor(value));
};

/** `2`, `1.3` with a sign: views of an image. */
const views = (value: number): string =>
  value === 0 ? "0" : signed(value, Number.isInteger(value) ? 0 : 2);

function costRow(arm: ArmSummary, [base]: readonly ArmSummary[]) {
  const { measures, extraPasses, epochs, steps } = arm;
  const [own, theirs] = [measures, base.measures].map((of) => medianOf(of.secondsPerEpoch));
  const times = own === undefined || theirs === undefined ? NONE : `${fixed(own / theirs, 2)} ×`;
  return [
    ...[arm.name, String(epochs), String(steps), typical(measures.seconds)],
    ...[typical(measures.secondsPerEpoch), times],
    ...[views(extraPasses.gradient), views(extraPasses.forward), typical(measures.memoryMiB, 0)],
    `${measured(measures.loss, 3)} / ${measured(measures.chanceLoss, 3)}`,
  ];
}

function costTable(all: Comparison): Table {
  const busy =
    all.parallel === 1
      ? "Runs were made one after the other"
      : `${all.parallel} runs were made at once`;
  return {
    id: "cost",
    title: "Cost",
    intro: `${busy}, with ${counted(all.threads, "thread")} each. Times and memory: medians over seeds. Extra views: passes of the encoder for an image in an epoch beyond those of ${all.base}, with gradient and without. Memory: the most that the process took. Loss: mean of the last epoch beside the loss of embeddings that know nothing; it compares nothing between losses.`,
    head: [
      ...["", "epochs", "steps", "seconds", "s / epoch", `× ${all.base}`],
      ...["extra views", "without gradient", "MiB", "loss / chance"],
    ],
    rows: all.arms.map((arm) => costRow(arm, all.arms)),
  };
}

function figureCell(figure: MeanInterval | undefined): string {
  return figure === undefined ? NONE : plusMinus(figure, 1, digitsFor(figure.mean));
}

const MOST_FIGURES = 6; // columns of a table that fit beside each other

const samplingIntro =
  "Means over the last third of the steps, over seeds ± half the 95 % interval, on up to 64 anchors of a step. Figures by label only where labels are known.";

const meaningsOf = ({ meanings }: Comparison, names: readonly string[]): [string, string][] =>
  names.flatMap((name): [string, string][] =>
    meanings[name] === "" ? [] : [[name, meanings[name]]],
  );

/** What was measured of the sampling: figures that all arms have beside each other, then those of some, one a row. */
function samplingTables(all: Comparison): Table[] {
  const { arms } = all;
  const names = Object.keys(all.meanings);
  const measuredArms = arms.filter(({ sampling }) => Object.keys(sampling).length > 0);
  const common = names.filter((name) =>
    measuredArms.every(({ sampling }) => sampling[name] !== undefined),
  );
  const pages = Array.from({ length: Math.ceil(common.length / MOST_FIGURES) }, (_, i) =>
    common.slice(i * MOST_FIGURES, (i + 1) * MOST_FIGURES),
  );
  const tables = pages.map((page, i): Table => ({
    id: i === 0 ? "sampling" : `sampling-${i + 1}`,
    title: i === 0 ? "Quality of the sampling" : `Quality of the sampling (${i + 1})`,
    intro: samplingIntro,
    head: ["", ...page],
    rows: arms.map(({ name, sampling }) => [name, ...page.map((one) => figureCell(sampling[one]))]),
    meanings: meaningsOf(all, page),
  }));
  const some = names.filter((name) => !common.includes(name));
  if (some.length === 0) return tables;
  const own: Table = {
    id: "sampling-own",
    title: "What only some methods do",
    intro: `Figures that not every arm has, arm by arm. ${samplingIntro}`,
    head: ["", "figure", "value"],
    rows: arms.flatMap(({ name, sampling }) =>
      some
        .filter((one) => sampling[one] !== undefined)
        .map((one) => [name, one, figureCell(sampling[one])]),
    ),
    meanings: meaningsOf(all, some),
  };
  return [...tables, own];
}

/** The tables of a comparison in their order, as text for terminal, Markdown and page alike. */
export function tablesOf(all: Comparison): Table[] {
  return [
    ...(isLabelled(all) ? [accuracyTable(all)] : []),
    ...[shapeTable(all), costTable(all), ...samplingTables(all)],
  ];
}
