import type { ConfigTree } from "../train/index.ts";
import type { RunFigures } from "./runFigures.ts";

/** Accuracies, 0 to 1, of something else than the trained encoder. */
export type Baseline = { readonly knn: number | null; readonly linear: number | null };

/** What was measured of one run: a line of results.jsonl. */
export type RunResult = RunFigures & {
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
  readonly knn: number | null; // accuracy, 0 to 1; null without labels
  readonly linear: number | null;
  readonly alignment: number;
  readonly uniformity: number;
  readonly effectiveRank: number;
  readonly chance: number | null; // share of the largest class
  readonly images: { readonly train: number; readonly test: number; readonly how: string };
  /** Of the first run only: what learned nothing. */
  readonly baselines?: { readonly untrained: Baseline; readonly pixels: Baseline };
};
