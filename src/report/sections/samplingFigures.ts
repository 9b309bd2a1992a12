import type { LineSeries } from "../charts/lineChart.ts";

type Curve = { metric: string; name: string; tone?: LineSeries["tone"]; dashed?: boolean };
/** A chart of figures of the sampling. */
export type SamplingFigure = {
  title: string;
  unit: "share" | "cosine" | "count";
  curves: readonly Curve[];
};

/** Charts of the sampling; one is shown where any of its metrics was measured. */
export const samplingFigures: readonly SamplingFigure[] = [
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
