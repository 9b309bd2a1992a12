import { counted } from "../../core/counted.ts";
import { frameworkNamed, samplerNamed } from "../../frameworks/index.ts";
import type { Sampler } from "../../sampling/index.ts";
import type { StepRecord } from "../events.ts";
import {
  belowBars,
  belowBarsSoFar,
  copiesInTest,
  fallingVote,
  measured,
  votesOf,
} from "./accuracyFindings.ts";
import { fact, type Finding } from "./finding.ts";
import { duplicates, sameViews, wrongNormalisation } from "./inputFindings.ts";
import type { Course } from "./records.ts";
import { errorsAbove, leadOf, type Signs, START, WINDOW } from "./signs.ts";

const constantEmbedding: Finding = {
  name: "constant head",
  verdict: "broken",
  look({ mean, early }) {
    const [now, first] = [mean("featureStd"), early("featureStd")];
    if (now === undefined || first === undefined || now > 0.02 || first > 0.02) return undefined;
    return {
      sentence:
        "All images have had the same embedding from the first step on: encoder or head is constant.",
      evidence: [
        fact("featureStd", now, "above 0.2; 1 is even"),
        fact("gradientNorm", mean("gradientNorm") ?? NaN, "above 0"),
      ],
      change: "start from other weights: leave --init out, or check the head's",
    };
  },
};

/** Whether some sampler of a run does; `unknown` where one is its user's own and not here. */
const someSampler = (
  { samplers }: Course["config"],
  does: (sampler: Sampler) => boolean,
  unknown = false,
): boolean =>
  samplers.some(({ name }) => {
    const sampler = samplerNamed(name);
    return sampler === undefined ? unknown : does(sampler);
  });

/** Whether negatives are picked to be nearer than most, at first nearer than the positives. */
const picksNearest = (config: Course["config"]): boolean =>
  someSampler(config, ({ hardens }) => hardens);

/** Whether positives of a sound run are views of the anchor's image, and so nearer than its negatives. */
function viewsAreNearest({ config }: Course): boolean {
  const mixes = config.mixer !== undefined; // mixtures of the hardest are nearer than any key
  const pairsViews = frameworkNamed(config.framework.name)?.pairsViews ?? false;
  return pairsViews && !someSampler(config, (one) => one.findsPositives, true) && !mixes;
}

/**
 * Whether positives are ahead, or come first, in so many steps that chance cannot be why. Among candidates of one batch
 * a shuffled key never is: the key in its place stands among the negatives. Keys of a queue are older than those of
 * the batch, which alone makes these look nearer.
 */
function aheadBeyondChance({ config }: Course, steps: readonly StepRecord[]): boolean {
  if (frameworkNamed(config.framework.name)?.inBatch !== true) return false;
  const leads = steps.flatMap((step) => leadOf([step]) ?? []);
  const hits = steps.flatMap(({ accuracy, chanceLoss }) =>
    accuracy === undefined ? [] : accuracy - Math.exp(-chanceLoss),
  );
  return [leads, hits].some((values) => (errorsAbove(values) ?? 0) > 4);
}

/**
 * Whether a run that started slowly finds its positives by now, so that its keys are in order. Shuffled keys may come a
 * little ahead of a queue's too, as they are fresher.
 */
function findsPositives({ course, mean, last }: Signs, lead: number): boolean {
  const hits = (mean("accuracy") ?? 0) * Math.exp(last.chanceLoss); // 1 by chance
  return (lead > 0.2 && hits > 10) || (picksNearest(course.config) && hits > 3);
}

const mixedUp: Finding = {
  name: "shuffled key ids",
  verdict: "broken",
  look(signs) {
    const { course, mean, last } = signs;
    // at the start, while the keys of a queue are as fresh as those of the batch
    const first = course.steps.filter(({ step }) => step >= 3 && step < START);
    const ahead = leadOf(first);
    const negatives = mean("effectiveNegatives") ?? 0;
    if (!viewsAreNearest(course) || negatives < 4) return undefined;
    if (ahead === undefined || ahead > 0.12 || last.step + 1 < WINDOW) return undefined;
    const now = leadOf(course.steps.slice(-WINDOW)) ?? 0;
    if (findsPositives(signs, now) || aheadBeyondChance(course, first)) return undefined;
    return {
      verdict: last.step + 1 < START ? "watch" : "broken", // few steps cannot be sure
      sentence:
        "Positives are hardly more alike than negatives, as where a key is not of its query's image.",
      evidence: [
        fact("lead of positives at first", ahead, "above 0.2 of what is left to 1"),
        fact("lead of positives", now, "above 0.2"),
        fact("positiveSimilarity", mean("positiveSimilarity") ?? NaN, "above negativeSimilarity"),
        fact("negativeSimilarity", mean("negativeSimilarity") ?? NaN, "below positiveSimilarity"),
        fact("accuracy", mean("accuracy") ?? NaN, "far above one in the number of candidates"),
      ],
      change: "check that views, keys and ids of a batch are in one order",
    };
  },
};

