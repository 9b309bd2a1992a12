// A loss and a sampler of one's own, as a plugin:
//
//   contrapose train ./photos --plugin examples/parts.js --loss margin --samplers harder
//
// `similarity` is [N, M], the cosine of N anchors and M candidates; `positive` and `negative` are weights of the
// same shape, 0 where a pair does not count. jax-js consumes the arrays that an operation gets: `x.ref` keeps x.
import { numpy as np } from "@jax-js/jax";
import { weightedMean } from "contrapose/core";
import { defineLoss } from "contrapose/losses";
import { defineSampler } from "contrapose/sampling";
import { z } from "zod";

export const margin = defineLoss({
  name: "margin",
  summary: "How far the mean negative is within a margin of the mean positive.",
  source: "an example, 2026",
  options: z.strictObject({
    margin: z.number().min(0).max(2).default(0.5).describe("cosine between both that is enough"),
  }),
  perAnchor(similarity, { positive, negative }, options) {
    const counts = positive.ref.sum(-1).greater(0); // [N]
    const near = weightedMean(similarity.ref, positive); // [N]
    const far = weightedMean(similarity, negative); // [N]
    return np.where(counts, np.maximum(far.sub(near).add(options.margin), 0), 0); // [N]
  },
});

export const harder = defineSampler({
  name: "harder",
  summary: "Keeps the negatives that are at least as near as the anchor's mean negative.",
  source: "an example, 2026",
  options: z.strictObject({
    slack: z.number().min(0).max(2).default(0).describe("cosine below the mean that is kept too"),
  }),
  reasons: { dropped: "easy" },
  metrics: { kept: "share of the negatives that are kept" },
  apply({ similarity }, { positive, negative }, { slack }) {
    const mean = weightedMean(similarity.ref, negative.ref).sub(slack); // [N]
    const near = similarity.ref.greaterEqual(mean.reshape([-1, 1])).astype(negative.dtype); // [N, M]
    const left = negative.ref.mul(near); // [N, M]
    const kept = left.ref.sum().div(np.maximum(negative.sum(), 1)); // []
    return { terms: [{ pairs: { positive, negative: left } }], metrics: { kept } };
  },
});
