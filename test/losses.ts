import { numpy as np } from "@jax-js/jax";
import { expect } from "vitest";
import type { z } from "zod";

import type { HostArray, HostTree } from "../src/core/arrays.ts";
import { l2Normalize } from "../src/core/numerics.ts";
import type { Pairs } from "../src/core/pairs.ts";
import { randomStream } from "../src/core/random.ts";
import { differentiate } from "../src/core/trees.ts";
import { compile, type Device } from "../src/engine/index.ts";
import type { Loss } from "../src/losses/index.ts";
import { evaluate, float32, float64, numbers, rowsOf } from "../src/testing/arrays.ts";
import { expectNear, expectSlope, type GoldenCase, type Rows } from "./golden.ts";

/** Similarities and weights of pairs, row by row. */
export type Table = { similarity: Rows; positive: Rows; negative: Rows };

/** A loss in plain numbers: a table to one number a row. */
export type Loops = (table: Table) => number[];

const weights = [
  [0, 0],
  [1, 0],
  [0, 1],
  [0, 1],
  [0.5, 0],
  [0, 2],
  [0.5, 1.5],
];

/**
 * A table [n, m] of random similarities and weights, fractional ones and columns on both sides among them.
 * Row 0 has no positives, row 1 no negatives.
 */
export function randomTable(seed: number, n: number, m: number): Table {
  const stream = randomStream(seed, "table");
  const rows = (value: () => number) =>
    Array.from({ length: n }, () => Array.from({ length: m }, value));
  const pairs = Array.from({ length: n }, () =>
    Array.from({ length: m }, () => weights[stream.integer(weights.length)]),
  );
  const side = (at: number) => pairs.map((row, i) => row.map((pair) => (i === at ? 0 : pair[at])));
  return {
    similarity: rows(() => stream.uniform(-1, 1)),
    positive: side(0),
    negative: side(1),
  };
}

const host = (array: typeof float32, rows: Rows) =>
  array([rows.length, rows[0].length], rows.flat());

const arraysOf = (array: typeof float32 | typeof float64, table: Table): [HostArray, HostTree] => [
  host(array as typeof float32, table.similarity),
  {
    positive: host(array as typeof float32, table.positive),
    negative: host(array as typeof float32, table.negative),
  },
];

/** Numbers of the anchors in float64. */
export async function lossOf<O extends z.ZodObject>(
  loss: Loss<O>,
  table: Table,
  options: z.input<O>,
): Promise<number[]> {
  return numbers(
    await evaluate(
      (s: np.Array, pairs: Pairs) => loss(s, pairs, options),
      ...arraysOf(float64, table),
    ),
  );
}

/** What `measure` reports, in float64. */
export async function measureOf<O extends z.ZodObject>(
  loss: Loss<O>,
  table: Table,
  options: z.input<O>,
): Promise<Record<string, number>> {
  const result = (await evaluate(
    (s: np.Array, pairs: Pairs) => loss.measure(s, pairs, options),
    ...arraysOf(float64, table),
  )) as Record<string, HostArray>;
  return Object.fromEntries(Object.entries(result).map(([key, value]) => [key, numbers(value)[0]]));
}

type Sloped = { each: number[]; slopes: Rows };

/** Numbers of the anchors, and the gradient of their sum with respect to every similarity. */
export async function slopesOf<O extends z.ZodObject>(
  loss: Loss<O>,
  table: Table,
  options: z.input<O>,
  device: Device = "reference",
): Promise<Sloped> {
  const objective = ({ s }: { s: np.Array }, pairs: Pairs): [np.Array, { each: np.Array }] => {
    const each = loss(s, pairs, options);
    return [each.ref.sum(), { each }];
  };
  const f = (s: np.Array, pairs: Pairs) => {
    const { value, gradient, extra } = differentiate(objective)({ s }, pairs);
    return { value, slopes: gradient.s, each: extra.each };
  };
  const args = arraysOf(device === "reference" ? float64 : float32, table);
  const program = await compile(f, args, { device });
  const result = (await program.run(...args)) as Record<"slopes" | "each", HostArray>;
  await program.dispose();
  return { each: numbers(result.each), slopes: rowsOf(result.slopes) };
}

