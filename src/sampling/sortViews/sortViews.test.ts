import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { numbers } from "../../testing/arrays.ts";
import { expectNear, expectSlope } from "../../../test/golden.ts";
import { sampledLoss, type Setting } from "../../../test/sampledLoss.ts";
import { sample, viewsOfImages } from "../../testing/scene.ts";
import { bare, firstViews, inputsAt, noHistory, randomViews } from "../../../test/viewCases.ts";
import { type HostRecord, scalar } from "../../core/arrays.ts";
import type { Sizes } from "../sampler.ts";
import { sortViews } from "./sortViews.ts";

/** One anchor's cosines to its own views, and to strangers, under options. */
async function oneAnchor(
  own: number[],
  strangers: number[],
  options: object,
  more: {
    state?: HostRecord;
    active?: number;
    ids?: number[]; // of the own views; the anchor's is 0
    overlaps?: number[]; // of the own views
    ramp?: number;
    epochSteps?: number;
  } = {},
) {
  const [w, m] = [own.length, own.length + strangers.length];
  const row = (value: (j: number) => number) => [Array.from({ length: m }, (_, j) => value(j))];
  const inputs = inputsAt(options, { anchors: 1, candidates: m });
  const scene = {
    similarity: [[...own, ...strangers]],
    ownViews: own.map((_, v) => row((j) => Number(j === v))),
    inputs: {
      ...inputs,
      ...(more.ramp === undefined ? {} : { ramp: scalar(more.ramp) }),
      ...(more.epochSteps === undefined ? {} : { epochSteps: scalar(more.epochSteps) }),
    },
    state: more.state ?? noHistory(),
    active: more.active ?? 1,
    ...(more.ids ? { ownIds: more.ids.map((id) => [id]) } : {}),
    ...(more.overlaps ? { overlaps: more.overlaps.map((overlap) => [overlap]) } : {}),
  };
  const pairs = { positive: row((j) => Number(j < w)), negative: row((j) => Number(j >= w)) };
  return sample(sortViews, scene, pairs, { ...options });
}

const far = [-0.3, -0.2, -0.1, 0, 0.1];

