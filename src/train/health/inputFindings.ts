import { fact, type Finding } from "./finding.ts";

/** Pixels reach the encoder on another scale than it expects. */
export const wrongNormalisation: Finding = {
  name: "wrong normalisation",
  verdict: "broken",
  look({ course, probe }) {
    const onFeatures = course.config.adapter !== undefined; // which have any mean and deviation
    if (probe === undefined || onFeatures) return undefined;
    const { viewMean, viewStd } = probe;
    if (viewStd >= 0.05 && viewStd <= 5 && Math.abs(viewMean) <= 5) return undefined;
    return {
      sentence: "The encoder sees values far from mean 0 and deviation 1.",
      evidence: [fact("viewMean", viewMean, "near 0"), fact("viewStd", viewStd, "near 1")],
      change: "leave views.mean and views.std out, or give them for values from 0 to 1",
    };
  },
};

/** Views of an image do not differ. */
export const sameViews: Finding = {
  name: "identity augmentation",
  verdict: "broken",
  look({ probe, mean }) {
    const difference = probe?.viewDifference;
    if (difference === undefined || difference > 0.02) return undefined;
    return {
      sentence:
        "Two views of an image are the same picture, so there is nothing to learn from them.",
      evidence: [
        fact("viewDifference", difference, "0.3 to 1, of what two images differ"),
        fact("positiveSimilarity", mean("positiveSimilarity") ?? NaN, "below 0.99 at the start"),
      ],
      change: 'use a preset of views, as --views "small" or "photo"',
    };
  },
};

/** Images of the set are copies of each other. */
export const duplicates: Finding = {
  name: "duplicated data",
  verdict: "watch",
  look({ course, probe }) {
    const share = probe?.duplicateShare ?? 0;
    // who gave groups knows of them
    if (share <= 0.3 || course.config.groups !== undefined) return undefined;
    return {
      sentence:
        "Many images look like another one of the set: there is less to learn from than their number says.",
      evidence: [fact("duplicateShare", share, "below 0.3")],
      change: "keep one image of each group; groups are never each other's negatives",
    };
  },
};
