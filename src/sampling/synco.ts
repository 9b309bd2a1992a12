import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { zeros } from "../core/arrays.ts";
import { constantLike } from "../core/constantLike.ts";
import { CountOrNone } from "../core/ranges.ts";
import { entriesAt } from "../core/rowEntries.ts";
import { defineMixer, type Mixed, type MixerScene, type Parents } from "./mixer.ts";
import {
  hardestOf,
  hardestOptions,
  indexOf,
  joined,
  joinParents,
  mixable,
  mixedMetrics,
  mixPairs,
  mixQuery,
  pairParents,
  scaled,
  shareOf,
  type Top,
} from "./mixing.ts";
import type { Sizes, StepInputs } from "./sampler.ts";

const strength = z.number().min(0).max(10);
const SyncoOptions = z.strictObject({
  ...hardestOptions,
  interpolated: CountOrNone.default(64).describe("negatives an anchor between it and a hard one"),
  extrapolated: CountOrNone.default(64).describe("negatives an anchor beyond a hard one"),
  mixed: CountOrNone.default(64).describe("negatives an anchor between two hard ones"),
  noisy: CountOrNone.default(16).describe("hard negatives an anchor with noise"),
  perturbed: CountOrNone.default(16).describe("hard negatives an anchor, moved towards it"),
  adversarial: CountOrNone.default(16).describe(
    "hard negatives an anchor, moved by the signs of its numbers",
  ),
  alpha: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("largest share of the anchor, interpolated"),
  beta: z
    .number()
    .min(1)
    .max(10)
    .default(1.5)
    .describe("largest step beyond, extrapolated; from 1"),
  sigma: strength.default(0.01).describe("standard deviation of the noise of each number"),
  delta: strength.default(0.01).describe("step of perturbed ones along the anchor"),
  eta: strength.default(0.01).describe("step of adversarial ones in each number"),
});
type SyncoOptions = z.output<typeof SyncoOptions>;

/** Rows of the candidates at places [N, S] of the list of hardest, constants: [N, S, E]. Lent: all. */
const rowsAt = ({ rows }: MixerScene, { at }: Top, pick: np.Array): np.Array =>
  lax.stopGradient(rows.ref).slice(entriesAt(at.ref, pick.ref));

/** Cosines of the anchors with the hard negatives at places [N, S]. Lent: all. */
const toHard = (scene: MixerScene, { at }: Top, pick: np.Array): np.Array =>
  entriesAt(mixable(scene.similarity.ref, scene), entriesAt(at.ref, pick.ref));

/**
 * Cosines of the anchors with unit(n + m) for hard negatives n and a constant m: of `toMove`, the products of anchors
 * and m, of `along`, those of n and m, and of `length`, the squared length of m, each [N, S]. Consumes these.
 */
function moved(
  scene: MixerScene,
  top: Top,
  pick: np.Array,
  { toMove, along, length }: Record<"toMove" | "along" | "length", np.Array>,
): Mixed {
  const squared = np.add(1, along.mul(2)).add(length); // [N, S]
  return {
    similarity: scaled(toHard(scene, top, pick).add(toMove), squared),
    negative: entriesAt(top.valid.ref, pick.ref),
  };
}

/** unit(n + σ·g) for noise g [S, E], one row for all anchors. Lent: all. */
function noisy(scene: MixerScene, top: Top, pick: np.Array, sigma: number): Mixed {
  const drawn = shareOf(scene.inputs.noise, scene.similarity); // [S, E]
  const noise = drawn.mul(constantLike(scene.similarity, sigma)); // [S, E]
  return moved(scene, top, pick, {
    toMove: np.matmul(scene.anchors.ref, noise.ref.transpose()), // [N, S]
    along: rowsAt(scene, top, pick).mul(noise.ref).sum(-1), // [N, S]
    length: np.square(noise).sum(-1), // [S]
  });
}

