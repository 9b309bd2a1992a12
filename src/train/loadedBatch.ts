import type { LoadedBatch } from "../frameworks/index.ts";
import type { ViewBatch } from "../views/index.ts";
import type { TrainingData } from "./dataset.ts";

/** Crops of all views in pixels of their image, x, y, width, height: [V·B, 4]. */
function cropsOf(batch: ViewBatch): Float32Array {
  const { ids, sources } = batch;
  const crops = new Float32Array(4 * sources.length);
  for (let row = 0; row < sources.length; row++) {
    const { crop } = batch.parameters(Math.floor(row / ids.length), row % ids.length);
    crops.set([crop.x, crop.y, crop.width, crop.height], 4 * row);
  }
  return crops;
}

/**
 * A batch of views with what is known of the images behind them. Where views of other images were slipped
 * in, ids, groups and labels are those of what each view really shows, and crops are of its pixels.
 */
export function loadedBatch(
  batch: ViewBatch,
  { labels, pixels }: Pick<TrainingData, "labels" | "pixels">,
): LoadedBatch {
  const { views, places, ids, groups, sources } = batch;
  const shown = sources.some((id, i) => id !== ids[i % ids.length]) ? sources : ids;
  const groupOf = (id: number) => pixels.groups?.[id] ?? id;
  return {
    views,
    places,
    ids: shown,
    groups: shown === ids ? groups : shown.map(groupOf),
    labels: labels && shown.map((id) => labels[id]),
    crops: () => cropsOf(batch),
  };
}
