import { counted } from "../core/counted.ts";
import type { Baseline } from "./result.ts";
import type { ArmMeasure, Comparison } from "./comparison.ts";
import { fixed } from "./written.ts";

const accuracies = ({ knn, linear }: Baseline): string => {
  const parts = [knn, linear].map((value) => (value === null ? "–" : fixed(100 * value, 1)));
  return `${parts.join(" and ")} %`;
};

/** `10 m`, `1.5 h`, `90 s`. */
function spoken(seconds: number): string {
  if (seconds >= 3600) return `${Number((seconds / 3600).toFixed(2))} h`;
  return seconds >= 120 ? `${Number((seconds / 60).toFixed(2))} m` : `${seconds} s`;
}

const grouped = (value: number): string => value.toLocaleString("en-GB");

/** What was held equal. */
function budgetOf({ budget, arms }: Comparison): string {
  if (budget.kind === "time") return `${spoken(budget.seconds)} of training a run`;
  const epochs = [...new Set(arms.map((arm) => arm.epochs))];
  return `${epochs.join(", ")} epoch${epochs.join() === "1" ? "" : "s"} a run`;
}

function imagesOf({ data }: Comparison): string {
  const classes =
    data.classes > 0 ? `, ${counted(data.classes, "class", "classes")}` : ", no labels";
  const test =
    data.testImages === null ? "" : `; ${grouped(data.testImages)} to test (${data.how})`;
  return `${grouped(data.images)} from ${data.path}${classes}${test}`;
}

/** What copies of training images among the test images do to the accuracies. */
function copiesFact({
  data: { copies, testImages },
  arms,
  baselines,
}: Comparison): [string, string][] {
  if (copies === null || copies === 0 || testImages === null) return [];
  const mean = (measure: ArmMeasure | undefined) => measure?.mean ?? null;
  const own = arms.flatMap(({ name, measures: { knnWithoutCopies, linearWithoutCopies } }) => {
    const both = { knn: mean(knnWithoutCopies), linear: mean(linearWithoutCopies) };
    return both.knn === null ? [] : [`${name} ${accuracies(both)}`];
  });
  const { knnWithoutCopies: knn = null, linearWithoutCopies: linear = null } =
    baselines.pixels ?? {};
  const all = [...own, ...(knn === null ? [] : [`raw pixels ${accuracies({ knn, linear })}`])];
  const without = all.length === 0 ? "" : `; k-NN and linear without them: ${all.join(", ")}`;
  const are = `${copies === 1 ? "is a copy" : "are copies"} of training images, which flatters every figure`;
  return [
    ["copies", `${grouped(copies)} of ${counted(testImages, "test image")} ${are}${without}`],
  ];
}

/** What learned nothing and was measured by labels, by names. */
export function baselinesOf({
  pixels,
  start,
  untrained,
  chance,
}: Comparison["baselines"]): [name: string, baseline: Baseline][] {
  const all: [string, Baseline | null][] = [
    ["raw pixels", pixels],
    ["start, not adapted", start],
    ["untrained encoder", untrained],
    ["chance", chance === null ? null : { knn: chance, linear: chance }], // balanced it is another one
  ];
  return all.flatMap(([name, one]) => (one === null || one.knn === null ? [] : [[name, one]]));
}

const baselineFacts = ({ baselines }: Comparison): [string, string][] =>
  baselinesOf(baselines).map(([name, one]) => [`${name}, k-NN and linear`, accuracies(one)]);

/** What holds for the whole comparison, by names. */
export const factsOf = (all: Comparison): [name: string, value: string][] => [
  ["images", imagesOf(all)],
  ...copiesFact(all),
  ["budget", budgetOf(all)],
  ["seeds", all.seeds.join(", ")],
  ["machine", all.machine],
  ...baselineFacts(all),
];
