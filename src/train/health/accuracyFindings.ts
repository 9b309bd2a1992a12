import { counted } from "../../core/counted.ts";
import { isUneven } from "../../metrics/index.ts";
import { fact, type Finding, type Found } from "./finding.ts";
import type { Course, Evidence } from "./records.ts";
import type { Signs } from "./signs.ts";

/** Accuracies of k-NN so far, in order: without test images that are copies of training images, where there are others. */
export const votesOf = ({ evaluations }: Pick<Course, "evaluations">): number[] =>
  evaluations.flatMap(({ knnAccuracy, knnWithoutCopies }) => knnWithoutCopies ?? knnAccuracy ?? []);

/** The name of what `votesOf` gives. */
const votesAre = ({ evaluations }: Pick<Course, "evaluations">) =>
  evaluations.at(-1)?.knnWithoutCopies === undefined ? "knnAccuracy" : WITHOUT_COPIES;

const WITHOUT_COPIES = "knnAccuracy without copies";

/** Two standard errors of a share of so many images; what differs by less may be chance. */
const noiseOf = (share: number, images: number): number =>
  2 * Math.sqrt((share * (1 - share)) / images);

/** What an encoder has to beat. */
type Bar = { readonly name: (typeof names)[number]; readonly share: number };

/** Names of what is measured before training. */
const names = ["raw pixels", "the first weights", "the start, not adapted"] as const;

/** Shares that were measured, the newest last, beside the same share of what has to be beaten. */
export type Standing = {
  readonly measure: "knnAccuracy" | "knnBalanced" | typeof WITHOUT_COPIES | "viewAgreement";
  readonly shares: readonly number[];
  readonly bars: readonly Bar[];
  readonly images: number; // that were asked
};

const barsOf = (
  pixels: number | undefined,
  start: number | undefined,
  first: Bar["name"] = "the first weights",
): Bar[] => [
  ...(pixels === undefined ? [] : [{ name: "raw pixels" as const, share: pixels }]),
  ...(start === undefined ? [] : [{ name: first, share: start }]),
];

/** Whether classes are uneven, and no copies of training images are asked for, which are no part of balanced figures. */
function isBalanced({ evaluations, baselines }: Course): boolean {
  const { knnChance, knnClasses, knnWithoutCopies } = evaluations.at(-1) ?? {};
  if (knnChance === undefined || knnClasses === undefined) return false;
  return isUneven(knnChance, knnClasses) && knnWithoutCopies === undefined && !baselines?.copies;
}

/** Of a run that began with a pretrained encoder, or of uneven classes: by balanced accuracy. */
function balancedStanding(course: Course): Standing | undefined {
  const { config, evaluations, baselines } = course;
  const begun = config.from !== undefined;
  if (!begun && !isBalanced(course)) return undefined;
  const shares = evaluations.flatMap(({ knnBalanced }) => knnBalanced ?? []);
  if (shares.length === 0) return undefined;
  const { balancedPixels, balancedStart } = baselines ?? {};
  const bars = barsOf(
    balancedPixels,
    balancedStart,
    begun ? "the start, not adapted" : "the first weights",
  );
  return { measure: "knnBalanced", shares, bars, images: evaluations.at(-1)?.knnImages ?? 0 };
}

/** k-NN accuracy, or without labels the agreement of views; undefined before the first measurement. */
export function standingOf(course: Course): Standing | undefined {
  const { evaluations, baselines } = course;
  const last = evaluations.at(-1);
  if (last === undefined) return undefined;
  const balanced = balancedStanding(course);
  if (balanced !== undefined) return balanced;
  const votes = votesOf({ evaluations });
  if (votes.length > 0) {
    const { knnImages: images = 0, knnWithoutCopies } = last;
    const { copies = 0, knnPixelsWithoutCopies, knnStartWithoutCopies } = baselines ?? {};
    if (knnWithoutCopies !== undefined) {
      const bars = barsOf(knnPixelsWithoutCopies, knnStartWithoutCopies);
      return { measure: WITHOUT_COPIES, shares: votes, bars, images: images - copies };
    }
    const known = copies === 0 ? baselines : undefined; // who knows all the answers is no bar
    const bars = barsOf(known?.knnPixels, known?.knnStart);
    return { measure: "knnAccuracy", shares: votes, bars, images };
  }
  const shares = evaluations.flatMap(({ viewAgreement }) => viewAgreement ?? []);
  const bars = barsOf(baselines?.agreementPixels, baselines?.agreementStart);
  return { measure: "viewAgreement", shares, bars, images: last.viewImages ?? 0 };
}

const byLabels = (bar: Bar["name"], images: number) =>
  `By the labels of ${counted(images, "image")} ${bar} do better than the encoder.`;

const sentences = {
  knnAccuracy: byLabels,
  knnBalanced: byLabels,
  [WITHOUT_COPIES]: byLabels,
  viewAgreement: (bar: Bar["name"], images: number) =>
    `Of ${counted(images, "image")} ${bar} find the other view more often than the encoder does.`,
};

/** How far below a bar still counts as level. Milder views can leave pixels all but the same: there chance is allowed for. */
const slackOf = ({ measure, images }: Standing, { share }: Bar): number =>
  measure === "viewAgreement" ? noiseOf(share, images) : 0;

