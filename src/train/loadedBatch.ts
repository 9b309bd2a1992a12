import type { LoadedBatch } from "../methods/index.ts";
import type { ViewBatch } from "../views/index.ts";
import type { TrainingData } from "./dataset.ts";

/**
 * A batch of views with what is known of the images behind them. Where views of other images were slipped
 * in, ids, groups and labels are those of what each view really shows.
 */
export function loadedBatch(
  { views, ids, groups, sources }: ViewBatch,
  { labels, pixels }: Pick<TrainingData, "labels" | "pixels">,
): LoadedBatch {
  const shown = sources.some((id, i) => id !== ids[i % ids.length]) ? sources : ids;
  const groupOf = (id: number) => pixels.groups?.[id] ?? id;
  return {
    views,
    ids: shown,
    groups: shown === ids ? groups : shown.map(groupOf),
    labels: labels && shown.map((id) => labels[id]),
  };
}
