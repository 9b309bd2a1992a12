import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { ArrayRecord } from "../core/trees.ts";
import { buildChain, type Chain } from "./chain.ts";
import { checkBatch } from "./checkBatch.ts";
import { asSupport, featureStd, ownViewMasks, pairsOfViews, unitRows } from "./contrast.ts";
import { defineFramework } from "./framework.ts";
import { judge } from "./judge.ts";
import { marksOf, sliceMarks } from "./marks.ts";
import { descend, gradientAt, project, withSampling } from "./model.ts";
import { knownOfOwnViews } from "./ownViews.ts";
import type { Contrast, Parts } from "./parts.ts";

type Grid = { views: number; anchorViews: number };

/** Anchor views of the batch against every view: [V·B, E] embeddings to the mean loss and metrics. */
function contrastViews(parts: Parts, chain: Chain, { views, anchorViews }: Grid): Contrast {
  const images = parts.batchSize;
  return (embeddings, batch, state) => {
    const unit = unitRows(embeddings); // [M, E]
    const spread: ArrayRecord = parts.metrics
      ? { featureStd: featureStd(lax.stopGradient(unit.ref)) }
      : {};
    const anchorCount = anchorViews * images;
    const anchorRows = views === anchorViews ? unit.ref : unit.ref.slice([0, anchorCount]); // [N, E]
    const all = np.matmul(unit.ref, unit.ref.transpose()); // [M, M]
    const similarity =
      views === anchorViews ? all.ref : np.matmul(anchorRows.ref, unit.ref.transpose()); // [N, M]
    const candidates = marksOf(batch);
    const anchors = sliceMarks(candidates, anchorCount);
    const grid = { images, anchorViews, views };
    const ownViews = ownViewMasks(grid);
    const pairs = pairsOfViews(ownViews, anchors.ids, candidates.ids, images);
    const judged = judge(
      parts,
      chain,
      {
        similarity,
        support: lax.stopGradient(asSupport(all, images)), // [V, B, M]
        ownViews,
        ...knownOfOwnViews(batch, grid),
        anchors,
        candidates,
        pool: views * (images - 1),
        mixing: { anchors: anchorRows, rows: lax.stopGradient(unit), offset: 0 },
      },
      pairs,
      { batch, state },
    );
    return [judged.loss, { metrics: { ...judged.metrics, ...spread }, sampling: judged.sampling }];
  };
}

/** Two or more views of each image in one batch; all other images' views are the negatives. */
export const simclr = defineFramework({
  name: "simclr",
  summary: "Candidates are the other views of the batch.",
  source: "Chen et al. 2020, arXiv:2002.05709",
  options: z.strictObject({
    views: z.int().min(2).default(2).describe("views of each image in a batch"),
    anchors: z
      .enum(["all", "first"])
      .default("all")
      .describe('"all" views ask, or only the "first" of each image, the others being candidates'),
  }),
  build(parts, { views, anchors }) {
    const grid = { views, anchorViews: anchors === "all" ? views : 1 };
    const images = parts.batchSize;
    checkBatch("simclr", images);
    const sizes = {
      ...{ anchors: grid.anchorViews * images, candidates: views * images, images },
      datasetSize: parts.datasetSize,
    };
    const chain = buildChain(parts, sizes, parts);
    const contrast = contrastViews(parts, chain, grid);
    return {
      viewCount: views,
      queryViews: views,
      chains: [chain],
      columns: Array.from({ length: views }, (_, view) => ({ kind: "view", count: images, view })),
      offers: views > 2 ? ["manyViews"] : [],
      contrast,
      // own other views and all views of the other images
      chanceLoss: () => Math.log(views * images - 1),
      step(state, batch) {
        const { gradient, statistics, metrics, kept } = gradientAt(
          parts,
          state,
          (parameters, running) => {
            const projected = project(parts, parameters, running, batch.views.ref);
            const [loss, judged] = contrast(projected.embedding, batch, state.sampling ?? {});
            const { metrics, sampling } = judged;
            return [loss, { statistics: projected.statistics, metrics, kept: sampling }];
          },
        );
        const { learningRate } = batch;
        const moved = descend(parts, state, { gradient, statistics, learningRate });
        return [withSampling(moved, kept), metrics];
      },
    };
  },
});
