import { lineChart, type LineChart, type LineSeries } from "../charts/lineChart.ts";
import { figure, grouped, percentage } from "../markup/figures.ts";
import { html } from "../markup/html.ts";
import type { EpochBaselines, EpochPoint, TrainingPoint } from "../reportData.ts";
import { percentTick } from "./headline.ts";
import { section, type Section } from "./section.ts";

/** Curves over steps and epochs; `undefined` where there are none. */
export function training(
  points: readonly TrainingPoint[] = [],
  epochs: readonly EpochPoint[] = [],
  baselines?: EpochBaselines,
): Section | undefined {
  const charts = [
    lossChart(points),
    knnChart(epochs, baselines),
    agreementChart(epochs, baselines),
    similarityChart(points),
    rankChart(epochs),
    ...paceCharts(points),
  ].flatMap((chart) => lineChart(chart) ?? []);
  if (charts.length === 0) return undefined;
  return section("training", "Training", intro(points), html`<div class="charts">${charts}</div>`);
}

function intro(points: readonly TrainingPoint[]): string | undefined {
  const last = points.at(-1);
  if (!last) return undefined;
  const steps = `${grouped(last.step + 1)} steps`;
  return points.length > 200
    ? `${steps}. Lines are means of neighbouring steps, the light bands reach from the lowest to the highest of them.`
    : `${steps}.`;
}

const column = <T, K extends keyof T>(points: readonly T[], key: K): T[K][] =>
  points.map((point) => point[key]);

/** A chart over steps, whose tooltips also tell the epoch. */
export function overSteps(
  points: readonly TrainingPoint[],
  chart: Omit<LineChart, "x" | "xName" | "describe">,
): LineChart {
  const describe = (first: number, last: number) => {
    const [from, to] = [points[first], points[last]];
    const epoch = `epoch ${grouped(Math.floor(to.epoch))}`;
    return first === last
      ? `step ${grouped(to.step)}, ${epoch}`
      : `mean of steps ${grouped(from.step)} to ${grouped(to.step)}, ${epoch}`;
  };
  return { ...chart, xName: "step", x: column(points, "step"), describe };
}

function overEpochs(
  points: readonly EpochPoint[],
  chart: Omit<LineChart, "x" | "xName">,
): LineChart {
  return { ...chart, xName: "epoch", x: column(points, "epoch") };
}

const lossChart = (points: readonly TrainingPoint[]): LineChart =>
  overSteps(points, {
    title: "Loss",
    yName: "nats",
    format: (value) => grouped(value, 3),
    series: [
      { name: "loss", values: column(points, "loss"), tone: "accent" },
      { name: "chance", values: column(points, "chanceLoss"), tone: "muted", dashed: true },
    ],
  });

/** A level over all epochs: nothing where it was not measured or no curve lies beside it. */
const level = (
  name: string,
  value: number | undefined,
  curve: readonly (number | undefined)[],
  tone: LineSeries["tone"],
): LineSeries => {
  const drawn = value !== undefined && curve.some((one) => Number.isFinite(one));
  return { name, values: drawn ? curve.map(() => value) : [], tone, dashed: true };
};

const knnChart = (epochs: readonly EpochPoint[], baselines?: EpochBaselines): LineChart => {
  const accuracy = column(epochs, "knnAccuracy");
  const { knnPixels, knnStart, startName = "", asked } = baselines ?? {};
  return overEpochs(epochs, {
    title: "k-NN accuracy",
    yName: asked === undefined ? "share right" : `share right of ${asked}`,
    include: [0],
    format: (value) => percentage(value),
    formatTick: percentTick,
    series: [
      { name: "k-NN", values: accuracy, tone: "accent" },
      level("raw pixels", knnPixels, accuracy, "ink"),
      level(startName, knnStart, accuracy, "muted"),
      level("chance", epochs.at(-1)?.knnChance, accuracy, "muted"),
    ],
  });
};

const agreementChart = (epochs: readonly EpochPoint[], baselines?: EpochBaselines): LineChart => {
  const agreement = column(epochs, "viewAgreement");
  const { agreementPixels, agreementStart, startName = "" } = baselines ?? {};
  return overEpochs(epochs, {
    title: "Views that find each other",
    yName: "share of images",
    include: [0],
    format: (value) => percentage(value),
    formatTick: percentTick,
    series: [
      { name: "this run", values: agreement, tone: "accent" },
      level("raw pixels", agreementPixels, agreement, "ink"),
      level(startName, agreementStart, agreement, "muted"),
    ],
  });
};

const similarityChart = (points: readonly TrainingPoint[]): LineChart =>
  overSteps(points, {
    title: "Similarity of pairs",
    yName: "mean cosine",
    format: (value) => grouped(value, 3),
    series: [
      { name: "positives", values: column(points, "positiveSimilarity"), tone: "accent" },
      { name: "negatives", values: column(points, "negativeSimilarity"), tone: "ink" },
    ],
  });

const rankChart = (epochs: readonly EpochPoint[]): LineChart =>
  overEpochs(epochs, {
    title: "Effective rank",
    yName: "directions",
    include: [0],
    series: [{ name: "effective rank", values: column(epochs, "effectiveRank"), tone: "accent" }],
  });

const paceCharts = (points: readonly TrainingPoint[]): LineChart[] => [
  overSteps(points, {
    title: "Learning rate",
    yName: "rate",
    include: [0],
    series: [{ name: "learning rate", values: column(points, "learningRate"), tone: "accent" }],
  }),
  overSteps(points, {
    title: "Speed",
    yName: "images a second",
    include: [0],
    format: (value) => figure(value),
    series: [
      { name: "images a second", values: column(points, "imagesPerSecond"), tone: "accent" },
    ],
  }),
  overSteps(points, {
    title: "Waiting for data",
    yName: "share of time",
    include: [0],
    format: (value) => percentage(value),
    formatTick: percentTick,
    series: [{ name: "share of time", values: column(points, "dataWaitShare"), tone: "accent" }],
  }),
];
