import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, float64, rowsOf } from "../testing/arrays.ts";
import { keyAndQueue, type Rows, sample } from "../testing/scene.ts";
import { randomStream } from "../core/random.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { random } from "./random.ts";
import { fieldInputs, uniformField } from "./uniformField.ts";

const sizesOf = (anchors: number, candidates: number) => ({
  anchors,
  candidates,
  images: anchors,
  datasetSize: candidates,
  width: 4,
});

async function fieldOf(
  n: number,
  m: number,
  seed: number,
  like: typeof float32 | typeof float64 = float32,
): Promise<Rows> {
  const inputs = fieldInputs(sizesOf(n, m)).make({ progress: 0, stream: randomStream(seed) });
  const field = (drawn: ArrayRecord, x: np.Array) => uniformField(drawn, x);
  return rowsOf(await evaluate(field, inputs, like([1], [0])));
}

/** Pearson's correlation. */
function correlation(a: number[], b: number[]): number {
  const centred = (x: number[]) => {
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    return x.map((value) => value - mean);
  };
  const [p, q] = [centred(a), centred(b)];
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q));
}

/** χ² of counts against a uniform distribution, in standard deviations from its mean. */
function excess(counts: number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const chi2 = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return (chi2 - freedom) / Math.sqrt(2 * freedom);
}

describe("uniform field", () => {
  const [n, m] = [12, 4000];

  test("is uniform in every row, and the same in float32 as in float64", async () => {
    const rows = await fieldOf(n, m, 20);
    expect(rows).toEqual(await fieldOf(n, m, 20, float64));
    rows.forEach((row) => {
      const counts = Array<number>(20).fill(0);
      row.forEach((value) => counts[Math.floor(20 * value)]++);
      expect(Math.abs(excess(counts))).toBeLessThan(4.5);
    });
  });

  test("rows are independent of each other, two at a time", async () => {
    const rows = await fieldOf(n, m, 21);
    for (let i = 1; i < n; i++) {
      // a correlation has a standard deviation of 1/√4000 = 0.016; the table sees what is not linear
      expect(Math.abs(correlation(rows[0], rows[i]))).toBeLessThan(0.075);
      const counts = Array<number>(64).fill(0);
      rows[i].forEach(
        (value, j) => counts[8 * Math.floor(8 * value) + Math.floor(8 * rows[0][j])]++,
      );
      expect(Math.abs(excess(counts))).toBeLessThan(4.5);
    }
  });

  test("neighbouring columns are independent of each other", async () => {
    const rows = await fieldOf(n, m, 22);
    rows.forEach((row) => {
      for (const lag of [1, 2, 7]) {
        expect(Math.abs(correlation(row.slice(lag), row.slice(0, -lag)))).toBeLessThan(0.075);
      }
    });
  });

  test("costs few draws where there are many candidates", () => {
    const { spec } = fieldInputs(sizesOf(256, 65537));
    const total = Object.values(spec).reduce((sum, { shape }) => sum + shape[0] * shape[1], 0);
    expect(total).toBe(4 * (256 + 65537));
  });
});

describe("random", () => {
  const [n, m] = [16, 401];
  const similarity = Array.from({ length: n }, () => Array<number>(m).fill(0));
  const pairs = keyAndQueue(n, m);
  pairs.negative[1].fill(0, 3); // two negatives
  const inputsOf = (seed: number) =>
    random.inputs!({}, sizesOf(n, m)).make({ progress: 0, stream: randomStream(seed) });
  const taken = (rows: Rows) =>
    rows.map((row, i) => row.reduce((sum, w, j) => sum + pairs.negative[i][j] - w, 0));

  test("takes a share of the negatives", async () => {
    const scene = { similarity, inputs: inputsOf(23) };
    const { negative, positive } = await sample(random, scene, pairs, { rate: 0.3 });
    expect(positive).toEqual(pairs.positive);
    const total = taken(negative).reduce((sum, count) => sum + count, 0);
    // 15 · 400 + 2 negatives at 0.3: 1801 ± 4 standard deviations of 35
    expect(Math.abs(total - 1801)).toBeLessThan(142);
    const all = await sample(random, scene, pairs, { rate: 1 });
    expect(all.negative.flat().every((weight) => weight === 0)).toBe(true);
    expect((await sample(random, scene, pairs, { rate: 0 })).negative).toEqual(pairs.negative);
  });

  test("takes an exact number, other ones for every anchor and step", async () => {
    const once = async (seed: number) =>
      (await sample(random, { similarity, inputs: inputsOf(seed) }, pairs, { count: 25 })).negative;
    const [first, again, other] = [await once(24), await once(24), await once(25)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    const want = Array.from({ length: n }, (_, i) => (i === 1 ? 2 : 25));
    expect(taken(first)).toEqual(want);
    expect(first[2]).not.toEqual(first[3]);
  });

  test("makes positives of them where that is asked for", async () => {
    const scene = { similarity, inputs: inputsOf(26) };
    const options = { count: 5, action: "attract" };
    const { negative, positive } = await sample(random, scene, pairs, options);
    positive.forEach((row, i) =>
      row.forEach((weight, j) =>
        expect(weight + negative[i][j]).toBe(pairs.positive[i][j] + pairs.negative[i][j]),
      ),
    );
    expect(positive[0].reduce((sum, weight) => sum + weight, 0)).toBe(6);
  });
});
