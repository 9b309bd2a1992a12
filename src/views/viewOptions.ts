import { z } from "zod";

import { parseOptions } from "../core/options.ts";
import { settingNotes } from "../core/settings.ts";
import { merge, shareable, viewPresetNames, viewPresets } from "./policy.ts";
import type { ViewPolicy } from "./policy.ts";

const probability = z.number().min(0).max(1);
const range = (low: number, high: number) =>
  z
    .tuple([z.number().min(low).max(high), z.number().min(low).max(high)])
    .refine(([from, to]) => from <= to, "the first number must not exceed the second");
const channels = (low: number, high: number) =>
  z.tuple([
    z.number().min(low).max(high),
    z.number().min(low).max(high),
    z.number().min(low).max(high),
  ]);

const share = z.number().min(0).max(1);
const viewCrop = {
  kind: z
    .enum(["random", "centre", "contrastive"])
    .optional()
    .describe(
      "random: random resized crop; centre: the largest centred square; contrastive: ContrastiveCrop, its centre within the object's box",
    ),
  scale: range(0.0001, 1).optional().describe("range of the crop's area, as a share of the image"),
  ratio: range(0.01, 100).optional().describe("range of the crop's width over height"),
  alpha: z
    .number()
    .min(0.001)
    .max(2)
    .optional()
    .describe(
      "contrastive: centres follow Beta(alpha, alpha) across the box: 1 evenly, less more often at its borders; 0.6 in the paper, 0.1 in its program for small images",
    ),
  exact: z
    .boolean()
    .optional()
    .describe(
      "contrastive: reaches the last position of a range too, so that alpha 1 and no box are the random crop; false repeats the published program",
    ),
  box: z
    .tuple([share, share, share, share])
    .refine(([left, top, right, bottom]) => left <= right && top <= bottom, {
      error: "must be left, top, right, bottom",
    })
    .optional()
    .describe(
      "contrastive: one box for every image: left, top, right, bottom as shares of width and height; SimCCrop is 0.25, 0.25, 0.75, 0.75",
    ),
};
const crop = z.strictObject({
  ...viewCrop,
  boxes: z
    .enum(["encoder", "dataset"])
    .optional()
    .describe(
      "contrastive without a fixed box: where the encoder is most active, or the boxes that the dataset comes with",
    ),
  threshold: share
    .optional()
    .describe(
      "boxes of the encoder hold what is more active than this, 0 least and 1 most; higher gives smaller boxes",
    ),
  warmup: share
    .optional()
    .describe("share of the epochs with random crops before the encoder makes the first boxes"),
  interval: share
    .refine((value) => value > 0, "must be more than 0")
    .optional()
    .describe("share of the epochs between two times that the encoder makes the boxes anew"),
});

const rotation = z.strictObject({
  rightAngles: probability.optional().describe("probability of a turn by 90, 180 or 270 degrees"),
  probability: probability.optional().describe("probability of a turn by a free angle"),
  degrees: z.number().min(0).max(180).optional().describe("largest free angle, either way"),
});

const jitter = z.strictObject({
  probability: probability.optional().describe("probability that colours change at all"),
  strength: z.number().min(0).max(4).optional().describe("multiplies the four ranges below"),
  brightness: z.number().min(0).max(4).optional().describe("factor from 1 − this to 1 + this"),
  contrast: z.number().min(0).max(4).optional().describe("factor from 1 − this to 1 + this"),
  saturation: z.number().min(0).max(4).optional().describe("factor from 1 − this to 1 + this"),
  hue: z.number().min(0).max(0.5).optional().describe("shift either way, in turns of the circle"),
});

const blur = z.strictObject({
  probability: probability.optional().describe("probability of a blur"),
  sigma: range(0.01, 100).optional().describe("range of the standard deviation, in view pixels"),
  kernel: z
    .int()
    .min(1)
    .max(255)
    .refine((side) => side % 2 === 1, "must be odd")
    .optional()
    .describe("kernel side in view pixels; by default the odd number at a tenth of the view"),
});

const solarise = z.strictObject({
  probability: probability.optional().describe("probability that bright values are inverted"),
  threshold: z.number().min(0).max(1).optional().describe("values from here up are inverted"),
});

const cutout = z.strictObject({
  probability: probability.optional().describe("probability that a rectangle is erased"),
  scale: range(0, 1).optional().describe("range of the erased area, as a share of the view"),
  ratio: range(0.01, 100).optional().describe("range of its width over height"),
});

const transforms = {
  crop: crop.optional().describe("which part of the image is resized to the view"),
  flip: probability.optional().describe("probability of a mirror image"),
  verticalFlip: probability.optional().describe("probability of an upside-down mirror image"),
  rotation: rotation.optional().describe("turns"),
  jitter: jitter.optional().describe("brightness, contrast, saturation and hue, in random order"),
  grey: probability.optional().describe("probability of losing all colour"),
  blur: blur.optional().describe("Gaussian blur"),
  solarise: solarise.optional().describe("inverts bright values"),
  cutout: cutout.optional().describe("erases a rectangle, which becomes the mean colour"),
};

const override = z.strictObject({
  ...transforms,
  crop: z
    .strictObject(viewCrop)
    .optional()
    .describe("which part of the image is resized to the view"),
  share: z
    .strictObject({ from: z.int().min(0).max(1e6), transforms: z.array(z.enum(shareable)).min(1) })
    .optional()
    .describe("takes these transforms' parameters from an earlier view of the same image"),
});

/** What may be said about views; what is left out comes from the preset. */
export const ViewOptions = z.strictObject({
  preset: z
    .enum(viewPresetNames)
    .default("small")
    .describe(
      "augmentation: small: SimCLR without blur; photo: with blur; moco: MoCo v2; none: centre crop alone",
    )
    .register(settingNotes, {
      group: "Data",
      flag: "views",
      unit: "preset",
      usual: "small, photo for more than 48 px",
    }),
  size: z.int().min(4).max(1024).optional().describe("side of a view in pixels"),
  count: z.int().min(1).max(64).optional().describe("views of each image"),
  falsePositives: probability
    .optional()
    .describe(
      "probability that a view, never the first, is made of another image: known false positives, for experiments",
    ),
  ...transforms,
  mean: channels(-1, 2).optional().describe("subtracted from red, green, blue in [0, 1]"),
  std: channels(0.001, 100).optional().describe("divides red, green, blue after that"),
  perView: z.array(override).optional().describe("what differs in view 0, 1, …"),
});

export type ViewOptions = z.input<typeof ViewOptions>;
/**
 * The whole policy that options stand for: the preset, with what the options say laid over it.
 * Throws `ConfigError` naming every mistake.
 */
export function viewPolicy(options: ViewOptions = {}): ViewPolicy {
  const given = parseOptions(
    "views",
    ViewOptions.superRefine((value, context) => {
      const kinds = [value.crop, ...(value.perView ?? []).map((view) => view.crop)];
      if (value.crop?.box !== undefined && !kinds.some((one) => one?.kind === "contrastive")) {
        const message = "only crop.kind contrastive looks at a box";
        context.addIssue({ code: "custom", message, path: ["crop", "box"] });
      }
      value.perView?.forEach((view, index) => {
        if (view.share === undefined || view.share.from < index) return;
        const message = `view ${index} can share with an earlier view only`;
        context.addIssue({ code: "custom", message, path: ["perView", index, "share", "from"] });
      });
    }),
    options,
  );
  const policy = merge(viewPresets[given.preset], given);
  return { ...policy, count: Math.max(policy.count, policy.perView.length) };
}
