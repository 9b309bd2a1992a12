import { z } from "zod";

import { Count, CountOrNone, Temperature } from "../../core/ranges.ts";
import { warmupOption } from "../sampler.ts";

const share = (value: number) => z.number().min(0).max(1).default(value);

/** Options of `sortViews`. */
export const SortViewsOptions = z.strictObject({
  mode: z
    .enum(["keep", "drop", "soft", "ranked", "negative"])
    .default("drop")
    .describe(
      "demoted views: positives still (keep), left out (drop), below the others and above strangers (ranked), negatives (negative); soft weighs all views instead",
    ),
  choose: z
    .enum(["lowest", "random", "highest", "oracle"])
    .default("lowest")
    .describe(
      "which views are demoted: the least similar, or as controls as many at random or of the most similar, or those that show another image (views.falsePositives)",
    ),
  quantile: share(0.95).describe("of the anchor's negatives; a view above it is never demoted"),
  maxDemoted: CountOrNone.default(1).describe("views demoted of an anchor at most"),
  minKeep: Count.default(1).describe("views of an anchor that stay positives at least"),
  budget: share(0.05).describe("share of all views of a batch that is demoted at most"),
  alpha: share(0.5).describe('weight of a demoted view as a negative in the mode "negative"'),
  unbounded: z
    .boolean()
    .default(false)
    .describe(
      'the mode "negative" takes an alpha above 0.5, a budget above 0.05 and a maxDemoted above 1 only where this is true',
    ),
  rankTemperature: Temperature.default(0.5).describe(
    'temperature of the second term in the mode "ranked", above that of the loss',
  ),
  softCentre: share(0.9).describe('percentile at which a view has weight ½ in the mode "soft"'),
  softTemperature: Temperature.default(0.02).describe(
    'percentiles over which the weight falls in the mode "soft"',
  ),
  explore: share(0.1).describe("probability that a demotion is cancelled"),
  ramp: share(0.1).describe("share of the run over which the budget grows after the warm-up"),
  aurocGate: share(0.9).describe(
    "nothing is demoted while own views are nearer than negatives less often than this; 0 for no gate",
  ),
  overlap: z
    .number()
    .positive()
    .max(1)
    .nullable()
    .default(null)
    .describe(
      "a view is demoted only where its crop and that of the anchor's view overlap (intersection over union) less than this, 0.25 is advised; null: crops are not compared",
    ),
  rankFall: share(0.2).describe(
    "demotion rests for one epoch where the effective rank falls by more than this share of its best since demotion began; 1 for never",
  ),
  minNegatives: CountOrNone.nullable()
    .default(null)
    .describe(
      "negatives that an anchor's own quantile needs, below it the running mean of all anchors' stands in; null: 20 / (1 − quantile)",
    ),
  support: z
    .enum(["max", "mean"])
    .nullable()
    .default(null)
    .describe(
      "score of a view by the image's other views: the nearest or the mean; null: by the anchor",
    ),
  warmup: warmupOption(0.2),
});
export type SortViewsOptions = z.output<typeof SortViewsOptions>;
