import { describe, expect, test } from "vitest";

import type { StepRecord } from "../events.ts";
import { diagnose, findingNames } from "./diagnose.ts";
import { companionEffect, isHealthDue, viewDifference, weightChange } from "./probe.ts";
import type { Course, HealthRecord } from "./records.ts";
import { addStep } from "./signs.ts";
import { describeDiagnosis, watchHealth } from "./watch.ts";

const times = { imagesPerSecond: 100, waitShare: 0, memoryMiB: 100, elapsedSeconds: 1 };
const step = (at: number, more: Partial<StepRecord> = {}): StepRecord => ({
  kind: "step",
  epoch: 0,
  step: at,
  loss: 5,
  chanceLoss: 6.2,
  learningRate: 0.1,
  positiveSimilarity: 0.8,
  negativeSimilarity: 0.3,
  accuracy: 0.4,
  featureStd: 0.6,
  gradientNorm: 1,
  effectiveNegatives: 200,
  ...times,
  ...more,
});
const look = (more: Partial<HealthRecord> = {}): HealthRecord => ({
  kind: "health",
  epoch: 0,
  step: 20,
  viewMean: 0.1,
  viewStd: 1,
  viewDifference: 0.7,
  updateRatio: 0.01,
  weightNorm: 10,
  duplicateShare: 0,
  elapsedSeconds: 1,
  ...more,
});
function course(
  figures: (at: number) => Partial<StepRecord> = () => ({}),
  looks: HealthRecord[] = [look(), look()],
  loss: Record<string, unknown> = { temperature: 0.2 },
): Course {
  return {
    config: {
      framework: { name: "simclr" },
      method: "simclr",
      batchSize: 256,
      samplers: [],
      loss: { name: "infoNce", ...loss },
    },
    steps: Array.from({ length: 40 }, (_, at) => step(at, figures(at))),
    health: looks,
    evaluations: [],
    totalSteps: 1000,
  };
}
const measuredVotes = (votes: number[]) =>
  votes.map((knnAccuracy, epoch) => ({
    kind: "evaluation" as const,
    epoch,
    step: 10 * epoch,
    knnAccuracy,
    uniformity: -2,
    effectiveRank: 30,
    elapsedSeconds: 1,
  }));
const finding = (...args: Parameters<typeof course>) => diagnose(course(...args)).finding;

