import { z } from "zod";

import { Count } from "../core/ranges.ts";
import { topMask } from "../core/topMask.ts";
import { hardness } from "./hardness.ts";
import { defineSampler } from "./sampler.ts";

/**
 * Keeps, per anchor, only the negatives of highest cosine (by `scene.ranking`): `count` of them, or else
 * trunc(`share` · pool), at least 1. Ties go to the lower column. An anchor with fewer negatives keeps all
 * of them. Positives pass through.
 *
 * This is the ring of `ring` without its inner cut: as the hardest negatives of an image are often of
 * its own class, compare both, and count what is dropped with labels where there are any.
 */
export const hardest = defineSampler({
  name: "hardest",
  summary: "Only each anchor's most similar negatives.",
  source:
    "Wu et al. 2020, arXiv:2010.02037, the ball; Schroff et al. 2015, arXiv:1503.03832, section 3.2",
  options: z.strictObject({
    count: Count.nullable()
      .default(null)
      .describe("negatives kept per anchor; null: a share of them"),
    share: z
      .number()
      .positive()
      .max(1)
      .default(0.1)
      .describe("share of the candidates that is kept; not used where count is given"),
  }),
  hardens: true,
  reasons: { dropped: "easy" },
  apply({ ranking, pool }, { positive, negative }, { count, share }) {
    const kept = count ?? Math.max(1, Math.trunc(share * pool));
    const hard = topMask(hardness(ranking, negative), kept); // [N, M]
    return { positive, negative: negative.mul(hard) };
  },
});