/** unit(n + η·sign(q)). Lent: all. */
function adversarial(scene: MixerScene, top: Top, pick: np.Array, eta: number): Mixed {
  const seen = lax.stopGradient(scene.anchors.ref); // [N, E]
  const above = seen.ref.greater(0).astype(seen.dtype); // [N, E]
  const below = seen.ref.less(0).astype(seen.dtype); // [N, E]
  const step = above.sub(below).mul(constantLike(seen, eta)); // [N, E]
  const [n, e] = seen.shape;
  return moved(scene, top, pick, {
    toMove: scene.anchors.ref.mul(step.ref).sum(-1, { keepdims: true }), // [N, 1]
    along: rowsAt(scene, top, pick)
      .mul(step.ref.reshape([n, 1, e]))
      .sum(-1), // [N, S]
    length: np.square(step).sum(-1, { keepdims: true }), // [N, 1]
  });
}

/** Places and shares of one step. */
function inputsOf(options: SyncoOptions, { anchors, width }: Sizes): StepInputs {
  const { alpha, beta } = options;
  const places = (kind: keyof SyncoOptions) => ({ [`${kind}Picks`]: [options[kind], 0, 1] });
  const wanted: Record<string, number[]> = {
    ...places("interpolated"),
    interpolatedShares: [options.interpolated, 0, alpha],
    ...places("extrapolated"),
    extrapolatedShares: [options.extrapolated, 1, beta],
    first: [options.mixed, 0, 1],
    second: [options.mixed, 0, 1],
    alphas: [options.mixed, 0, 1],
    ...places("noisy"),
    ...places("perturbed"),
    ...places("adversarial"),
  };
  const uniform = Object.entries(wanted).filter(([, [count]]) => count > 0);
  const noise = options.noisy > 0 ? { noise: [options.noisy, width] } : {};
  const shapes = {
    ...Object.fromEntries(uniform.map(([name, [count]]) => [name, [anchors, count]])),
    ...noise,
  };
  const filled = (shape: number[], next: () => number) => {
    const array = zeros(shape);
    array.data.forEach((_, i) => (array.data[i] = next()));
    return array;
  };
  return {
    spec: Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, { dtype: "float32", shape }]),
    ),
    make: ({ stream }) =>
      Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => {
          const [, low = 0, high = 0] = wanted[name] ?? [];
          const next = name === "noise" ? () => stream.normal() : () => stream.uniform(low, high);
          return [name, filled(shape, next)];
        }),
      ),
  };
}

/** Places of hard negatives, [N, S] int32 for each kind that is wanted, and the parents of mixed ones. */
function drawsOf({ inputs, similarity }: MixerScene, top: Top, options: SyncoOptions) {
  const count = top.at.shape[1];
  const pick = (kind: keyof SyncoOptions) =>
    options[kind] > 0 ? indexOf(inputs[`${kind}Picks`].ref, count) : undefined;
  return {
    interpolated: pick("interpolated"),
    extrapolated: pick("extrapolated"),
    mixed: options.mixed > 0 && count > 1 ? pairParents(inputs, count, similarity) : undefined,
    noisy: pick("noisy"),
    perturbed: pick("perturbed"),
    adversarial: pick("adversarial"),
  };
}

/**
 * One value at every place, of the type of `like`: [N, S]. Made of the places, for jax-js 0.1.25 adds a broadcast constant
 * to all columns where it is joined with others. Lent: all.
 */
const everywhere = (pick: np.Array, like: np.Array, value: number): np.Array =>
  pick.ref.astype(like.dtype).mul(0).add(constantLike(like, value));

/** Shares of the anchors in candidates that lie on a line through it, [N, S]. Lent: all. */
function sharesOf(scene: MixerScene, kind: string, pick: np.Array, delta: number): np.Array {
  const { inputs, similarity } = scene;
  if (kind === "interpolated") return shareOf(inputs.interpolatedShares, similarity);
  if (kind === "extrapolated") return shareOf(inputs.extrapolatedShares, similarity).neg();
  return everywhere(pick, similarity, delta / (1 + delta));
}