/** Central differences of the sum over rows with respect to every similarity, in plain numbers. */
export function centralDifferences(loops: Loops, table: Table, step = 1e-5): Rows {
  const at = (i: number, j: number, by: number) => {
    const similarity = table.similarity.map((row, r) =>
      row.map((s, c) => (r === i && c === j ? s + by : s)),
    );
    return loops({ ...table, similarity }).reduce((sum, value) => sum + value, 0);
  };
  return table.similarity.map((row, i) =>
    row.map((_, j) => (at(i, j, step) - at(i, j, -step)) / (2 * step)),
  );
}

/**
 * A loss against the same formula as loops: values to 1e-9, gradients to 1e-6 of the largest central
 * difference, and the same from ONNX Runtime in float32.
 */
export async function expectLoops<O extends z.ZodObject>(
  loss: Loss<O>,
  loops: Loops,
  table: Table,
  options: z.input<O>,
): Promise<void> {
  const id = JSON.stringify(options);
  const [want, slopes] = [loops(table), centralDifferences(loops, table)];
  const got = await slopesOf(loss, table, options);
  expectNear(got.each, want, 1e-9, id);
  expectSlope(got.slopes.flat(), slopes.flat(), 1e-6, id);
  const fast = await slopesOf(loss, table, options, "cpu");
  expectNear(fast.each, want, 2e-5, `${id}, float32`);
  expectSlope(fast.slopes.flat(), slopes.flat(), 2e-4, `${id}, float32`);
}

/** Side of the pair of two rows of the inputs, all inputs stacked. */
export type Sides = (anchor: number, candidate: number) => "positive" | "negative" | undefined;

type Embedded = { names: string[]; anchors: number; sides: Sides };

/** What a program gives for a case, by the names of `expect`. */
export type Outputs = { perAnchor: np.Array } & Record<string, np.Array>;

/**
 * Outputs of a case and gradients of its loss, through normalisation: in float32 on ONNX Runtime with the
 * case's tolerance, in float64 to 1e-9. The inputs `names` are stacked to [R, D]; the first `anchors` rows
 * are anchors, all rows are candidates.
 */
export async function expectGolden(
  golden: GoldenCase<object>,
  { names, anchors, sides }: Embedded,
  outputs: (similarity: np.Array, pairs: Pairs) => Outputs,
): Promise<void> {
  const blocks = names.map((name) => golden.inputs[name]);
  const rows = blocks.flat();
  const weight = (side: "positive" | "negative") =>
    Array.from({ length: anchors }, (_, i) =>
      rows.map((_, j) => Number(i !== j && sides(i, j) === side)),
    );
  const objective = ({ raw }: { raw: np.Array }, pairs: Pairs): [np.Array, Outputs] => {
    const unit = l2Normalize(raw); // [R, D]
    const similarity = np.matmul(unit.ref.slice([0, anchors]), unit.transpose()); // [A, R]
    const given = outputs(similarity, pairs);
    return [given.perAnchor.ref.mean(), given];
  };
  const f = (raw: np.Array, pairs: Pairs) => {
    const { value, gradient, extra } = differentiate(objective)({ raw }, pairs);
    return { loss: value, slope: gradient.raw, extra };
  };
  const check = async (device: Device, tolerance: { loss: number; gradient: number }) => {
    const array = (device === "reference" ? float64 : float32) as typeof float32;
    const [positive, negative] = [host(array, weight("positive")), host(array, weight("negative"))];
    const args = [host(array, rows), { positive, negative }] as const;
    const program = await compile(f, [...args], { device });
    const result = await program.run(...args);
    await program.dispose();
    const { loss, slope, extra } = result as unknown as Record<"loss" | "slope", HostArray> & {
      extra: Record<string, HostArray>;
    };
    const id = `${golden.id} on ${device}`;
    expectNear(numbers(loss), [golden.expect.loss], tolerance.loss, id);
    const produced = ["loss", "gradients", ...Object.keys(extra)];
    expect(produced, id).toEqual(expect.arrayContaining(Object.keys(golden.expect)));
    for (const [name, got] of Object.entries(extra)) {
      const want = (golden.expect as unknown as Record<string, number[]>)[name];
      expectNear(numbers(got), want, tolerance.loss, `${id}, ${name}`);
    }
    const slopes = rowsOf(slope);
    for (const name of golden.differentiate) {
      const from = blocks.slice(0, names.indexOf(name)).flat().length;
      const got = slopes.slice(from, from + golden.inputs[name].length);
      expectSlope(got.flat(), golden.expect.gradients![name].flat(), tolerance.gradient, id);
    }
  };
  await check("cpu", golden.tolerance);
  await check("reference", { loss: 1e-9, gradient: 1e-9 });
}

