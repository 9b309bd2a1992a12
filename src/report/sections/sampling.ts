import { lineChart } from "../charts/lineChart.ts";
import { figure, grouped, percentage } from "../markup/figures.ts";
import { html } from "../markup/html.ts";
import type { TrainingPoint } from "../reportData.ts";
import { percentTick } from "./headline.ts";
import { samplingFigures } from "./samplingFigures.ts";
import { section, type Section } from "./section.ts";
import { overSteps } from "./training.ts";

const formats = {
  share: { yName: "share", format: (x: number) => percentage(x), formatTick: percentTick },
  cosine: { yName: "mean cosine", format: (x: number) => grouped(x, 3) },
  count: { yName: "candidates", format: (x: number) => figure(x) },
};

/** What the samplers did, over the steps; `undefined` where nothing was measured. */
export function sampling(points: readonly TrainingPoint[] = []): Section | undefined {
  const charts = samplingFigures.flatMap(({ title, unit, curves }) => {
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
