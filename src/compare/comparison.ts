import type { MeanInterval, PairedDifference, Verdict } from "../metrics/index.ts";
import type { Passes } from "../train/index.ts";
import type { Baseline } from "./result.ts";

/** What runs are measured by; verdicts are about `knn`, of uneven classes about `knnBalanced`. */
export const measureNames = [
  ...(["knn", "knnBalanced", "knnWithoutCopies"] as const),
  ...(["linear", "linearBalanced", "linearWithoutCopies"] as const),
  ...(["alignment", "uniformity", "effectiveRank"] as const),
  ...(["secondsPerEpoch", "seconds", "memoryMiB", "loss", "chanceLoss"] as const),
] as const;

/** The name of a measure. */
export type MeasureName = (typeof measureNames)[number];

/** A measure of one arm over its seeds. Accuracies are 0 to 1. */
export type ArmMeasure = MeanInterval & {
  readonly bySeed: Readonly<Record<string, number>>;
  /** To the base, over the seeds that both have; null for the base itself and where there are none. */
  readonly difference: PairedDifference | null;
};

/** One arm of a comparison. */
export type ArmSummary = {
  readonly name: string;
  readonly method: string;
  readonly seeds: readonly number[]; // done
  readonly epochs: number; // of each run, planned
  readonly steps: number;
  readonly batchSize: number;
  /** Views of an image that are encoded in an epoch, with gradient and without. */
  readonly passes: Passes;
  /** Passes beyond those of the base. */
  readonly extraPasses: Passes;
  readonly measures: Partial<Record<MeasureName, ArmMeasure>>;
  /** Means over the last third of the steps, by the names of the figures. */
  readonly sampling: Readonly<Record<string, MeanInterval>>;
  /** Whether it trains with the labels of its images. */
  readonly usesLabels: boolean;
  /**
   * Of the accuracy that verdicts are about beside the base's; "base" for the base itself, "control" where labels that trained the arm
   * or the base are asked for again, "early" before all seeds are done, null without labels.
   */
  readonly verdict: "base" | "control" | "early" | Verdict | null;
  /**
   * Of the balanced k-NN accuracy beside that of the pretrained encoder that the runs began with; null where there is
   * none, and where the arm trained with the labels that are asked for.
   */
  readonly besideStart: (PairedDifference & { readonly verdict: "early" | Verdict }) | null;
};

/** How long each run trains. */
export type Budget =
  { readonly kind: "epochs" } | { readonly kind: "time"; readonly seconds: number };

/** A run that could not be finished. */
export type FailedRun = { readonly arm: string; readonly seed: number; readonly error: string };

/** A comparison as far as it has come: plain data, what compare.json holds and `--json` prints. */
export type Comparison = {
  readonly format: 1;
  readonly contrapose: string; // version
  readonly out: string;
  readonly command: string; // that goes on with it
  readonly data: {
    readonly path: string;
    readonly images: number;
    readonly classes: number; // 0 without labels
    readonly test: string | null;
    readonly testImages: number | null; // null before a run is measured
    readonly how: string | null;
    /** Test images that are copies of training images; null where none were given, or before a run is measured. */
    readonly copies: number | null;
  };
  readonly budget: Budget;
  readonly parallel: number;
  readonly threads: number;
  readonly machine: string;
  readonly seeds: readonly number[];
  readonly base: string;
  /** What verdicts are about: balanced where the largest class is at least twice as large as the mean of the others. */
  readonly judged: "knn" | "knnBalanced";
  /** Comparisons that intervals of differences are corrected for. */
  readonly comparisons: number;
  readonly runs: {
    readonly total: number;
    readonly done: number;
    readonly failed: readonly FailedRun[];
  };
  readonly baselines: {
    readonly chance: number | null;
    readonly start: Baseline | null;
    readonly untrained: Baseline | null;
    readonly pixels: Baseline | null;
  };
  readonly arms: readonly ArmSummary[];
  /** What the figures of sampling mean, by their names. */
  readonly meanings: Readonly<Record<string, string>>;
  /** Whether every arm's k-NN accuracy lies below that of raw pixels; null without labels. */
  readonly allBelowPixels: boolean | null;
  readonly conclusion: readonly string[];
};
