import { lineChart, type LineSeries } from "../charts/lineChart.ts";
import { figure, grouped, percentage } from "../markup/figures.ts";
import { html } from "../markup/html.ts";
import type { TrainingPoint } from "../reportData.ts";
import { percentTick } from "./headline.ts";
import { section, type Section } from "./section.ts";
import { overSteps } from "./training.ts";

type Curve = { metric: string; name: string; tone?: LineSeries["tone"]; dashed?: boolean };
type Figure = { title: string; unit: "share" | "cosine" | "count"; curves: readonly Curve[] };

/** Charts of the sampling; one is shown where any of its metrics was measured. */
const figures: readonly Figure[] = [
  {
    title: "False negatives",
    unit: "share",
    curves: [
      { metric: "falseNegatives", name: "among those used" },
      { metric: "falseNegativeRate", name: "among all", tone: "muted", dashed: true },
    ],
  },
  {
    title: "Detection of false negatives",
    unit: "share",
    curves: [
      { metric: "detectionPrecision", name: "precision" },
      { metric: "detectionRecall", name: "recall", tone: "ink" },
      { metric: "falseNegativeRate", name: "chance", tone: "muted", dashed: true },
    ],
  },
  {
    title: "Found positives",
    unit: "share",
    curves: [
      { metric: "positivePurity", name: "of the anchor's label" },
      { metric: "falseNegativeRate", name: "chance", tone: "muted", dashed: true },
    ],
  },
  {
    title: "Demoted views",
    unit: "share",
    curves: [
      { metric: "demotedShare", name: "of all views", tone: "muted" },
      { metric: "demotionPrecision", name: "precision" },
      { metric: "demotionRecall", name: "recall", tone: "ink" },
    ],
  },
  { title: "Hardness", unit: "cosine", curves: [{ metric: "hardness", name: "negatives" }] },
  {
    title: "Negatives that carry the loss",
    unit: "count",
    curves: [{ metric: "effectiveNegatives", name: "effective number" }],
  },
  {
    title: "Clamped anchors",
    unit: "share",
    curves: [{ metric: "clampedShare", name: "without gradient from negatives" }],
  },
  {
    title: "Crops and objects",
    unit: "share",
    curves: [
      { metric: "objectCoverage", name: "of the object inside" },
      { metric: "objectMissed", name: "crops that miss it", tone: "ink" },
    ],
  },
];

const formats = {
  share: { yName: "share", format: (x: number) => percentage(x), formatTick: percentTick },
  cosine: { yName: "mean cosine", format: (x: number) => grouped(x, 3) },
  count: { yName: "candidates", format: (x: number) => figure(x) },
};

/** What the samplers did, over the steps; `undefined` where nothing was measured. */
export function sampling(points: readonly TrainingPoint[] = []): Section | undefined {
  const charts = figures.flatMap(({ title, unit, curves }) => {
    const series = curves.map(({ metric, name, tone = "accent", dashed = false }) => ({
      name,
      tone,
      dashed,
      values: points.map((point) => point.sampling?.[metric]),
    }));
    const main = series.filter(({ tone }) => tone !== "muted");
    if (!main.some(({ values }) => values.some((value) => value !== undefined))) return [];
    const include = unit === "cosine" ? [] : [0];
    return lineChart(overSteps(points, { title, include, ...formats[unit], series })) ?? [];
  });
  if (charts.length === 0) return undefined;
  const about =
    "Which pairs attracted and repelled, on some anchors of every step; shares of labels where labels are known.";
  return section("sampling", "Sampling", about, html`<div class="charts">${charts}</div>`);
}
