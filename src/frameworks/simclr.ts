import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { buildChain } from "./pairs/chain.ts";
import { checkBatch } from "./pairs/checkBatch.ts";
import {
  asSupport,
  ownViewMasks,
  pairsOfViews,
  unitRows,
  type ViewGrid,
} from "./judge/contrast.ts";
import { type Contests, defineFramework, type Seen } from "./defineFramework.ts";
import { marksOf, sliceMarks } from "./pairs/marks.ts";
import { knownOfOwnViews } from "./pairs/ownViews.ts";

/** Anchor views of the batch, N = A·B, against every view, M = V·B. */
function viewsAgainstViews({ embedding, batch }: Seen, grid: ViewGrid): Contests {
  const { images, anchorViews, views } = grid;
  const unit = unitRows(embedding); // [M, E]
  const count = anchorViews * images;
  const anchorRows = views === anchorViews ? unit.ref : unit.ref.slice([0, count]); // [N, E]
  const all = np.matmul(unit.ref, unit.ref.transpose()); // [M, M]
  const similarity =
    views === anchorViews ? all.ref : np.matmul(anchorRows.ref, unit.ref.transpose()); // [N, M]
  const candidates = marksOf(batch);
  const anchors = sliceMarks(candidates, count);
  const ownViews = ownViewMasks(grid);
  const pairs = pairsOfViews(ownViews, anchors.ids, candidates.ids, images);
  const contest = {
    similarity,
    support: lax.stopGradient(asSupport(all, images)), // [V, B, M]
    ownViews,
    ...knownOfOwnViews(batch, grid),
    anchors,
    candidates,
    pool: views * (images - 1),
    mixing: { anchors: anchorRows, rows: lax.stopGradient(unit.ref), offset: 0 },
  };
  return { contests: [{ contest, pairs }], unit };
}

/** Two or more views of each image in one batch; all other images' views are the negatives. */
export const simclr = defineFramework({
  name: "simclr",
  summary: "Candidates are the other views of the batch.",
  source: "Chen et al. 2020, arXiv:2002.05709",
  inBatch: true,
  pairsViews: true,
  options: z.strictObject({
    views: z.int().min(2).max(64).default(2).describe("views of each image in a batch"),
    anchors: z
      .enum(["all", "first"])
      .default("all")
      .describe('"all" views ask, or only the "first" of each image, the others being candidates'),
  }),
  build(parts, { views, anchors }) {
    const { batchSize: images, datasetSize } = parts;
    checkBatch("simclr", images);
    const grid = { images, anchorViews: anchors === "all" ? views : 1, views };
    const sizes = {
      anchors: grid.anchorViews * images,
      candidates: views * images,
      images,
      datasetSize,
      width: parts.head.dimension,
    };
    return {
      viewCount: views,
      queryViews: views,
      chains: [buildChain(parts, sizes, parts)],
      columns: Array.from({ length: views }, (_, view) => ({ kind: "view", count: images, view })),
      offers: views > 2 ? ["manyViews"] : [],
      contests: (seen) => viewsAgainstViews(seen, grid),
      chanceLoss: () => Math.log(views * images - 1), // own other views and all of other images
    };
  },
});