describe("sortViews", () => {
  test("soft with a sharp step drops views under the percentile, but for the best", async () => {
    const sharp = { softCentre: 0.75, softTemperature: 1e-4 };
    const own = [0.2, -0.15, 0.3];
    // percentiles against 5 strangers: 1, 0.4, 1
    const some = await oneAnchor(own, far, { mode: "soft", ...sharp, ...bare });
    expectNear(some.positive[0], [1, 0, 1, 0, 0, 0, 0, 0], 1e-12, "one below");
    const all = await oneAnchor([-0.25, -0.15, -0.15], far, { mode: "soft", ...sharp, ...bare });
    expectNear(all.positive[0], [0, 1, 0, 0, 0, 0, 0, 0], 1e-12, "only the best");
  });

  test("an anchor without negatives, and a view that is no positive, are left alone", async () => {
    const alone = await oneAnchor([0.1, 0.9, 0.5], [], { maxDemoted: 2, budget: 1, ...bare });
    expect(alone.positive).toEqual([[1, 1, 1]]);
    const similarity = [[-0.9, 0.2, 0.3, ...far]];
    const row = (value: (j: number) => number) => [similarity[0].map((_, j) => value(j))];
    const options = { quantile: 1, budget: 1, ...bare };
    const got = await sample(
      sortViews,
      {
        similarity,
        ownViews: [0, 1, 2].map((v) => row((j) => Number(j === v))),
        inputs: inputsAt(options, { anchors: 1, candidates: 8 }),
        state: noHistory(),
      },
      { positive: row((j) => [0, 1, 3][j] ?? 0), negative: row((j) => Number(j > 2)) },
      options,
    );
    expect(got.positive).toEqual(row((j) => [0, 1, 3][j] ?? 0)); // 0.2 and 0.3 lie above all others
  });

  test("waits for the gate, and for the warm-up", async () => {
    const own = [-0.25, 0.3, 0.4]; // percentiles 0.2, 1, 1: mean 0.733
    const options = { ...bare, quantile: 0.5, budget: 1 };
    const open = await oneAnchor(own, far, { ...options, aurocGate: 0.73 });
    expect(open.positive[0].slice(0, 3)).toEqual([0, 1, 1]);
    expect(open.metrics.auroc).toBeCloseTo(2.2 / 3, 6);
    expect(open.metrics.demotedShare).toBeCloseTo(1 / 3, 12);
    expect(open.metrics.keptPercentile).toBeCloseTo(1, 12);
    const shut = await oneAnchor(own, far, { ...options, aurocGate: 0.74 });
    expect(shut.positive[0].slice(0, 3)).toEqual([1, 1, 1]);
    const softly = await oneAnchor(own, far, { ...options, mode: "soft", aurocGate: 0.74 });
    expect(softly.positive[0].slice(0, 3)).toEqual([1, 1, 1]);
    const early = await oneAnchor(own, far, { ...options, mode: "ranked" }, { active: 0 });
    expect(early.positive[0].slice(0, 3)).toEqual([1, 1, 1]);
    expect(early.terms.map(({ weight }) => weight)).toEqual([[1], [0]]);
    expect(early.metrics.demotedShare).toBe(0);
  });

  test("follows the mean percentile and threshold over the steps, from the first one on", async () => {
    const options = { ...bare, quantile: 0.5 };
    const first = await oneAnchor([0.3, 0.4], far, options);
    expect(first.metrics.auroc).toBeCloseTo(1, 6);
    const second = await oneAnchor([-0.25, -0.25], far, options, { state: first.state });
    // weights 0.09 and 0.1 of 0.19
    expect(second.metrics.auroc).toBeCloseTo((0.09 * 1 + 0.1 * 0.2) / 0.19, 6);
    expect(numbers(second.state.weight)[0]).toBeCloseTo(0.19, 6);
    expect(numbers(second.state.threshold)[0]).toBeCloseTo(0.19 * -0.1, 6);
    const idle = await oneAnchor([0.3, 0.4], [], options, { state: second.state });
    expect(numbers(idle.state.weight)).toEqual(numbers(second.state.weight));
  });

  test("with few negatives goes by the running threshold", async () => {
    const options = { ...bare, quantile: 0.5, budget: 1, minNegatives: null };
    const seen = { percentile: scalar(0.5), threshold: scalar(0.25), weight: scalar(0.5) };
    const history = { ...noHistory(), ...seen };
    // own threshold −0.1; running (0.9 · 0.25 + 0.1 · −0.1) / (0.9 · 0.5 + 0.1) = 0.39
    const got = await oneAnchor([0.38, 0.5], far, options, { state: history });
    expect(got.positive[0].slice(0, 2)).toEqual([0, 1]);
    const kept = await oneAnchor([0.4, 0.5], far, options, { state: history });
    expect(kept.positive[0].slice(0, 2)).toEqual([1, 1]);
    const trusted = await oneAnchor(
      [0.38, 0.5],
      far,
      { ...options, minNegatives: 5 },
      { state: history },
    );
    expect(trusted.positive[0].slice(0, 2)).toEqual([1, 1]);
  });

  test("the budget grows after the warm-up", async () => {
    const at = (progress: number) =>
      numbers(
        inputsAt({ warmup: 0.2, ramp: 0.1 }, { anchors: 1, candidates: 1 }, 1, progress).ramp,
      )[0];
    expect([0.1, 0.2, 0.225, 0.3, 0.9].map(at)).toEqual([0, 0, 0.25, 1, 1].map(Math.fround));
    const own = [-0.25, -0.2, 0.3, 0.4];
    const options = { ...bare, quantile: 0.9, budget: 1, maxDemoted: 2 };
    const gone = async (ramp: number) => {
      const { positive } = await oneAnchor(own, far, options, { ramp });
      return positive[0].slice(0, 4).map((w) => 1 - w);
    };
    expect(await gone(0.24)).toEqual([0, 0, 0, 0]);
    expect(await gone(0.25)).toEqual([1, 0, 0, 0]);
    expect(await gone(1)).toEqual([1, 1, 0, 0]);
  });

  test("a breaker lets all views stay for one epoch where the effective rank falls", async () => {
    const own = [-0.25, 0.3, 0.4];
    const wide = [-0.1, -0.1, 0.1, 0.1]; // rank 1 / 0.01
    const narrow = [-0.2, -0.2, 0.2, 0.2]; // rank 1 / 0.04
    const options = { ...bare, quantile: 0.5, budget: 1 };
    let state = noHistory();
    const step = async (strangers: number[], more: object = {}, epochSteps = 3) => {
      const given = { ...options, ...more };
      const got = await oneAnchor(own, strangers, given, { state, epochSteps });
      ({ state } = got);
      const { breaker, demotedShare, spreadRank } = got.metrics;
      expect(demotedShare).toBeCloseTo((1 - breaker) / 3, 6);
      return { breaker, spreadRank };
    };
    const first = await step(wide);
    expect(first.breaker).toBe(0);
    expect(first.spreadRank).toBeCloseTo(100, 3);
    // mean squares 0.01 and 0.04 in running means of weights 0.09 and 0.1: rank 38.8
    const before = state;
    const fallen = await step(narrow);
    expect(fallen.spreadRank).toBeCloseTo(0.19 / (0.09 * 0.01 + 0.1 * 0.04), 3);
    expect(fallen.breaker).toBe(1);
    // two more steps of the epoch, then the rank that is now counts as the best
    expect((await step(narrow)).breaker).toBe(1);
    expect((await step(narrow)).breaker).toBe(1);
    expect((await step(narrow)).breaker).toBe(0);
    expect((await step(narrow)).breaker).toBe(0);
    for (const more of [{ rankFall: 1 }, { rankFall: 0.62 }]) {
      state = before;
      expect((await step(narrow, more)).breaker).toBe(0);
    }
    state = before;
    expect((await step(narrow, { rankFall: 0.6 }, 1)).breaker).toBe(1);
    expect((await step(narrow, { rankFall: 0.6 }, 1)).breaker).toBe(0);
  });

  test("no rank counts as the best before the gate opens, and soft weighs all 1 at rest", async () => {
    const own = [-0.05, 0.3, 0.4];
    const [wide, narrow] = [0.1, 0.2].map((size) => [-size, -size, size, size]);
    const options = { ...bare, quantile: 0.5, budget: 1 };
    const shut = await oneAnchor(own, wide, { ...options, aurocGate: 1 });
    const opened = await oneAnchor(own, narrow, options, { state: shut.state });
    expect(opened.metrics.breaker).toBe(0);
    const soft = { ...options, mode: "soft" };
    const weighed = await oneAnchor(own, wide, soft);
    expect(weighed.positive[0][0]).toBeLessThan(0.1);
    const rest = await oneAnchor(own, narrow, soft, { state: weighed.state, epochSteps: 9 });
    expect(rest.positive[0].slice(0, 3)).toEqual([1, 1, 1]);
    expect(numbers(rest.state.rest)).toEqual([8]);
  });

  test("demotes only views whose crops lie apart, and rests where those kept overlap more", async () => {
    const own = [-0.25, -0.2, 0.3];
    const overlaps = [0.1, 0.5, 0.6];
    const options = {
      ...bare,
      quantile: 0.5,
      budget: 1,
      maxDemoted: 2,
      overlap: 0.25,
      rankFall: 1,
    };
    let state = sortViews.state!(options, {} as Sizes);
    const step = async (more: object = {}) => {
      const given = { state, overlaps, epochSteps: 2 };
      const got = await oneAnchor(own, far, { ...options, ...more }, given);
      ({ state } = got);
      const { keptOverlap, demotedOverlap, breaker } = got.metrics;
      const gone = got.positive[0].slice(0, 3).map((w) => 1 - w);
      return { gone, keptOverlap, demotedOverlap, breaker };
    };
    const before = state;
    expect((await step({ overlap: 1 })).gone).toEqual([1, 1, 0]);
    state = before;
    const first = await step();
    expect(first.gone).toEqual([1, 0, 0]);
    expect(first.keptOverlap).toBeCloseTo(0.55, 6);
    expect(first.demotedOverlap).toBeCloseTo(0.1, 6);
    // kept over all 0.55 / 0.4: the running mean is 1.0375, 1.071, 1.102 after three steps
    expect(numbers(state.crowding)[0]).toBeCloseTo(1.0375, 6);
    const later = [await step(), await step(), await step(), await step(), await step()];
    expect(later.map(({ breaker }) => breaker)).toEqual([0, 0, 1, 1, 0]);
    expect(later.map(({ gone }) => gone[0])).toEqual([1, 1, 0, 0, 1]);
    expect(later[2].demotedOverlap).toBe(0);
    await expect(oneAnchor(own, far, options, { state })).rejects.toThrow("crops are unknown");
  });

  test("an epoch has as many steps as whole batches", () => {
    const sizes = { anchors: 4, candidates: 8, images: 4, datasetSize: 19, width: 4 };
    expect(numbers(inputsAt({}, sizes).epochSteps)).toEqual([4]);
  });

  test("reports how far own views lie from negatives", async () => {
    const own = [0.5, 0.7]; // mean 0.6, deviation 0.1
    const { metrics } = await oneAnchor(own, [-0.2, 0.4], bare); // mean 0.1, deviation 0.3
    expect(metrics.dPrime).toBeCloseTo(0.5 / Math.sqrt((0.01 + 0.09) / 2), 6);
  });

  test("refuses to repel many views of an image, unless told to", () => {
    const apply = (options: object) => () =>
      sortViews.state!({ mode: "negative", ...options }, {} as Sizes);
    expect(apply({})).not.toThrow();
    expect(apply({ budget: 0.2 })).toThrow(
      'sortViews: budget is 0.2, expected at most 0.05 in the mode "negative"',
    );
    expect(apply({ alpha: 0.6 })).toThrow("alpha is 0.6, expected at most 0.5");
    expect(apply({ maxDemoted: 2 })).toThrow("maxDemoted is 2, expected at most 1");
    expect(apply({ budget: 0.2, mode: "drop" })).not.toThrow();
    expect(apply({ budget: 0.2, alpha: 1, maxDemoted: 2, unbounded: true })).not.toThrow();
  });

  test("a view at the threshold stays, one below it goes", async () => {
    const options = { ...bare, quantile: 0.5, budget: 1, maxDemoted: 2 };
    const { positive } = await oneAnchor([-0.125, -0.25, 0.5], [-0.5, -0.125, 0.25], options);
    expect(positive[0].slice(0, 3)).toEqual([1, 0, 1]);
  });

  test("of equal views the first image's goes first, then the first view", async () => {
    const whole = firstViews(3, 3);
    const similarity = whole.pairs.positive.map((row) => row.map((on) => (on === 0 ? 0.5 : 0.2)));
    const demoted = async (budget: number) => {
      const options = { ...bare, budget };
      const inputs = inputsAt(options, { anchors: 3, candidates: 9 });
      const scene = {
        ...whole.given,
        similarity,
        inputs,
        state: noHistory(),
      };
      const { positive } = await sample(sortViews, scene, whole.pairs, options);
      return positive.map((row, b) => [1, 2].map((v) => 1 - row[v * 3 + b]));
    };
    expect(await demoted(0.34)).toEqual([
      [1, 0],
      [1, 0],
      [0, 0],
    ]); // ⌊0.34 · 6⌋ = 2
  });

  test("explores: a share of the demotions is cancelled, drawn anew for every step", async () => {
    const [V, B] = [3, 40];
    const whole = firstViews(V, B);
    // every first candidate is far below all negatives, the second far above
    const similarity = whole.pairs.positive.map((row, b) =>
      row.map((on, j) => (on === 0 ? (j % 7) / 10 : j < 2 * B ? -0.9 : 0.9 + b / 1e4)),
    );
    const options = { ...bare, budget: 1, explore: 0.3 };
    const demoted = async (seed: number, explore: number) => {
      const inputs = inputsAt(options, { anchors: B, candidates: V * B }, seed);
      const state = noHistory();
      const scene = { ...whole.given, similarity, inputs, state };
      const got = await sample(sortViews, scene, whole.pairs, { ...options, explore }, "float32");
      return got.positive.map((row, b) => 1 - row[B + b]);
    };
    const sum = (list: number[]) => list.reduce((total, x) => total + x, 0);
    expect(sum(await demoted(1, 0))).toBe(B);
    expect(sum(await demoted(1, 1))).toBe(0);
    const draws = [await demoted(1, 0.3), await demoted(2, 0.3), await demoted(3, 0.3)];
    expect(draws[0]).not.toEqual(draws[1]);
    expect(draws[0]).toEqual(await demoted(1, 0.3));
    // 120 draws of probability 0.7: 84, standard deviation 5
    expect(Math.abs(sum(draws.flat()) - 84)).toBeLessThan(15);
  });

  test("controls demote as many views: at random, the highest, or those of another image", async () => {
    const own = [-0.25, -0.05, 0.2, 0.3];
    const options = { ...bare, budget: 1, maxDemoted: 2 };
    const gone = async (more: object, ids: number[] = []) => {
      const given = ids.length === 0 ? {} : { ids };
      const got = await oneAnchor(own, far, { ...options, ...more }, given);
      return got.positive[0].slice(0, 4).map((w) => 1 - w);
    };
    expect(await gone({ choose: "lowest" })).toEqual([1, 1, 0, 0]);
    expect(await gone({ choose: "highest" })).toEqual([0, 0, 1, 1]);
    expect(await gone({ choose: "highest", maxDemoted: 1 })).toEqual([0, 0, 0, 1]);
    const chance = await gone({ choose: "random" });
    expect(chance.reduce((sum, on) => sum + on, 0)).toBe(2);
    expect(await gone({ choose: "oracle" }, [0, 2, 0, 2])).toEqual([0, 1, 0, 1]);
    expect(await gone({ choose: "oracle" }, [0, -1, 0, -1])).toEqual([0, 0, 0, 0]);
    expect(await gone({ choose: "oracle", aurocGate: 1 }, [0, 2, 0, 2])).toEqual([0, 1, 0, 1]);
    // three false views, two must stay: the lowest goes of 0, 2 and 3
    const few = { choose: "oracle", minKeep: 2, maxDemoted: 0, budget: 0 };
    expect(await gone(few, [1, 0, 1, 1])).toEqual([1, 0, 1, 0]);
  });

  test("random views are spread over a whole batch, within the bounds of each anchor", async () => {
    const [V, B] = [4, 30];
    const whole = firstViews(V, B);
    const similarity = whole.pairs.positive.map((row, b) =>
      row.map((on, j) => (on === 0 ? 0 : b < 15 ? -0.1 * (1 + Math.floor(j / B)) : 0.5)),
    );
    const options = { ...bare, budget: 1, choose: "random" };
    const counts = [0, 0, 0];
    let upper = 0;
    for (const seed of [1, 2, 3, 4]) {
      const inputs = inputsAt(options, { anchors: B, candidates: V * B }, seed);
      const scene = {
        ...whole.given,
        similarity,
        inputs,
        state: noHistory(),
      };
      const { positive } = await sample(sortViews, scene, whole.pairs, options, "float32");
      const gone = positive.map((row, b) => [1, 2, 3].map((v) => 1 - row[v * B + b]));
      expect(gone.flat().reduce((sum, on) => sum + on, 0)).toBe(15);
      gone.forEach((row, b) => {
        expect(row.reduce((sum, on) => sum + on, 0)).toBeLessThanOrEqual(1);
        row.forEach((on, v) => (counts[v] += on));
        upper += b < 15 ? 0 : row.reduce((sum, on) => sum + on, 0);
      });
    }
    // 60 views: 20 of each kind with deviation 3.7, 30 in either half with deviation 2.7
    counts.forEach((count) => expect(Math.abs(count - 20)).toBeLessThan(12));
    expect(Math.abs(upper - 30)).toBeLessThan(9);
  });

  test("scores a view by the image's other views where asked to, never by itself", async () => {
    // one image of three views, and three strangers; columns: views 0, 1, 2, strangers
    const strangers = [0.11, 0.13, 0.2];
    const support = [
      [[1, 0.1, 0.3, ...strangers]],
      [[0.1, 1, 0.15, ...strangers]],
      [[0.3, 0.15, 1, ...strangers]],
    ];
    const row = (value: (j: number) => number) => [Array.from({ length: 6 }, (_, j) => value(j))];
    const run = async (how: "max" | "mean" | null) => {
      const options = { ...bare, budget: 1, support: how };
      const { positive, metrics } = await sample(
        sortViews,
        {
          similarity: support[0],
          support,
          ownViews: [1, 2].map((v) => row((j) => Number(j === v))),
          inputs: inputsAt(options, { anchors: 1, candidates: 6 }),
          state: noHistory(),
        },
        { positive: row((j) => Number(j === 1 || j === 2)), negative: row((j) => Number(j > 2)) },
        options,
      );
      expect(positive).toEqual(row((j) => Number(j === 2))); // 0.1, 0.15 or 0.125 lie below 0.193
      return metrics.auroc;
    };
    // view 1 against 0.11, 0.13, 0.2; view 2 has 0.3, 0.3 or 0.225, above all
    expect(await run(null)).toBeCloseTo((0 + 1) / 2, 6); // 0.1
    expect(await run("max")).toBeCloseTo((2 / 3 + 1) / 2, 6); // 0.15
    expect(await run("mean")).toBeCloseTo((1 / 3 + 1) / 2, 6); // 0.125
  });

  test("sorts the views of every anchor where all views are anchors, on ONNX Runtime too", async () => {
    const views = randomViews(50, 3, 4, [[2, 1]]);
    const own = viewsOfImages(12, 3);
    const masks = [4, 8].map((by) =>
      own.positive.map((row, i) => row.map((_, j) => Number(j === (i + by) % 12))),
    );
    for (const [mode, choose] of [
      ["negative", "lowest"],
      ["ranked", "random"],
    ]) {
      const options = { ...bare, mode, choose, quantile: 0.9, budget: 1, explore: 0.2 };
      const setting: Setting = {
        rows: views.flat(),
        pairs: own,
        state: noHistory(),
        inputs: inputsAt(options, { anchors: 12, candidates: 12 }),
        scene: (unit) => {
          const similarity = np.matmul(unit.ref, unit.transpose());
          return { similarity, ownViews: masks, views: 3 };
        },
      };
      const slow = await sampledLoss(sortViews, options, {}, setting);
      const fast = await sampledLoss(sortViews, options, {}, setting, "cpu");
      expect(slow.metrics.demotedShare).toBeGreaterThan(0.05);
      expect(fast.terms).toEqual(slow.terms);
      expectNear(fast.perAnchor, slow.perAnchor, 2e-5, `${mode} ${choose}`);
      expectSlope(fast.slopes.flat(), slow.slopes.flat(), 2e-4, `${mode} ${choose}`);
    }
  });
});