describe("diagnose", () => {
  test("nothing is wrong with a sound run, and it says by what", () => {
    const { verdict, evidence, change } = diagnose(course());
    expect([verdict, change]).toEqual(["healthy", undefined]);
    expect(evidence.map(({ name }) => name)).toContain("lead of positives");
    expect(evidence.find(({ name }) => name === "alignment")?.value).toBeCloseTo(0.4);
    const evaluation = { kind: "evaluation" as const, epoch: 1, step: 9, elapsedSeconds: 1 };
    const evaluations = [{ ...evaluation, uniformity: -2.5, effectiveRank: 30 }];
    const queued = { ...course(undefined, [look({ queueTurnover: 0.1 })]), evaluations };
    expect(diagnose(queued).evidence).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: "uniformity", value: -2.5 }),
        expect.objectContaining({ name: "queueTurnover", value: 0.1 }),
      ]),
    );
  });

  test("copies of training images among the test images are never healthy, and what k-NN must beat leaves them out", () => {
    const leaking = (votes: [all: number, own: number][], pixels: number): Course => ({
      ...course(),
      totalSteps: 40,
      evaluations: measuredVotes(votes.map(([all]) => all)).map((one, i) => ({
        ...one,
        knnImages: 40,
        knnWithoutCopies: votes[i][1],
      })),
      baselines: {
        kind: "baselines",
        epoch: 0,
        step: 0,
        elapsedSeconds: 0,
        knnImages: 40,
        copies: 32,
        knnPixels: 0.99,
        knnPixelsWithoutCopies: pixels,
      },
    });
    const found = diagnose(leaking([[0.9, 0.5]], 0.4));
    expect([found.verdict, found.finding]).toEqual(["watch", "copies in the test images"]);
    expect(found.sentence).toMatch(/^32 of 40 test images are copies of training images/);
    expect(found.evidence).toEqual([
      { name: "copies", value: 32, expected: "0" },
      { name: "knnAccuracy without copies", value: 0.5, expected: "0.900 with them" },
    ]);
    expect(found.change).toContain("dedupe --split all");
    const all = leaking([[0.5, NaN]], NaN);
    const { evaluations, baselines } = all;
    const none = { knnWithoutCopies: undefined, knnPixelsWithoutCopies: undefined };
    const whole = {
      ...all,
      evaluations: [{ ...evaluations[0], ...none }],
      baselines: { ...baselines!, ...none, copies: 40 },
    };
    expect(diagnose(whole)).toMatchObject({ verdict: "watch", finding: found.finding });
    const below = diagnose(leaking([[0.9, 0.3]], 0.9));
    expect([below.verdict, below.finding]).toEqual(["broken", "below raw pixels"]);
    expect(below.sentence).toContain("By the labels of 8 images raw pixels do better");
    expect(below.sentence).toContain("32 of 40 test images are copies");
    expect(below.evidence[0]).toMatchObject({ name: "knnAccuracy without copies", value: 0.3 });
  });

  test("keys are not called shuffled once positives are found", () => {
    const slow = (late: Partial<StepRecord>) => {
      const late30 = course((at) => (at < 30 ? alike : { positiveSimilarity: 0.8, ...late }));
      return diagnose({ ...late30, config: { ...late30.config, framework: { name: "moco" } } })
        .finding;
    };
    expect(slow({ accuracy: 0.4 })).toBe("healthy");
    expect(slow({ accuracy: 5 / 492 })).toBe("shuffled key ids");
    expect(slow({ positiveSimilarity: 0.4, accuracy: 0.4 })).toBe("shuffled key ids");
  });

  test("photos of one thing are no duplicated data where their groups were given", () => {
    const bursts = course(undefined, [look({ duplicateShare: 1 })]);
    expect(diagnose(bursts).finding).toBe("duplicated data");
    const given = { ...bursts, config: { ...bursts.config, groups: "groups.json" } };
    expect(diagnose(given).finding).toBe("healthy");
  });

  test("negatives that were picked for their similarity do not make keys look shuffled", () => {
    const picked = (more: object, figures: Partial<StepRecord> = {}) => {
      const near = course(() => ({ ...alike, accuracy: 5 / 492, ...figures }));
      const config = { ...near.config, framework: { name: "moco" }, ...more };
      return diagnose({ ...near, config }).finding;
    };
    const ring = { samplers: [{ name: "ring" }] };
    expect(picked({})).toBe("shuffled key ids");
    expect(picked(ring)).toBe("healthy");
    expect(picked(ring, { accuracy: 1 / 492 })).toBe("shuffled key ids");
    expect(picked({ mixer: { name: "mochi" } }, { accuracy: 0 })).toBe("healthy");
    const mates = { samplers: [{ name: "groupPositives" }] }; // positives need not be alike
    expect(picked(mates, { accuracy: 0 })).toBe("healthy");
  });

  test("of a run of few steps only what they show is told, and that they are few", () => {
    const short = (count: number, figures: Partial<StepRecord>, totalSteps = count) => {
      const one = course(() => figures);
      return diagnose({ ...one, steps: one.steps.slice(0, count), totalSteps });
    };
    const wrong = { positiveSimilarity: 0.49, negativeSimilarity: 0.5, accuracy: 0, loss: 6.2 };
    const few = short(12, wrong);
    expect([few.verdict, few.finding]).toEqual(["watch", "too few steps"]);
    expect(few.sentence).toBe("12 steps: too few to judge by how it trains.");
    expect(few.evidence).toEqual([
      { name: "steps", value: 12, expected: "30 or more, 10 of a longer run" },
    ]);
    expect(short(12, {}).finding).toBe("too few steps");
    expect(short(1, {}, 1000).sentence).toBe("1 step of 1000: too few to judge by how it trains.");
    expect(short(10, wrong, 1000).finding).toBe("shuffled key ids");
    expect(short(12, { featureStd: 0.001 }).finding).toBe("constant head");
    const below = { ...course(), steps: course().steps.slice(0, 12), totalSteps: 12 };
    const evaluations = measuredVotes([0.2]);
    const baselines = {
      kind: "baselines" as const,
      epoch: 0,
      step: 0,
      elapsedSeconds: 0,
      knnPixels: 0.4,
    };
    const behind = diagnose({ ...below, evaluations, baselines });
    expect(behind.verdict).toBe("watch");
    expect(behind.evidence[1]).toEqual({
      name: "knnAccuracy",
      value: 0.2,
      expected: "above 0.400, raw pixels",
    });
  });

  test("keys of a short run with few images are not called shuffled for their small lead", () => {
    const small = (more: Partial<StepRecord>, count = 10) => {
      const noise = [0.04, -0.02, 0.03, 0.01, -0.05, 0.02, -0.03];
      const one = course((at) => {
        const negativeSimilarity = 0.7 + noise[at % 7];
        const figures = { positiveSimilarity: 0.7, negativeSimilarity, chanceLoss: Math.log(15) };
        return { ...figures, loss: 2.5, accuracy: 1 / 15 + noise[at % 7], ...more };
      });
      return diagnose({ ...one, steps: one.steps.slice(0, count), totalSteps: 40 });
    };
    const sure = small({}, 40);
    expect([sure.verdict, sure.finding]).toEqual(["broken", "shuffled key ids"]);
    const unsure = small({});
    expect([unsure.verdict, unsure.finding]).toEqual(["watch", "shuffled key ids"]);
    expect(small({ accuracy: 0.16 }).finding).toBe("healthy"); // of 16 views two or three, each time
    expect(small({ negativeSimilarity: 0.68 }, 40).finding).toBe("healthy"); // a small lead, each time
  });

  const alike = { positiveSimilarity: 0.49, negativeSimilarity: 0.5, accuracy: 0.002 };
  const cases: [string, Parameters<typeof course>][] = [
    ["wrong normalisation", [undefined, [look(), look({ viewStd: 60 })]]],
    ["identity augmentation", [undefined, [look(), look({ viewDifference: 0 })]]],
    ["dead queue", [undefined, [look({ queueTurnover: 0.1 }), look({ queueTurnover: 0 })]]],
    ["constant head", [() => ({ featureStd: 0.001 })]],
    [
      "temperature too low",
      [() => ({ effectiveNegatives: 1.3 }), undefined, { temperature: 0.01 }],
    ],
    ["temperature too high", [() => ({ effectiveNegatives: 492 }), undefined, { temperature: 5 }]],
    ["batch-norm leak", [undefined, [look({ companionShift: 0.5, companionAlignment: 0.7 })]]],
    ["learning rate too high", [undefined, [look(), look({ weightNorm: 30 })]]],
    ["shuffled key ids", [() => alike]],
    ["collapse", [(at) => ({ featureStd: at < 20 ? 0.6 : 0.05 })]],
    ["duplicated data", [undefined, [look({ duplicateShare: 0.8 })]]],
    ["clamped anchors", [() => ({ clampedShare: 0.9 })]],
    ["waiting for data", [() => ({ waitShare: 0.5, elapsedSeconds: 30 })]],
  ];
  test.each(cases)("%s", (name, args) => {
    expect(findingNames).toContain(name);
    const found = diagnose(course(...args));
    expect(found.finding).toBe(name);
    expect(found.evidence.length).toBeGreaterThan(0);
    expect(found.change).toBeDefined();
  });

  test("waits of the first seconds of a run are not told", () => {
    const waits = (elapsedSeconds: number) => course(() => ({ waitShare: 0.5, elapsedSeconds }));
    expect(diagnose(waits(3)).finding).toBe("healthy");
    expect(diagnose(waits(25)).finding).toBe("waiting for data");
  });

  test("not learning, few directions and a falling vote take a part of the run", () => {
    const stuck = course(() => ({ loss: 6.2 }));
    expect(diagnose(stuck).finding).toBe("healthy");
    const longer = Array.from({ length: 50 }, (_, at) => step(at, { loss: 6.2 }));
    expect(diagnose({ ...stuck, totalSteps: 60 }).finding).toBe("healthy"); // 40 steps: still too few
    expect(diagnose({ ...stuck, steps: longer, totalSteps: 60 }).finding).toBe("not learning");
    const hardly = course(() => ({ loss: 6.15 }));
    const [{ expected }] = diagnose({ ...hardly, totalSteps: 40 }).evidence;
    expect(expected).toBe("below 6.08, 98 % of 6.20, chance"); // no more than what it goes by
    const over = diagnose({ ...stuck, totalSteps: 40 });
    expect([over.finding, over.sentence.slice(0, 15)]).toEqual(["not learning", "The run is over"]);
    const measured = measuredVotes([0.5, 0.52, 0.47, 0.4]);
    const falling = { ...course(), evaluations: measured, totalSteps: 60 };
    expect(diagnose(falling).finding).toBe("k-NN falls");
    const flat = [{ ...measured[0], effectiveRank: 2 }];
    expect(diagnose({ ...falling, evaluations: flat }).finding).toBe("few directions");
  });

  test("behind raw pixels or the first weights is never healthy", () => {
    const measured = (votes: number[], more: object, totalSteps = 40) => {
      const evaluations = measuredVotes(votes).map((one) => ({ ...one, knnImages: 2000 }));
      const baselines = {
        kind: "baselines" as const,
        epoch: 0,
        step: 0,
        elapsedSeconds: 0,
        knnPixels: 0.388,
        knnStart: 0.2,
        ...more,
      };
      return diagnose({ ...course(), evaluations, baselines, totalSteps });
    };
    const lost = measured([0.33, 0.318, 0.308], {});
    expect([lost.verdict, lost.finding]).toEqual(["broken", "below raw pixels"]);
    expect(describeDiagnosis(lost)).toMatch(
      /By the labels of 2,000 images .*\(knnAccuracy 0.308, expected above 0.388, raw pixels\).*milder/,
    );
    expect(measured([0.33, 0.35, 0.36], {}).change).toMatch(/^more --epochs/);
    expect(measured([0.38, 0.385], {}).verdict).toBe("watch"); // by less than chance tells
    expect(measured([0.3], {}, 60).finding).toBe("below raw pixels");
    const young = measured([0.3], {}, 200);
    expect([young.verdict, young.finding]).toEqual(["watch", "below raw pixels so far"]);
    expect(measured([0.41], {}).finding).toBe("healthy");
    expect(measured([0.41], { knnStart: 0.5 }).finding).toBe("below the first weights");
    const { evidence } = measured([0.41], {});
    expect(evidence.find(({ name }) => name === "knnAccuracy")?.expected).toBe(
      "above 0.388, raw pixels; above 0.200, the first weights",
    );
  });

  test("without labels views that pixels find as well are told, beyond chance", () => {
    const measured = (viewAgreement: number) => {
      const one = { kind: "evaluation" as const, epoch: 1, step: 9, elapsedSeconds: 1 };
      const evaluations = [
        { ...one, uniformity: -2, effectiveRank: 30, viewAgreement, viewImages: 200 },
      ];
      const baselines = {
        kind: "baselines" as const,
        epoch: 0,
        step: 0,
        elapsedSeconds: 0,
        agreementPixels: 0.5,
        agreementStart: 0.1,
      };
      return diagnose({ ...course(), evaluations, baselines, totalSteps: 40 }).finding;
    };
    expect([0.9, 0.45, 0.4].map(measured)).toEqual(["healthy", "healthy", "below raw pixels"]);
  });

  test("k-NN that falls from its first measurement on is told at once", () => {
    const falling = (votes: number[]) => {
      const evaluations = measuredVotes(votes).map((one) => ({ ...one, knnImages: 2000 }));
      return diagnose({ ...course(), evaluations, totalSteps: 100 }).finding;
    };
    expect(falling([0.34, 0.32, 0.31])).toBe("k-NN falls");
    expect(falling([0.34, 0.335, 0.33])).toBe("healthy"); // chance
    expect(falling([0.33, 0.34, 0.31])).toBe("healthy"); // not from the first
  });

  test("a loss at chance is none where negatives are made hard, or where the vote rises", () => {
    const stuck = (figures: Partial<StepRecord>, more: object = {}, votes: number[] = []) => {
      const one = course(() => ({ loss: 6.3, ...figures }));
      const config = { ...one.config, ...more };
      const evaluations = measuredVotes(votes);
      return diagnose({ ...one, config, evaluations, totalSteps: 40 }).finding;
    };
    expect(stuck({})).toBe("not learning");
    expect(stuck({}, {}, [0.4, 0.42])).toBe("not learning");
    expect(stuck({}, {}, [0.4, 0.5])).toBe("healthy");
    for (const harder of [{ mixer: { name: "mochi" } }, { samplers: [{ name: "propagate" }] }]) {
      expect(stuck({}, harder)).toBe("healthy"); // positives are far ahead of negatives
      expect(stuck({ positiveSimilarity: 0.31 }, harder)).toBe("not learning");
    }
  });

  test("what breaks a run comes before what merely slows it", () => {
    const both = finding(() => ({ waitShare: 0.5, elapsedSeconds: 30 }), [look({ viewStd: 60 })]);
    expect(both).toBe("wrong normalisation");
  });
});

