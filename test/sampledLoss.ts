import { lax, numpy as np } from "@jax-js/jax";
import type { z } from "zod";

import type { HostArray, HostRecord } from "../src/core/arrays.ts";
import { l2Normalize } from "../src/core/numerics.ts";
import { type Pairs, refPairs, type Term } from "../src/core/pairs.ts";
import { type ArrayRecord, differentiate } from "../src/core/trees.ts";
import { compile, type Device } from "../src/engine/index.ts";
import { infoNce } from "../src/losses/index.ts";
import type { Sampler } from "../src/sampling/sampler.ts";
import { float32, float64, numbers, rowsOf } from "../src/testing/arrays.ts";
import type { Rows } from "./golden.ts";
import { type GivenScene, sceneOf } from "../src/testing/scene.ts";

/** What a sampler stands in. Rows are raw: they are normalised in the program, the gradient is theirs. */
export type Setting = {
  rows: Rows; // [R, D]
  /** Rows without gradient, [K, D]. */
  held?: Rows;
  /** From unit rows to cosines and the rest of the scene, in traced code. */
  scene: (unit: np.Array, held: np.Array) => GivenScene & { similarity: np.Array };
  pairs: { positive: Rows; negative: Rows };
  state?: HostRecord;
  inputs?: HostRecord;
};

/** What came of it: the mean over the anchors of Σ weight · infoNce over the terms, and the terms. */
export type SampledLoss = {
  loss: number;
  perAnchor: number[];
  /** Of each term for each anchor, before its weight. */
  each: number[][];
  slopes: Rows; // of `loss` with respect to the raw rows
  terms: { positive: Rows; negative: Rows }[];
  metrics: Record<string, number>;
  state: HostRecord;
};

type LossOptions = z.input<typeof infoNce.options>;

/** Loss of the anchors under one term, before its weight: [N]. */
function lossOf(similarity: np.Array, term: Term, options: LossOptions): np.Array {
  const { temperature, denominator } = term;
  return infoNce(similarity, refPairs(term.pairs), {
    ...options,
    ...(temperature === undefined ? {} : { temperature }),
    ...(denominator === undefined ? {} : { denominator }),
  });
}

type Judge = {
  sampler: Sampler;
  options: object;
  loss: LossOptions;
  scene: Setting["scene"];
};

/** The objective of raw rows, and what it is made of. */
function judge({ sampler, options, loss, scene }: Judge, rows: np.Array, rest: Rest) {
  const { held, pairs, ...own } = rest;
  const made = scene(l2Normalize(rows), l2Normalize(held));
  const fixed = lax.stopGradient(made.similarity.ref);
  const ranking =
    made.ranking === undefined ? fixed.ref : lax.stopGradient(made.ranking as np.Array);
  const stopped = { ...made, similarity: fixed, ranking, ...own };
  const {
    terms,
    metrics = {},
    state = {},
  } = sampler.apply(sceneOf(stopped), pairs, options as never);
  const each = terms.map((term) => lossOf(made.similarity.ref, term, loss)); // [N]
  const weights = terms.map(({ weight }, t) => weight ?? each[t].ref.mul(0).add(1)); // [N]
  // one mean a term: jax-js 0.1.25 cannot run the gradient of a mean over a sum of two such terms
  const parts = each.map((value, t) => value.ref.mul(lax.stopGradient(weights[t].ref)).mean()); // []
  const extra = { each, weights, terms: terms.map((term) => term.pairs), metrics, state };
  return [parts.reduce((sum, part) => sum.add(part)), extra] as [np.Array, typeof extra];
}

type Rest = { held: np.Array; pairs: Pairs; state: ArrayRecord; inputs: ArrayRecord };

const matrices = (array: typeof float32) => (rows: Rows) =>
  array([rows.length, rows[0].length], rows.flat());

/** Runs a sampler and `infoNce` over it with gradient: in float64 on "reference", in float32 on "cpu". */
export async function sampledLoss<O extends z.ZodObject>(
  sampler: Sampler<O>,
  options: object,
  loss: LossOptions,
  setting: Setting,
  device: Device = "reference",
): Promise<SampledLoss> {
  const matrix = matrices((device === "reference" ? float64 : float32) as typeof float32);
  const { rows, held = [[0]], pairs, state = {}, inputs = {}, scene } = setting;
  const parts = { sampler: sampler as unknown as Sampler, options, loss, scene };
  const program = (raw: np.Array, rest: Rest) => {
    const objective = (parameters: { raw: np.Array }) => judge(parts, parameters.raw, rest);
    const { value, gradient, extra } = differentiate(objective)({ raw });
    return { value, slope: gradient.raw, ...extra };
  };
  const sides = { positive: matrix(pairs.positive), negative: matrix(pairs.negative) };
  const args = [matrix(rows), { held: matrix(held), pairs: sides, state, inputs }];
  const compiled = await compile(program, args, { device });
  const result = (await compiled.run(...args)) as Record<string, HostArray> & {
    each: HostArray[];
    weights: HostArray[];
    terms: Record<"positive" | "negative", HostArray>[];
    metrics: HostRecord;
    state: HostRecord;
  };
  await compiled.dispose();
  const { metrics } = result;
  const each = result.each.map(numbers);
  const weights = result.weights.map(numbers);
  return {
    loss: numbers(result.value)[0],
    perAnchor: each[0].map((_, i) =>
      each.reduce((sum, values, t) => sum + values[i] * weights[t][i], 0),
    ),
    each,
    slopes: rowsOf(result.slope),
    terms: result.terms.map(({ positive, negative }) => ({
      positive: rowsOf(positive),
      negative: rowsOf(negative),
    })),
    metrics: Object.fromEntries(Object.keys(metrics).map((key) => [key, numbers(metrics[key])[0]])),
    state: result.state,
  };
}
