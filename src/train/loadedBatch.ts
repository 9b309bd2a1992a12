import type { LoadedBatch } from "../methods/index.ts";
import type { ViewBatch } from "../views/index.ts";
import type { TrainingData } from "./dataset.ts";

/** A batch of views with what is known of the images behind them: labels only for measuring, or on request. */
export function loadedBatch(
  batch: ViewBatch,
  { labels }: Pick<TrainingData, "labels">,
): LoadedBatch {
  const { views, ids, groups } = batch;
  return { views, ids, groups, labels: labels && ids.map((id) => labels[id]) };
}