test("the watch speaks when the finding changes, and only then", () => {
  const { config } = course();
  const watch = watchHealth(config as never, () => 1000);
  for (let at = 0; at < 20; at++) watch.see(step(at));
  expect(watch.see(look())).toBeUndefined();
  const said = watch.see(look({ viewStd: 60 }));
  expect(said && describeDiagnosis(said)).toMatch(
    /^broken: wrong normalisation\. .*viewStd 60, expected near 1.*Change: /,
  );
  expect(watch.see(look({ viewStd: 60 }))).toBeUndefined();
  expect(watch.see(look())?.verdict).toBe("healthy");
  const start = { kind: "baselines" as const, epoch: 0, step: 0, elapsedSeconds: 0 };
  watch.see({ ...start, knnPixels: 0.4 });
  watch.see(measuredVotes([0.1])[0]);
  expect(watch.see(look())).toBeUndefined(); // a young run may be behind
});

describe("the steps that are kept", () => {
  const kept = (steps: readonly StepRecord[]) => {
    const some: StepRecord[] = [];
    for (const one of steps) addStep(some, one);
    return some;
  };

  test("are a few of a run of any length, and say what all of them say", () => {
    const courses: ((at: number) => Partial<StepRecord>)[] = [
      () => ({}),
      (at) => ({ featureStd: at < 20 ? 0.6 : 0.05 }),
      (at) => (at < 40 ? { positiveSimilarity: 0.5, negativeSimilarity: 0.49 } : {}),
      (at) => ({ waitShare: at < 30 ? 0.01 : 0.5, gradientNorm: 1 + at, elapsedSeconds: at }),
    ];
    for (const figures of courses) {
      for (const count of [1, 9, 10, 19, 20, 39, 40, 41, 60, 500]) {
        const steps = Array.from({ length: count }, (_, at) => step(at, figures(at)));
        const all = { ...course(), steps, totalSteps: 1000 };
        const some = kept(steps);
        expect(some.length).toBe(Math.min(count, 40));
        expect(diagnose({ ...all, steps: some })).toEqual(diagnose(all));
      }
    }
  });
});

