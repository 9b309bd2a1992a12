import { z } from "zod";

import { cancel } from "./cancel.ts";
import { sameMark } from "./sameMark.ts";
import { defineSampler } from "./sampler.ts";

const none: z.ZodObject = z.strictObject({}); // its own type would forbid the option warmup

/**
 * Negatives with the anchor's label become positives: the pairs of supervised contrastive learning.
 *
 * Images of unknown label (−1) stay negatives of all, so a few labelled images among many unlabelled ones
 * make a semi-supervised objective. With `infoNce` as it is (`positives: "outside"`, all positives in the
 * denominator) the loss is L_out of the paper, without its factor τ/τ_base. Pairs that are no negatives,
 * as those of one group, are left alone.
 */
export const labels = defineSampler({
  name: "labels",
  summary: "Negatives with the anchor's label become positives.",
  source: "Khosla et al. 2020, arXiv:2004.11362, eq. 2",
  options: none,
  detects: true,
  findsPositives: true,
  reasons: { promoted: "same-label" },
  needs: ["labels"],
  apply({ anchors, candidates }, pairs) {
    const same = sameMark(anchors.labels, candidates.labels, pairs.negative); // [N, M]
    return cancel(pairs, same, "attract");
  },
});