/** `above 0.271, raw pixels`. */
export function expectedOf(standing: Standing, bar: Bar): string {
  const slack = slackOf(standing, bar);
  const within = slack > 0 ? ` − ${slack.toFixed(3)}` : "";
  return `above ${bar.share.toFixed(3)}${within}, ${bar.name}`;
}

/** The newest k-NN accuracy, or agreement of views, beside what it has to beat. */
export function measured(course: Course): Evidence[] {
  const standing = standingOf(course);
  const share = standing?.shares.at(-1);
  if (standing === undefined || share === undefined) return [];
  const expected = standing.bars.map((bar) => expectedOf(standing, bar)).join("; ") || "rising";
  return [fact(standing.measure, share, expected)];
}

/** What to do about an encoder that is behind. */
function changeOf({ shares, images, bars }: Standing, done: number): string {
  if (bars.some(({ name }) => name === "the start, not adapted")) {
    return "a run that ends behind its start gives the start; milder views, fewer --epochs, or --method supCon where there are labels";
  }
  const best = Math.max(...shares);
  if (best - shares.at(-1)! > noiseOf(best, images)) {
    return "milder views; contrapose preview shows them";
  }
  return done < 1 ? "let it go on, it has not fallen" : "more --epochs, it has not fallen";
}

/** Balanced accuracy beside the same of a bar, where another measure decides. */
function balancedBeside(
  { evaluations, baselines }: Course,
  measure: Standing["measure"],
  name: Bar["name"],
) {
  const [now, { balancedPixels, balancedStart }] = [
    evaluations.at(-1)?.knnBalanced,
    baselines ?? {},
  ];
  const bar = name === "raw pixels" ? balancedPixels : balancedStart;
  if (measure === "knnBalanced" || now === undefined || bar === undefined) return [];
  return [fact("knnBalanced", now, `above ${bar.toFixed(3)}, ${name}`)];
}

function behind({ course, done }: Signs, name: Bar["name"]): Found | undefined {
  const standing = standingOf(course);
  const bar = standing?.bars.find((one) => one.name === name);
  if (standing === undefined || bar === undefined) return undefined;
  const { measure, images } = standing;
  const short = bar.share - standing.shares.at(-1)!;
  if (short <= slackOf(standing, bar)) return undefined;
  return {
    sentence: sentences[measure](name, images),
    evidence: [
      fact(measure, standing.shares.at(-1)!, expectedOf(standing, bar)),
      ...balancedBeside(course, measure, name),
    ],
    change: changeOf(standing, done),
    ...(done >= 1 && short > noiseOf(bar.share, images) ? { verdict: "broken" as const } : {}),
  };
}

/** Share of a run after which an encoder should be ahead. */
const HALF = 0.5;

/** Behind what learned nothing when half of the run or more is over. */
export const belowBars: readonly Finding[] = names.map((name) => ({
  name: `below ${name}`,
  verdict: "watch",
  look: (signs) => (signs.done < HALF ? undefined : behind(signs, name)),
}));

/** The same of a younger run, which may come out of it. */
export const belowBarsSoFar: readonly Finding[] = names.map((name) => ({
  name: `below ${name} so far`,
  verdict: "watch",
  passing: true,
  look: (signs) => (signs.done < HALF ? behind(signs, name) : undefined),
}));

/** k-NN that was better before: by 5 points, or from the first measurement on by more than chance. */
export const fallingVote: Finding = {
  name: "k-NN falls",
  verdict: "watch",
  look({ course, done }) {
    const votes = votesOf(course);
    const [best, now] = [Math.max(...votes), votes.at(-1)];
    if (now === undefined || done < 0.3) return undefined;
    const { images } = standingOf(course)!;
    const measure = votesAre(course);
    const fromFirst = votes.length > 2 && votes[0] === best && best - now > noiseOf(best, images);
    if (!fromFirst && (votes.length < 4 || best - now < 0.05)) return undefined;
    const since = fromFirst ? "since the first measurement" : "while the loss goes on";
    return {
      sentence: `The encoder was better before: k-NN accuracy falls ${since}.`,
      evidence: [fact(measure, now, `${best.toFixed(3)}, as it was`)],
      change: "take checkpoints/best, and views that keep what the labels go by",
    };
  },
};

/** Test images asked that are copies of training images, and k-NN without them; undefined where none is one. */
export function copiesFound({ baselines, evaluations }: Course) {
  const { copies = 0, knnImages = 0 } = baselines ?? {};
  if (copies === 0) return undefined;
  const { knnAccuracy, knnWithoutCopies } = evaluations.at(-1) ?? {};
  const known = knnAccuracy !== undefined && knnWithoutCopies !== undefined;
  return {
    sentence: `${copies} of ${counted(knnImages, "test image")} ${copies === 1 ? "is a copy" : "are copies"} of training images, which flatters every accuracy.`,
    evidence: [
      fact("copies", copies, "0"),
      ...(known
        ? [fact(WITHOUT_COPIES, knnWithoutCopies, `${knnAccuracy.toFixed(3)} with them`)]
        : []),
    ],
  };
}

/** Test images that the encoder has seen. */
export const copiesInTest: Finding = {
  name: "copies in the test images",
  verdict: "watch",
  look({ course }) {
    const found = copiesFound(course);
    const change =
      "leave them out of one of the two; contrapose dedupe --split all, of a folder that holds both, lists them";
    return found && { ...found, change };
  },
};