describe("what is looked at", () => {
  const rows = (shape: number[], data: number[]) =>
    ({ dtype: "float32", shape, data: Float32Array.from(data) }) as never;

  test("two views of an image against two images", () => {
    const ids = Int32Array.from([0, 1]);
    const sources = Int32Array.from([0, 1, 0, 1]);
    const views = Float32Array.from([0, 0, 4, 4, 1, 1, 4, 4]);
    expect(viewDifference({ views, ids, sources })).toBeCloseTo(2 / 16);
    const same = Float32Array.from([0, 0, 4, 4, 0, 0, 4, 4]);
    expect(viewDifference({ views: same, ids, sources })).toBe(0);
    expect(viewDifference({ views, ids, sources: ids })).toBeUndefined();
  });

  test("how far weights move", () => {
    const weights = (data: number[]) => ({
      encoder: { parameters: { w: rows([2], data) }, statistics: {} },
      head: { parameters: {}, statistics: {} },
    });
    const { updateRatio, weightNorm } = weightChange(weights([3, 4]), weights([3, 5]));
    expect(updateRatio).toBeCloseTo(1 / 5);
    expect(weightNorm).toBeCloseTo(Math.sqrt(34));
  });

  test("moves with the companions, alike or not", () => {
    const [a, still] = [rows([4, 2], [0, 0, 1, 1, 0, 0, 1, 1]), [0, 0, 1, 1, 0, 0, 1, 1]];
    expect(companionEffect(a, rows([4, 2], still)).companionShift).toBe(0);
    const alike = rows([4, 2], [0.5, 0, 1, 1, 0.5, 0, 1, 1]);
    expect(companionEffect(a, alike).companionAlignment).toBeCloseTo(1);
    const apart = rows([4, 2], [0.5, 0, 1, 1, 0, 0.5, 1, 1]);
    expect(companionEffect(a, apart).companionAlignment).toBeCloseTo(0);
  });

  test("about sixty times a run, soon after the start", () => {
    const due = Array.from({ length: 1000 }, (_, at) => at).filter((at) => isHealthDue(at, 1000));
    expect(due.slice(0, 4)).toEqual([1, 4, 20, 40]);
    expect(due.at(-1)).toBe(999);
    expect(due.length).toBeLessThan(60);
  });
});