const lines = ["interpolated", "extrapolated", "perturbed"] as const;

/** Columns of what each synthetic candidate was made of, in the order of `apply`. */
function parentsOf(scene: MixerScene, top: Top, options: SyncoOptions): Parents {
  const draws = drawsOf(scene, top, options);
  const columns = (place: np.Array) => entriesAt(top.at.ref, place.ref).add(scene.offset); // [N, S]
  const made = lines.flatMap((kind): Parents[] => {
    const pick = draws[kind];
    if (pick === undefined) return [];
    const self = pick.ref.mul(0).sub(1); // [N, S]
    const share = sharesOf(scene, kind, pick, options.delta); // [N, S]
    return [{ first: self, second: columns(pick), share }];
  });
  const { mixed } = draws;
  if (mixed !== undefined) {
    made.push({ first: columns(mixed.first), second: columns(mixed.second), share: mixed.share });
  }
  for (const pick of [draws.noisy, draws.adversarial]) {
    if (pick === undefined) continue;
    const share = everywhere(pick, scene.similarity, 1); // [N, S]
    made.push({ first: columns(pick), second: columns(pick), share });
  }
  return joinParents(made, scene);
}

/**
 * Six kinds of synthetic negatives, made of the N most similar negatives n of each anchor q:
 *
 *     interpolated   unit(α·q + (1 − α)·n),    α ~ U(0, 0.5)
 *     extrapolated   unit(n + β·(n − q)),      β ~ U(1, 1.5)
 *     mixed          unit(γ·n + (1 − γ)·n′),   γ ~ U(0, 1), n ≠ n′
 *     noisy          unit(n + σ·g),            g ~ N(0, I)
 *     perturbed      unit(n + δ·∇ₙ s(q, n))
 *     adversarial    unit(n + η·sign(∇ₙ s(q, n)))
 *
 * with s(q, n) = q·n, whose gradient at n is q. They join the real negatives; all of them are constants for
 * the gradient, also the q within them. Only cosines are computed, in closed form.
 *
 * - The released program differs. Its extrapolation is q + β·(n − q), one step of n − q less. Its perturbed
 *   and adversarial ones move along a random direction r of length 10⁻⁵ by δ·(q·r̂) or η·sign(q·r̂) times it, so by
 *   some 10⁻⁷: they are the hard negative itself. Its mixed ones may be of one negative twice. Here
 *   it is the paper's formula.
 * - The noise of a step is drawn once for each of its `noisy` places and shared by the anchors, not drawn
 *   anew for each: every candidate has the distribution of the paper, at a hundredth of the draws.
 * - The paper makes 256, 256, 256, 64, 64 and 64 of them, of the 1024 hardest of 65,536 keys. Here it is a quarter of
 *   that, for queues of about 4,096, and the list is capped, as for `mochi`.
 */
export const synco = defineMixer({
  name: "synco",
  summary: "Synthetic negatives of six kinds around the hard negatives of an anchor.",
  source: "Giakoumoglou and Stathaki 2024, arXiv:2410.02401 (SynCo)",
  options: SyncoOptions,
  inputs: inputsOf,
  warmup: 0.1,
  metrics: mixedMetrics,
  parents(scene, { positive, negative }, options) {
    positive.dispose();
    return parentsOf(scene, hardestOf(scene, negative, options), options);
  },
  apply(scene, { positive, negative }, options) {
    positive.dispose();
    const top = hardestOf(scene, negative.ref, options);
    const draws = drawsOf(scene, top, options);
    return joined(scene, negative, [
      ...lines.map((kind) => {
        const pick = draws[kind];
        const share = pick && sharesOf(scene, kind, pick, options.delta); // [N, S]
        return pick && share && mixQuery(scene, top, pick, share);
      }),
      draws.mixed && mixPairs(scene, top, draws.mixed),
      draws.noisy && noisy(scene, top, draws.noisy, options.sigma),
      draws.adversarial && adversarial(scene, top, draws.adversarial, options.eta),
    ]);
  },
});
