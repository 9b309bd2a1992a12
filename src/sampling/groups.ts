import { z } from "zod";

import { cancel } from "./cancel.ts";
import { sameMark } from "./sameMark.ts";
import { defineSampler } from "./sampler.ts";

const none: z.ZodObject = z.strictObject({}); // its own type would forbid the option warmup

/**
 * Images of one known group (near-duplicates, frames of a burst, views of one scene) are never negatives
 * of each other. A group of −1 is unknown and left alone. Positives pass through. Frameworks run it
 * before all other samplers.
 */
export const groups = defineSampler({
  name: "groups",
  summary: "Images of one group are never negatives of each other.",
  source: "this project, 2026: groups of near-duplicates are found when a dataset is packed",
  options: none,
  usesGroups: true,
  reasons: { dropped: "same-group" },
  apply({ anchors, candidates }, pairs) {
    const same = sameMark(anchors.groups, candidates.groups, pairs.negative); // [N, M]
    return cancel(pairs, same, "eliminate");
  },
});