const deadQueue: Finding = {
  name: "dead queue",
  verdict: "broken",
  look({ probe, course }) {
    const turnover = probe?.queueTurnover;
    if (turnover === undefined || turnover > 0 || course.health.length < 2) return undefined;
    return {
      sentence: "The queue has not taken a new key: negatives are those of the first steps.",
      evidence: [fact("queueTurnover", turnover, "batch over queue size")],
      change: "check that the state of the queue is carried from step to step",
    };
  },
};

const leak: Finding = {
  name: "batch-norm leak",
  verdict: "broken",
  look({ probe }) {
    const [shift, alignment] = [probe?.companionShift ?? 0, probe?.companionAlignment ?? 0];
    if (shift < 0.05 || alignment < 0.2) return undefined;
    return {
      sentence:
        "Both views of an image are normalised beside the same images, and can find each other by these.",
      evidence: [
        fact("companionShift", shift, "below 0.05"),
        fact("companionAlignment", alignment, "near 0"),
      ],
      change: "normalise whole batches, or use --set encoder.normalisation.group=8",
    };
  },
};

const rateTooHigh: Finding = {
  name: "learning rate too high",
  verdict: "broken",
  look({ course, last }) {
    const [first] = course.health;
    if (first === undefined) return undefined;
    const young = course.health.filter(({ step }) => step <= course.totalSteps / 10);
    const growth = Math.max(1, ...young.map(({ weightNorm }) => weightNorm / first.weightNorm));
    const ratio = Math.max(0, ...course.health.map(({ updateRatio }) => updateRatio));
    if (growth < 1.5 && ratio < 0.3) return undefined;
    return {
      sentence: "Steps change the weights by a large share of their length, again and again.",
      evidence: [
        fact("updateRatio at most", ratio, "below 0.05"),
        fact("growth of the weights", growth, "below 1.2 in the first tenth of a run"),
        fact("loss", last.loss, `below ${last.chanceLoss.toFixed(2)}, chance`),
      ],
      change: `a learning rate of ${Number(Math.min(last.learningRate / 100, 0.1).toPrecision(1))} or so`,
    };
  },
};

const tooCold: Finding = {
  name: "temperature too low",
  verdict: "broken",
  look({ mean, temperature, last, early }) {
    const [effective, loss] = [mean("effectiveNegatives"), mean("loss")];
    if (effective === undefined || temperature === undefined || loss === undefined)
      return undefined;
    const alone = effective < 2.5 && temperature < 0.05;
    const beyond = (early("loss") ?? 0) > 1.5 * last.chanceLoss && temperature < 0.05;
    if (!alone && !beyond) return undefined;
    return {
      sentence:
        "At this temperature one or two negatives carry the whole loss, and noise decides which.",
      evidence: [
        fact("temperature", temperature, "0.07 to 0.5"),
        fact("effectiveNegatives", effective, "tens or more"),
        fact("loss", loss, `below ${last.chanceLoss.toFixed(2)}, chance`),
      ],
      change: "--temperature 0.2",
    };
  },
};

const tooHot: Finding = {
  name: "temperature too high",
  verdict: "broken",
  look({ mean, temperature, last }) {
    const effective = mean("effectiveNegatives");
    if (temperature === undefined || effective === undefined || temperature <= 1) return undefined;
    if (effective < 0.98 * Math.exp(last.chanceLoss)) return undefined;
    return {
      sentence: "At this temperature all negatives count alike, and the loss cannot leave chance.",
      evidence: [
        fact("temperature", temperature, "0.07 to 0.5"),
        fact("effectiveNegatives", effective, "well below the number of negatives"),
        fact(
          "most that the loss can fall",
          2 / temperature,
          `far more, of ${last.chanceLoss.toFixed(2)}`,
        ),
      ],
      change: "--temperature 0.2",
    };
  },
};

const collapse: Finding = {
  name: "collapse",
  verdict: "broken",
  look({ mean, early, course }) {
    const [now, first] = [mean("featureStd"), early("featureStd")];
    if (now === undefined || first === undefined || course.steps.length < 2 * WINDOW)
      return undefined;
    if (now > 0.1 || now > first / 3) return undefined;
    return {
      sentence: "Embeddings have drawn together until all images have nearly the same.",
      evidence: [
        fact("featureStd", now, "above 0.5"),
        fact("featureStd at first", first, "lower than now"),
      ],
      change: "a lower learning rate, or more negatives (a larger batch or queue)",
    };
  },
};

