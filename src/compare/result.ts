import { z } from "zod";

import type { ConfigTree } from "../train/index.ts";
import type { RunFigures } from "./runFigures.ts";

/** Accuracies of an encoder or of pixels, 0 to 1; null without labels. */
export type Baseline = {
  readonly knn: number | null;
  readonly linear: number | null;
  /** Mean over the classes of the share of each that is right; absent in older lines. */
  readonly knnBalanced?: number | null;
  readonly linearBalanced?: number | null;
  /** Without the test images that are copies of training images; absent where none is. */
  readonly knnWithoutCopies?: number | null;
  readonly linearWithoutCopies?: number | null;
};

/** What was measured of one run: a line of results.jsonl. */
export type RunResult = RunFigures &
  Baseline & {
    readonly arm: string;
    readonly seed: number;
    readonly hash: string; // of `decisive`
    /**
     * What decides what comes out: the config with nothing left open, fingerprints of the training images (`dataset`)
     * and of the test images (`testImages`, null where none were given), seed and version (`contrapose`).
     */
    readonly decisive: ConfigTree;
    readonly run: string; // its folder, within the comparison's
    readonly contrapose: string;
    readonly date: string; // ISO 8601
    readonly epochs: number;
    readonly alignment: number;
    readonly uniformity: number;
    readonly effectiveRank: number;
    readonly chance: number | null; // share of the largest class
    readonly images: {
      readonly train: number;
      readonly test: number;
      readonly how: string;
      /** Test images that are copies of training images; null where none were given, absent in older lines. */
      readonly copies?: number | null;
    };
    /** Of the first run only: what learned nothing here, the encoder that runs began with or one without training. */
    readonly baselines?: {
      readonly start?: Baseline;
      readonly untrained?: Baseline;
      readonly pixels: Baseline;
    };
  };

const score = z.number().nullable();
const more = {
  knnBalanced: score.exactOptional(),
  linearBalanced: score.exactOptional(),
  knnWithoutCopies: score.exactOptional(),
  linearWithoutCopies: score.exactOptional(),
};
const baseline = z.object({ knn: score, linear: score, ...more });

/** The structure of a line of results.jsonl. */
export const runResult: z.ZodType<RunResult> = z.looseObject({
  arm: z.string(),
  seed: z.int(),
  hash: z.string(),
  run: z.string(),
  date: z.string(),
  contrapose: z.string(),
  decisive: z.record(z.string(), z.unknown()),
  epochs: z.number(),
  knn: score,
  linear: score,
  chance: score,
  alignment: z.number(),
  uniformity: z.number(),
  effectiveRank: z.number(),
  ...more,
  images: z.looseObject({
    train: z.number(),
    test: z.number(),
    how: z.string(),
    copies: z.number().nullable().exactOptional(),
  }),
  baselines: z
    .object({
      start: baseline.exactOptional(),
      untrained: baseline.exactOptional(),
      pixels: baseline,
    })
    .exactOptional(),
  steps: z.number(),
  seconds: z.number(),
  memoryMiB: z.number(),
  loss: z.number(),
  chanceLoss: z.number(),
  boxRefreshes: z.number(),
  sampling: z.record(z.string(), z.number()),
});
