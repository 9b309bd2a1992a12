import type { RunResult } from "./result.ts";
import type { SummaryFacts } from "./summarise.ts";

const arm = (name: string) => ({
  name,
  method: name,
  epochs: 2,
  steps: 10,
  batchSize: 16,
  passes: { gradient: 2, forward: 0 },
  usesLabels: false,
});

/** Facts of a made-up comparison of arms over seeds, for tests. */
export function factsFor(names: readonly string[], seeds: readonly number[]): SummaryFacts {
  return {
    out: "out",
    command: "contrapose compare",
    budget: { kind: "epochs" },
    machine: "none",
    parallel: 1,
    threads: 1,
    seeds,
    failed: [],
    arms: names.map(arm),
    data: { path: "images", images: 100, classes: 4, test: null },
  };
}

/** A made-up result, for tests. */
export function resultFor(
  name: string,
  seed: number,
  knn: number | null,
  more: Partial<RunResult> = {},
): RunResult {
  return {
    arm: name,
    seed,
    hash: "h",
    run: `runs/${name}-seed${seed}`,
    contrapose: "0",
    date: "",
    decisive: {},
    epochs: 2,
    steps: 10,
    seconds: 8,
    memoryMiB: 100,
    loss: 2,
    chanceLoss: 3,
    boxRefreshes: 0,
    sampling: { hardness: 0.3 },
    knn,
    linear: knn,
    chance: 0.25,
    alignment: 0.3,
    uniformity: -2,
    effectiveRank: 9,
    images: { train: 8000, test: 2000, how: "a fifth of the training images, asked of the others" },
    ...more,
  };
}
