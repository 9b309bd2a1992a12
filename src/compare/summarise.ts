import { VERSION } from "../core/version.ts";
import { losses } from "../losses/index.ts";
import { qualityMetrics } from "../frameworks/index.ts";
import { isUneven, meanInterval, pairedDifference, verdictOf } from "../metrics/index.ts";
import { mixers, samplers } from "../sampling/index.ts";
import type { Passes } from "../train/index.ts";
import {
  type ArmMeasure,
  type ArmSummary,
  type Comparison,
  type MeasureName,
  measureNames,
} from "./comparison.ts";
import { conclusionOf, knnBesidePixels } from "./conclusion.ts";
import type { Baseline, RunResult } from "./result.ts";

/** An arm as it was planned. */
export type SummaryArm = {
  readonly name: string;
  readonly method: string;
  readonly epochs: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly passes: Passes; // views of an image in a step
  readonly usesLabels: boolean;
};

/** What is known beside the results. */
export type SummaryFacts = Pick<
  Comparison,
  "out" | "command" | "budget" | "parallel" | "threads" | "machine" | "seeds"
> & {
  readonly arms: readonly SummaryArm[];
  readonly data: Pick<Comparison["data"], "path" | "images" | "classes" | "test">;
  readonly failed: Comparison["runs"]["failed"];
};

type BySeed = ReadonlyMap<number, RunResult>;
type Values = ReadonlyMap<number, number>;

function valueOf(name: MeasureName, result: RunResult): number | null | undefined {
  if (name === "secondsPerEpoch") return result.seconds / result.epochs;
  return result[name];
}

/** A number of every run that has it. */
function valuesOf(runs: BySeed, read: (result: RunResult) => number | null | undefined): Values {
  return new Map(
    [...runs].flatMap(([seed, result]): [number, number][] => {
      const value = read(result);
      return typeof value === "number" && Number.isFinite(value) ? [[seed, value]] : [];
    }),
  );
}

function measureOf(
  ours: Values,
  base: Values | undefined,
  comparisons: number,
  step: number,
): ArmMeasure {
  const common = base !== undefined && [...ours.keys()].some((seed) => base.has(seed));
  return {
    ...meanInterval([...ours.values()]),
    bySeed: Object.fromEntries(ours),
    difference: common ? pairedDifference(ours, base, comparisons, step) : null,
  };
}

/** What a measure is no finer than: accuracies are shares of the test images. */
function stepOf(name: MeasureName, runs: BySeed): number {
  const [first] = runs.values();
  const isShare = name.startsWith("knn") || name.startsWith("linear");
  return isShare && first !== undefined ? 1 / first.images.test : 0;
}

function measuresOf(runs: BySeed, base: BySeed | undefined, comparisons: number) {
  const entries = measureNames.flatMap((name): [MeasureName, ArmMeasure][] => {
    const read = (result: RunResult) => valueOf(name, result);
    const ours = valuesOf(runs, read);
    const theirs = base && valuesOf(base, read);
    const step = stepOf(name, runs);
    return ours.size === 0 ? [] : [[name, measureOf(ours, theirs, comparisons, step)]];
  });
  return Object.fromEntries(entries) as ArmSummary["measures"];
}

function samplingOf(runs: BySeed): ArmSummary["sampling"] {
  const names = new Set([...runs.values()].flatMap(({ sampling }) => Object.keys(sampling)));
  return Object.fromEntries(
    [...names].map((name) => {
      const values = valuesOf(runs, ({ sampling }) => sampling[name]);
      return [name, meanInterval([...values.values()])];
    }),
  );
}

/** Views encoded in an epoch: those of the steps, and every image once where boxes are made anew. */
function passesOf({ passes, epochs }: SummaryArm, runs: BySeed): Passes {
  const [first] = runs.values();
  const refreshes = first === undefined ? 0 : first.boxRefreshes / epochs;
  return { gradient: passes.gradient, forward: passes.forward + refreshes };
}

type Base = { arm: SummaryArm; runs: BySeed };

/** Whether runs of an arm or of the base are still to come. */
function isEarly(arm: SummaryArm, runs: BySeed, base: Base, facts: SummaryFacts): boolean {
  const { seeds, failed } = facts;
  const settled = (name: string, own: BySeed, seed: number) =>
    own.has(seed) || failed.some((run) => run.arm === name && run.seed === seed);
  return !seeds.every(
    (seed) => settled(arm.name, runs, seed) && settled(base.arm.name, base.runs, seed),
  );
}

function verdictFor(
  arm: SummaryArm,
  runs: BySeed,
  knn: ArmMeasure | undefined,
  base: Base | undefined,
  facts: SummaryFacts,
): ArmSummary["verdict"] {
  if (knn === undefined) return null;
  if (base === undefined) return "base";
  // without test images of their own, the images asked for are among those that were trained on
  if (facts.data.test === null && (arm.usesLabels || base.arm.usesLabels)) return "control";
  if (isEarly(arm, runs, base, facts)) return "early";
  return knn.difference === null ? "few" : verdictOf(knn.difference);
}

