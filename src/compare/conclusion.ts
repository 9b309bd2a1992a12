import { counted } from "../core/counted.ts";
import { LEAST_SEEDS, type Verdict } from "../metrics/index.ts";
import type { ArmSummary, Comparison } from "./comparison.ts";
import { fixed, listed, overSeeds, pointsBetween, signed } from "./written.ts";

const MOST_LISTED = 4; // arms that are not done, in a sentence

type Unconcluded = Omit<Comparison, "conclusion">;

const withVerdict = ({ arms }: Unconcluded, verdict: ArmSummary["verdict"]) =>
  arms.filter((arm) => arm.verdict === verdict);

/** `hcl is better than simclr by 2.1 points (0.4 to 3.8)`, of arms whose interval leaves 0 out. */
function claim({ base, judged }: Unconcluded, arm: ArmSummary): string {
  const difference = arm.measures[judged]!.difference!;
  const size = { ...difference, mean: Math.abs(difference.mean) };
  const points = `${fixed(100 * size.mean, 1)} points (${pointsBetween(size)})`;
  return `${arm.name} is ${arm.verdict} than ${base} by ${points}`;
}

/** Which arms are ahead of the encoder that they began with, which behind; nothing before all seeds are done. */
function startSentences({ arms, baselines }: Unconcluded): string[] {
  const { start } = baselines;
  const beside = arms.flatMap(({ name, besideStart, measures: { knnBalanced } }) =>
    besideStart === null || knnBalanced === undefined
      ? []
      : [{ name, besideStart, mean: knnBalanced.mean }],
  );
  if (beside.length === 0 || beside.some((one) => one.besideStart.verdict === "early")) return [];
  const share = (value: number) => `${fixed(100 * value, 1)} %`;
  const of = (verdict: Verdict) => beside.filter((one) => one.besideStart.verdict === verdict);
  const claims = (verdict: "better" | "worse") => {
    const said = of(verdict).map(({ name, besideStart }) => {
      const size = { ...besideStart, mean: Math.abs(besideStart.mean) };
      return `${name} by ${fixed(100 * size.mean, 1)} points (${pointsBetween(size)})`;
    });
    const are = said.length === 1 ? "is" : "are";
    return said.length === 0
      ? []
      : [`${verdict} than the start, not adapted, ${are} ${listed(said)}`];
  };
  const called = [...claims("better"), ...claims("worse")];
  const said = called.length === 0 ? [] : [`By balanced k-NN ${listed(called)}.`];
  if (of("better").length > 0) return said;
  if (of("few").length > 0) {
    return [
      `Whether an arm is better than the start, not adapted, takes ${LEAST_SEEDS} seeds to tell; its balanced k-NN is ${share(start!.knnBalanced!)}.`,
    ];
  }
  const best = beside.reduce((a, b) => (b.mean > a.mean ? b : a));
  return [
    `No arm is shown to be better than the start, not adapted: balanced k-NN ${share(start!.knnBalanced!)}, the best arm, ${best.name}, ${share(best.mean)}.`,
    ...said,
  ];
}

/** `hcl +2.1 points of 2 seeds`, of arms that are not done. */
function soFar({ name, measures }: ArmSummary, { judged }: Unconcluded): string {
  const difference = measures[judged]!.difference;
  if (difference === null) return `${name} no seed in common`;
  const seeds = counted(difference.n, "seed");
  return `${name} ${signed(100 * difference.mean, 1)} points of ${seeds}`;
}

