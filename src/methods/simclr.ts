import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { refPairs } from "../core/pairs.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { featureStd, pairMetrics, pairsOfViews, unitRows } from "./contrast.ts";
import { defineFramework } from "./framework.ts";
import { descend, gradientAt, project } from "./model.ts";
import type { Contrast, Parts } from "./parts.ts";

/** Every view of the batch against every other: [V·B, E] embeddings to the mean loss and metrics. */
function contrastViews(parts: Parts, viewCount: number): Contrast {
  return (embeddings, { ids, groups }) => {
    const unit = unitRows(embeddings); // [N, E]
    const spread: ArrayRecord = parts.metrics
      ? { featureStd: featureStd(lax.stopGradient(unit.ref)) }
      : {};
    const similarity = np.matmul(unit.ref, unit.transpose()); // [N, N]
    const pairs = pairsOfViews(viewCount, ids, groups);
    const metrics = parts.metrics ? pairMetrics(similarity.ref, refPairs(pairs)) : {};
    return [parts.loss(similarity, pairs).mean(), { ...metrics, ...spread }];
  };
}

/** Two or more views of each image in one batch; all other images' views are the negatives. */
export const simclr = defineFramework({
  name: "simclr",
  summary: "Candidates are the other views of the batch.",
  source: "Chen et al. 2020, arXiv:2002.05709",
  options: z.strictObject({
    views: z.int().min(2).default(2).describe("views of each image in a batch"),
  }),
  build(parts, { views: viewCount }) {
    const contrast = contrastViews(parts, viewCount);
    return {
      viewCount,
      contrast,
      // own other views and all views of the other images
      chanceLoss: () => Math.log(viewCount * parts.batchSize - 1),
      step(state, { views, ids, groups, learningRate }) {
        const { gradient, statistics, metrics } = gradientAt(
          parts,
          state,
          (parameters, running) => {
            const projected = project(parts, parameters, running, views);
            const [loss, measured] = contrast(projected.embedding, { ids, groups });
            return [loss, { statistics: projected.statistics, metrics: measured }];
          },
        );
        return [descend(parts, state, { gradient, statistics, learningRate }), metrics];
      },
    };
  },
});
