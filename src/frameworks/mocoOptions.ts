import { z } from "zod";

import { Count } from "../core/ranges.ts";

/** Options of frameworks that keep a queue of keys from a slowly averaged encoder. */
export const mocoKeys = {
  queueSize: Count.optional().describe(
    "keys that are kept as negatives; unless given at most 4096 and a quarter of the dataset",
  ),
  momentum: z
    .number()
    .min(0)
    .max(1)
    .default(0.99)
    .describe("share of the key encoder that stays at each step"),
  batchSplits: z
    .union([z.literal("auto"), z.int().positive().max(1e6)])
    .default("auto")
    .describe(
      "parts in which a batch is normalised, so that query and key do not meet in one; auto takes up to 8 of at least 4 images",
    ),
};