/** What the accuracies allow to say. */
function accuracySentences(all: Unconcluded): string[] {
  const { base, comparisons, judged } = all;
  const vote = judged === "knn" ? "k-NN accuracy" : "balanced k-NN accuracy";
  const called = [...withVerdict(all, "better"), ...withVerdict(all, "worse")];
  const none = withVerdict(all, "none").map(({ name }) => name);
  const few = withVerdict(all, "few").map(({ name }) => name);
  const controls = withVerdict(all, "control").map(({ name }) => name);
  const sentences: string[] = [];
  if (called.length > 0)
    sentences.push(`By ${vote} ${listed(called.map((arm) => claim(all, arm)))}.`);
  if (none.length > 0) {
    sentences.push(`For ${listed(none)} no difference to ${base} in ${vote} is shown.`);
  }
  if (few.length > 0) {
    sentences.push(
      `Too few seeds of ${listed(few)} are done to tell: a difference is called one from ${LEAST_SEEDS} seeds on that ${base} has too.`,
    );
  }
  const early = withVerdict(all, "early");
  if (early.length > 0) {
    const far =
      early.length > MOST_LISTED
        ? "the tables say how far each is"
        : `so far beside ${base}: ${listed(early.map((arm) => soFar(arm, all)))}`;
    sentences.push(`No verdict is given before all seeds are done; ${far}.`);
  }
  if (controls.length > 0) {
    sentences.push(
      `${listed(controls)} get${controls.length > 1 ? "" : "s"} no verdict: labels of the images asked for were trained with; --test gives images that no arm has seen.`,
    );
  }
  if (called.length + none.length > 0) {
    const corrected = comparisons > 1 ? `, corrected for ${comparisons} comparisons` : "";
    sentences.push(
      `Intervals hold the mean difference over seeds at 95 %${corrected}; arms are compared with ${base}, not with each other.`,
    );
  }
  return sentences;
}

/** k-NN of raw pixels and of the arms, without test images that are copies of training images where there are any. */
export function knnBesidePixels({
  arms,
  baselines,
  judged,
}: Pick<Comparison, "arms" | "baselines" | "judged">) {
  const own = baselines.pixels?.knnWithoutCopies ?? null;
  const name = own === null ? judged : "knnWithoutCopies";
  const votes = arms.flatMap(({ measures }) => measures[name]?.mean ?? []);
  return { pixels: own ?? baselines.pixels?.[judged] ?? null, votes, isOwn: own !== null };
}

/** What learned nothing did better than every arm: then that is the outcome. */
function lostSentence({ allBelowPixels, baselines, arms, judged }: Unconcluded): string[] {
  if (allBelowPixels !== true) return [];
  const { pixels, votes, isOwn } = knnBesidePixels({ arms, baselines, judged });
  const [raw, best] = [pixels!, Math.max(...votes)].map((one) => fixed(100 * one, 1));
  const vote = judged === "knnBalanced" && !isOwn ? "balanced k-NN" : "k-NN";
  const asked = isOwn ? " without copies of training images" : "";
  return [
    `Raw pixels do better than every arm: ${vote}${asked} ${raw} %, the best arm ${best} %. What differs between the arms says little before one of them is ahead.`,
  ];
}

/** Both values of arms of two seeds, which make no interval of use. */
function twoSeeds({ arms, judged }: Unconcluded): string[] {
  const said = arms.flatMap(({ name, measures: { [judged]: knn } }) => {
    if (knn?.n !== 2) return [];
    return [`${name} ${overSeeds(knn, 100, 1)} %`];
  });
  return said.length === 0 ? [] : [`Two seeds say little: ${said.join("; ")}.`];
}

/** The outcome in sentences. A difference is named only where its interval leaves 0 out. */
export function conclusionOf(all: Unconcluded): string[] {
  const { total, done, failed } = all.runs;
  const left = total - done - failed.length;
  const sentences: string[] = [];
  if (left > 0)
    sentences.push(`${done} of ${counted(total, "run")} ${total === 1 ? "is" : "are"} done.`);
  if (failed.length > 0) {
    const names = failed.map(({ arm, seed }) => `${arm} seed ${seed}`);
    sentences.push(`${listed(names)} failed and ${failed.length > 1 ? "are" : "is"} left out.`);
  }
  if (done === 0) return sentences;
  if (all.arms.some(({ measures }) => measures.knn !== undefined)) {
    return [
      ...sentences,
      ...lostSentence(all),
      ...startSentences(all),
      ...twoSeeds(all),
      ...accuracySentences(all),
    ];
  }
  return [
    ...sentences,
    "The images have no labels, so no accuracy can be compared. Alignment, uniformity and rank describe the features; none of them says by itself which encoder is better.",
  ];
}