/** Steps after which a loss that has not fallen means something. */
const YOUNG = 5 * WINDOW;

/** Whether the loss of embeddings that know nothing lies above chance: negatives are picked or made to be near. */
const hardens = ({ config }: Course): boolean => config.mixer !== undefined || picksNearest(config);

const notLearning: Finding = {
  name: "not learning",
  verdict: "watch",
  look({ course, mean, last, done }) {
    const loss = mean("loss") ?? 0;
    const { chanceLoss } = last;
    const learnt = 0.98 * chanceLoss;
    const young = done < 1 && last.step + 1 < YOUNG; // a fifth of a short run may still be its warm-up
    if (done < 0.2 || young || loss < learnt) return undefined;
    if (hardens(course) && (leadOf(course.steps.slice(-WINDOW)) ?? 0) > 0.05) return undefined;
    const votes = votesOf(course);
    if (votes.length > 1 && votes.at(-1)! - votes[0] >= 0.05) return undefined; // its features do
    const over = done < 1 ? "A fifth of the run is over" : "The run is over";
    return {
      sentence: `${over} and the loss is still that of embeddings that know nothing.`,
      evidence: [
        fact("loss", loss, `below ${learnt.toFixed(2)}, 98 % of ${chanceLoss.toFixed(2)}, chance`),
      ],
      change: "a higher learning rate, or milder views",
    };
  },
};

const fewDirections: Finding = {
  name: "few directions",
  verdict: "watch",
  look({ course, done }) {
    const rank = course.evaluations.at(-1)?.effectiveRank;
    if (rank === undefined || rank >= 4 || done < 0.2) return undefined;
    return {
      sentence: "Features use only a few directions of their space.",
      evidence: [fact("effectiveRank", rank, "ten or more")],
      change: "a lower temperature or weight decay",
    };
  },
};

const clamped: Finding = {
  name: "clamped anchors",
  verdict: "watch",
  look({ mean }) {
    const share = mean("clampedShare");
    if (share === undefined || share < 0.5) return undefined;
    return {
      sentence:
        "For most anchors the corrected sum of negatives lies at its floor: they push nothing.",
      evidence: [fact("clampedShare", share, "below 0.1")],
      change: "a smaller loss.tauPlus",
    };
  },
};

/** Before that workers are still starting, and what was waited is not worth a change. */
const WARM_SECONDS = 20;

const waiting: Finding = {
  name: "waiting for data",
  verdict: "watch",
  look({ mean, course, last }) {
    const share = mean("waitShare");
    if (share === undefined || share < 0.2 || course.steps.length < WINDOW) return undefined;
    if (last.elapsedSeconds < WARM_SECONDS) return undefined;
    return {
      sentence: "Steps wait for their views.",
      evidence: [fact("waitShare", share, "below 0.02")],
      change: "more --workers, smaller images, or views without blur",
    };
  },
};

const tooFewSteps: Finding = {
  name: "too few steps",
  verdict: "watch",
  passing: true,
  look({ course, last }) {
    const of = course.totalSteps > last.step + 1 ? ` of ${course.totalSteps}` : "";
    return {
      sentence: `${counted(last.step + 1, "step")}${of}: too few to judge by how it trains.`,
      evidence: [
        fact("steps", last.step + 1, `${START} or more, ${WINDOW} of a longer run`),
        ...measured(course),
      ],
      change:
        course.totalSteps < START ? "more --epochs, or a smaller --batch-size" : "let it go on",
    };
  },
};

/** Whether a run is so short, or so young, that hardly anything can be said of how it trains. */
export const hasFewSteps = ({ course, last }: Signs): boolean =>
  course.totalSteps < START || last.step + 1 < WINDOW;

/** What shows from the first steps on, and that they are few. */
export const findingsOfFew: readonly Finding[] = [
  ...[wrongNormalisation, sameViews, deadQueue, constantEmbedding, tooCold, tooHot],
  ...[leak, rateTooHigh, duplicates, copiesInTest, clamped, tooFewSteps],
];

/** All that is looked for, what explains others first. */
export const findings: readonly Finding[] = [
  ...[wrongNormalisation, sameViews, deadQueue, constantEmbedding, tooCold, tooHot],
  ...[leak, rateTooHigh, mixedUp, collapse, duplicates, notLearning, fewDirections],
  ...[...belowBars, fallingVote, copiesInTest, clamped, waiting, ...belowBarsSoFar],
];
