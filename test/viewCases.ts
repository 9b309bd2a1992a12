import { numpy as np } from "@jax-js/jax";
import { expect } from "vitest";

import { checkCases } from "../src/conformance/index.ts";
import { type HostRecord } from "../src/core/arrays.ts";
import { randomStream } from "../src/core/random.ts";
import type { Device } from "../src/engine/index.ts";
import type { Sizes } from "../src/sampling/sampler.ts";
import { sortViews } from "../src/sampling/sortViews/sortViews.ts";
import { expectNear, expectSlope, type Rows } from "./golden.ts";
import { viewTriage } from "./reference/viewTriage.ts";
import { sampledLoss, type Setting } from "./sampledLoss.ts";
import { viewsOfImages } from "../src/testing/scene.ts";

type Mode = "keep" | "drop" | "soft" | "ranked" | "negative";
/** Its parameters. */
export type Params = {
  temperature: number;
  mode: Mode;
  quantile: number;
  maxDemoted: number;
  minKeep: number;
  budget: number;
  alpha: number;
  rankTemperature: number;
  softCentre: number;
  softTemperature: number;
  allPositivesInDenominator: boolean;
};
/** A case of the method `viewTriage`. */
export type Case = {
  id: string;
  params: Params;
  inputs: { views: Rows[]; rankingViews?: Rows[] };
  expect: {
    loss: number;
    perAnchor: number[];
    gradients?: { views: Rows[] };
    scores: Rows;
    percentiles: Rows;
    thresholds: number[];
    demoted: Rows;
    weights?: Rows;
  };
  tolerance: { loss: number; gradient: number };
};

/** Nothing between the choice and the terms: no gate, no exploration, the whole budget, any quantile. */
export const bare = { explore: 0, aurocGate: 0, minNegatives: 0, unbounded: true };

export const optionsOf = (params: Params) => {
  const { mode, quantile, maxDemoted, minKeep, budget, alpha } = params;
  const { rankTemperature, softCentre, softTemperature } = params;
  const choice = { quantile, maxDemoted, minKeep, budget };
  return { mode, ...choice, alpha, rankTemperature, softCentre, softTemperature, ...bare };
};

/** State before the first step. */
export const noHistory = (): HostRecord => sortViews.state!({}, {} as Sizes);

/** Draws and schedule of a step near the end of a run. */
export const inputsAt = (
  options: object,
  sizes: Partial<Sizes>,
  seed = 1,
  progress = 0.99,
): HostRecord =>
  sortViews.inputs!(options, { images: 1, datasetSize: 1, ...sizes } as Sizes).make({
    progress,
    stream: randomStream(seed, "draws"),
  });

/** Masks of the own views of B first views among V·B columns. */
const firstViewMasks = (V: number, B: number): Rows[] =>
  Array.from({ length: V - 1 }, (_, w) =>
    Array.from({ length: B }, (_, b) =>
      Array.from({ length: V * B }, (_, j) => Number(j === (w + 1) * B + b)),
    ),
  );

/** Marks, masks and pairs of B first views among V·B columns. */
export function firstViews(V: number, B: number) {
  const whole = viewsOfImages(V * B, V);
  return {
    given: {
      ownViews: firstViewMasks(V, B),
      anchors: { ids: Array.from({ length: B }, (_, b) => b) },
      pool: V * (B - 1),
    },
    pairs: { positive: whole.positive.slice(0, B), negative: whole.negative.slice(0, B) },
  };
}

/** First views as anchors among all views of B images. */
export function viewSetting({ views, rankingViews }: Case["inputs"], options: object): Setting {
  const [V, B] = [views.length, views[0].length];
  const { given, pairs } = firstViews(V, B);
  const cosines = (unit: np.Array) => np.matmul(unit.ref.slice([0, B]), unit.transpose()); // [B, V·B]
  return {
    rows: views.flat(),
    ...(rankingViews === undefined ? {} : { held: rankingViews.flat() }),
    pairs,
    state: noHistory(),
    inputs: inputsAt(options, { anchors: B, candidates: V * B }),
    scene: (unit, held) => ({
      ...given,
      similarity: cosines(unit),
      ...(rankingViews === undefined ? {} : { ranking: cosines(held) }),
    }),
  };
}

/** A case through what conformance runs, in float64: all that it expects. */
export async function checkReading(one: Case, id: string): Promise<void> {
  const tolerance = { loss: 1e-10, gradient: 1e-9 };
  const given = { ...one, id, method: "viewTriage", differentiate: [], tolerance };
  const [{ message }] = await checkCases([given], { device: "reference" });
  expect(message, id).toBe("");
}

/** Losses, gradients and the number of demotions of a case. */
export async function checkLoss(
  one: Case,
  device: Device,
  tolerance: Case["tolerance"],
): Promise<void> {
  const { params, expect: want, inputs } = one;
  const id = `${one.id} on ${device}`;
  const options = optionsOf(params);
  const denominator = params.allPositivesInDenominator ? ("all" as const) : ("own" as const);
  const loss = { temperature: params.temperature, denominator };
  const got = await sampledLoss(sortViews, options, loss, viewSetting(inputs, options), device);
  expectNear([got.loss], [want.loss], tolerance.loss, id);
  expectNear(got.perAnchor, want.perAnchor, tolerance.loss, id);
  expectSlope(got.slopes.flat(), want.gradients!.views.flat(2), tolerance.gradient, id);
  const all = want.demoted.flat();
  const share = all.reduce((sum, on) => sum + on, 0) / all.length;
  expectNear([got.metrics.demotedShare], [share], 1e-6, id);
}

/** V views of B images in 5 numbers; those in `swapped` ([view, image]) show another image. */
export function randomViews(
  seed: number,
  V: number,
  B: number,
  swapped: [number, number][] = [],
): Rows[] {
  const stream = randomStream(seed, "views");
  const noise = (row: number[], by: number) => row.map((x) => x + by * stream.normal());
  const images = Array.from({ length: B }, () => noise([0, 0, 0, 0, 0], 1));
  return Array.from({ length: V }, (_, v) =>
    images.map((row, b) => {
      const away = swapped.some(([view, image]) => view === v && image === b);
      return noise(away ? images[(b + 1) % B] : row, 0.4);
    }),
  );
}

/** Parameters of random cases. */
export const defaults: Params = {
  temperature: 0.2,
  mode: "drop",
  quantile: 0.9,
  maxDemoted: 2,
  minKeep: 1,
  budget: 1,
  alpha: 0.5,
  rankTemperature: 0.5,
  softCentre: 0.9,
  softTemperature: 0.02,
  allPositivesInDenominator: false,
};

/** A case made of random views, with what loops say of it. */
export function randomCase(seed: number, params: Partial<Params>): Case {
  const whole = { ...defaults, ...params };
  const inputs = {
    views: randomViews(seed, 4, 5, [
      [1, 0],
      [2, 0],
      [3, 2],
    ]),
  };
  return {
    id: `seed ${seed} ${JSON.stringify(params)}`,
    params: whole,
    inputs,
    expect: viewTriage(whole, inputs) as unknown as Case["expect"],
    tolerance: { loss: 1e-9, gradient: 1e-9 },
  };
}

/** Losses of the anchors, each positive alone with the negatives in its denominator. */
export async function lossesOf(views: Rows[], params: Partial<Params>): Promise<number[]> {
  const options = optionsOf({ ...defaults, ...params });
  const loss = { temperature: defaults.temperature, denominator: "own" as const };
  return (await sampledLoss(sortViews, options, loss, viewSetting({ views }, options))).perAnchor;
}
