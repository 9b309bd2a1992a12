import { numpy as np } from "@jax-js/jax";

import type { ArrayRecord } from "../../core/trees.ts";
import type { Scene } from "../../sampling/index.ts";
import type { ViewGrid } from "../judge/contrast.ts";

/** Rows [V·B, …] of the u-th mask of `ownViewMasks`, those of each anchor's own view: [A·B, …]. Lent. */
function ownViewRows(rows: np.Array, { images, anchorViews, views }: ViewGrid, u: number) {
  const from = (u + 1) * images;
  const next = rows.ref.slice([from, views * images]); // [(V − u − 1)·B, …]
  const around = np.concatenate([next, rows.ref.slice([0, from])], 0); // [V·B, …]
  return around.slice([0, anchorViews * images]);
}

/** Intersection over union of the rectangles in each row, x, y, width, height: [N, 4] each to [N]. Consumes both. */
export function overlapOf(a: np.Array, b: np.Array): np.Array {
  const start = (rows: np.Array) => rows.ref.slice([], [0, 2]); // [N, 2]
  const size = (rows: np.Array) => rows.ref.slice([], [2, 4]); // [N, 2]
  const area = (sides: np.Array) => sides.ref.slice([], [0, 1]).mul(sides.slice([], [1, 2])); // [N, 1]
  const from = np.maximum(start(a), start(b)); // [N, 2]
  const to = np.minimum(start(a).add(size(a)), start(b).add(size(b))); // [N, 2]
  const shared = area(np.maximum(to.sub(from), 0)); // [N, 1]
  const union = area(size(a))
    .add(area(size(b)))
    .sub(shared.ref); // [N, 1]
  return shared.div(np.maximum(union, 1e-12)).reshape([-1]);
}

/**
 * What is known of the own views of anchors, in the order of `ownViewMasks`: the images that they show, and where
 * the batch has crops [V·B, 4] how far those overlap with the anchor's. Lent.
 */
export function knownOfOwnViews(
  { ids, crops }: ArrayRecord,
  grid: ViewGrid,
): Pick<Scene, "ownIds" | "overlaps"> {
  const others = Array.from({ length: grid.views - 1 }, (_, u) => u);
  const anchors = grid.anchorViews * grid.images;
  const overlap = (u: number) =>
    overlapOf(crops.ref.slice([0, anchors]), ownViewRows(crops, grid, u)); // [N]
  return {
    ownIds: others.map((u) => ownViewRows(ids, grid, u)),
    overlaps: crops === undefined ? undefined : others.map(overlap),
  };
}