/** The balanced k-NN accuracy of an arm beside that of the encoder that its runs began with. */
function besideStart(
  arm: SummaryArm,
  runs: BySeed,
  knn: ArmMeasure | undefined,
  start: Baseline | null,
  facts: SummaryFacts,
): ArmSummary["besideStart"] {
  const { arms, data } = facts;
  if (knn === undefined || typeof start?.knnBalanced !== "number") return null;
  if (data.test === null && arm.usesLabels) return null;
  const ours = new Map(Object.entries(knn.bySeed).map(([seed, value]) => [Number(seed), value]));
  const theirs = new Map([...ours.keys()].map((seed) => [seed, start.knnBalanced!]));
  const step = stepOf("knnBalanced", runs);
  const difference = pairedDifference(ours, theirs, arms.length, step);
  const early = isEarly(arm, runs, { arm, runs }, facts);
  return { ...difference, verdict: early ? "early" : verdictOf(difference) };
}

function summaryOf(
  arm: SummaryArm,
  runs: BySeed,
  base: Base | undefined,
  { start, judged }: { start: Baseline | null; judged: Comparison["judged"] },
  facts: SummaryFacts,
): ArmSummary {
  const { name, method, epochs, steps, batchSize, usesLabels } = arm;
  const passes = passesOf(arm, runs);
  const least = base === undefined ? passes : passesOf(base.arm, base.runs);
  const measures = measuresOf(runs, base?.runs, comparisonsOf(facts));
  return {
    name,
    method,
    epochs,
    steps,
    batchSize,
    usesLabels,
    passes,
    measures,
    seeds: [...runs.keys()],
    extraPasses: {
      gradient: passes.gradient - least.gradient,
      forward: passes.forward - least.forward,
    },
    sampling: samplingOf(runs),
    verdict: verdictFor(arm, runs, measures[judged], base, facts),
    besideStart: besideStart(arm, runs, measures.knnBalanced, start, facts),
  };
}

/** What every figure of sampling means, as the parts that measure it say. */
export function figureMeanings(): Record<string, string> {
  const parts = [losses, samplers, mixers].flatMap((catalogue) =>
    Object.values<{ metrics: Readonly<Record<string, string>> }>(catalogue),
  );
  const crops = {
    objectCoverage: "share of an object's box inside a crop",
    objectMissed: "share of crops with less than a fifth of the object's box",
  };
  return Object.assign({}, ...parts.map(({ metrics }) => metrics), crops, qualityMetrics) as Record<
    string,
    string
  >;
}

function meaningsOf(arms: readonly ArmSummary[]): Comparison["meanings"] {
  const names = new Set(arms.flatMap(({ sampling }) => Object.keys(sampling)));
  const known = figureMeanings();
  const spaces = "loss in one embedding space: in 0 all augmentations vary, each other keeps one";
  const otherwise = (name: string) => (/^lossSpace\d+$/.test(name) ? spaces : "");
  return Object.fromEntries([...names].map((name) => [name, known[name] ?? otherwise(name)]));
}

function baselinesOf(results: readonly RunResult[]): Comparison["baselines"] {
  const found = results.find(({ baselines }) => baselines !== undefined)?.baselines;
  return {
    chance: results.at(0)?.chance ?? null,
    start: found?.start ?? null,
    untrained: found?.untrained ?? null,
    pixels: found?.pixels ?? null,
  };
}

/** What verdicts are about: balanced accuracy of uneven classes, where every run has it. */
function judgedOf(results: readonly RunResult[], classes: number): Comparison["judged"] {
  const known = results.length > 0 && results.every((one) => typeof one.knnBalanced === "number");
  const chance = results.at(0)?.chance;
  return known && typeof chance === "number" && isUneven(chance, classes) ? "knnBalanced" : "knn";
}

/** Whether no arm that was measured comes up to raw pixels; null where there is nothing to compare. */
function allBelowPixels({
  arms,
  baselines,
  judged,
}: Pick<Comparison, "arms" | "baselines" | "judged">): boolean | null {
  const { pixels, votes } = knnBesidePixels({ arms, baselines, judged });
  return pixels === null || votes.length === 0 ? null : votes.every((vote) => vote < pixels);
}

/** Arms beside the base. */
const comparisonsOf = ({ arms }: SummaryFacts): number => Math.max(1, arms.length - 1);

/**
 * What the finished runs show. Pure. `results` are those of the planned runs only, one of each arm and
 * seed; the correction is for all planned arms, so that it does not depend on how far the runs have come.
 */
export function summarise(facts: SummaryFacts, results: readonly RunResult[]): Comparison {
  const { arms, data, failed, seeds, ...rest } = facts;
  const runsOf = ({ name }: SummaryArm): BySeed => {
    const own = results.filter(({ arm }) => arm === name);
    return new Map([...own].sort((a, b) => a.seed - b.seed).map((result) => [result.seed, result]));
  };
  const [first] = arms;
  const base = { arm: first, runs: runsOf(first) };
  const baselines = baselinesOf(results);
  const judged = judgedOf(results, data.classes);
  const summaries = arms.map((arm, i) =>
    summaryOf(
      arm,
      runsOf(arm),
      i === 0 ? undefined : base,
      { start: baselines.start, judged },
      facts,
    ),
  );
  const [any] = results;
  const whole = {
    format: 1 as const,
    contrapose: VERSION,
    ...rest,
    seeds,
    base: first.name,
    judged,
    comparisons: comparisonsOf(facts),
    data: {
      ...data,
      testImages: any?.images.test ?? null,
      how: any?.images.how ?? null,
      copies: any?.images.copies ?? null,
    },
    runs: { total: arms.length * seeds.length, done: results.length, failed },
    baselines,
    arms: summaries,
    meanings: meaningsOf(summaries),
  };
  const all = { ...whole, allBelowPixels: allBelowPixels(whole) };
  return { ...all, conclusion: conclusionOf(all) };
}
