import { z } from "zod";

import { sameMark } from "./sameMark.ts";
import { defineSampler } from "./sampler.ts";

const none: z.ZodObject = z.strictObject({}); // its own type would forbid the option warmup

/**
 * Other images of the anchor's group (frames of a burst, photos of one product or patient) become positives of weight
 * 1, and are negatives no more. A group of −1 is unknown and the same as nothing. What is a positive already keeps
 * its weight, and older keys of the anchor's own image stay left out.
 *
 * The sampler `groups`, which every framework runs first, has taken these pairs out of the negatives; this one puts
 * them on the other side, whatever the samplers between the two did to them. Without groups every image is one of
 * its own, and nothing changes. With `infoNce` as it is (`positives: "outside"`, all positives in the denominator) the
 * loss is L_out of Khosla et al. 2020, eq. 2, by group instead of label. In the spaces of `looc` that stay sensitive to an
 * augmentation other images of the group attract as they do in the first, whatever was done to their views.
 */
export const groupPositives = defineSampler({
  name: "groupPositives",
  summary: "Other images of the anchor's group become positives.",
  source:
    "pairs of photos of one patient: MICLe, Azizi et al. 2021, arXiv:2101.05224; loss of several positives: Khosla et al. 2020, arXiv:2004.11362, eq. 2",
  options: none,
  findsPositives: true,
  usesGroups: true,
  reasons: { dropped: "same-group", promoted: "group-positive" },
  apply({ anchors, candidates }, { positive, negative }) {
    const own = sameMark(anchors.ids, candidates.ids, negative); // [N, M]
    const mates = sameMark(anchors.groups, candidates.groups, negative).mul(own.mul(-1).add(1)); // [N, M]
    const fresh = mates.ref.mul(positive.ref.lessEqual(0).astype(negative.dtype)); // [N, M]
    const rest = negative.ref.mul(mates); // [N, M]
    return { positive: positive.add(fresh), negative: negative.sub(rest) };
  },
});