/** Anchors and pairs of two views [n, D] against themselves: the other view of an image is its positive. */
export function twoViews(n: number, anchors: "both" | "view1" = "both"): Embedded {
  return {
    names: ["view1", "view2"],
    anchors: anchors === "both" ? 2 * n : n,
    sides: (i, j) => (i % n === j % n ? "positive" : "negative"),
  };
}

/** A table of two random views of n images: similarities of unit rows, and their pairs. */
export function twoViewTable(seed: number, n: number, size = 6): Table {
  const stream = randomStream(seed, "views");
  const rows = Array.from({ length: 2 * n }, () => {
    const row = Array.from({ length: size }, () => stream.normal());
    return row.map((x) => x / Math.hypot(...row));
  });
  const { sides } = twoViews(n);
  const weight = (side: string) =>
    rows.map((_, i) => rows.map((_, j) => Number(i !== j && sides(i, j) === side)));
  return {
    similarity: rows.map((a) => rows.map((b) => a.reduce((sum, x, k) => sum + x * b[k], 0))),
    positive: weight("positive"),
    negative: weight("negative"),
  };
}

/** Every number of one list is at most that of the other, up to rounding. */
export function expectAtMost(lower: number[], upper: number[]): void {
  lower.forEach((value, i) => expect(value).toBeLessThanOrEqual(upper[i] + 1e-12));
}

/** Options of `debiased` and `hardNegative`. */
export type Corrected = { temperature: number; tauPlus: number; beta: number };

/**
 * `debiased` (beta 0) and `hardNegative` as loops: the number and the clamp of every anchor. `constant`
 * holds the table that the weights of `beta` are made of.
 */
export function correctedByLoops(
  { similarity, positive, negative }: Table,
  { temperature, tauPlus, beta }: Corrected,
  constant = similarity,
): { each: number[]; clamped: number[] } {
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const results = similarity.map((row, i) => {
    const e = row.map((s) => Math.exp(s / temperature));
    const hard = constant[i].map((s) => Math.exp((beta * s) / temperature));
    const mean = (weight: number[]) =>
      sum(e.map((x, j) => weight[j] * hard[j] * x)) / sum(hard.map((h, j) => weight[j] * h));
    const count = sum(negative[i]);
    const weight = sum(positive[i]);
    if (count === 0 || weight === 0) return [0, 0];
    const estimate = (count * (mean(negative[i]) - tauPlus * mean(positive[i]))) / (1 - tauPlus);
    const bound = count * Math.exp(-1 / temperature);
    const mass = Math.max(estimate, bound);
    const surprise = sum(e.map((x, j) => positive[i][j] * Math.log((x + mass) / x))) / weight;
    return [surprise, Number(estimate < bound)];
  });
  return { each: results.map(([value]) => value), clamped: results.map(([, clamp]) => clamp) };
}

/** How many anchors have positives and negatives. */
export const twoSided = ({ positive, negative }: Table): number =>
  positive.filter((row, i) => Math.max(...row) > 0 && Math.max(...negative[i]) > 0).length;
