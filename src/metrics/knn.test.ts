import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { randomStream } from "../core/random.ts";
import type { Features } from "./features.ts";
import { knnClassify } from "./knn.ts";
import { nearestNeighbours } from "./nearest.ts";

function randomFeatures(count: number, dimension: number, seed: number): Features {
  const stream = randomStream(seed, "features");
  const data = Float32Array.from({ length: count * dimension }, () => stream.normal());
  return { data, count, dimension };
}

const rowOf = ({ data, dimension }: Features, i: number) => [
  ...data.subarray(i * dimension, (i + 1) * dimension),
];

function cosine(x: number[], y: number[]): number {
  const dot = (a: number[], b: number[]) => a.reduce((sum, v, e) => sum + v * b[e], 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

function slowSimilarities(query: Features, base: Features, i: number): number[] {
  return Array.from({ length: base.count }, (_, j) => cosine(rowOf(query, i), rowOf(base, j)));
}

const rows = (...values: number[][]): Features => ({
  data: Float32Array.from(values.flat()),
  count: values.length,
  dimension: values[0].length,
});

describe("nearestNeighbours", () => {
  it("finds what a loop over all pairs and a sort find", () => {
    const size = fc.integer({ min: 1, max: 150 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 2, max: 19 }), size, (q, n, d, k) => {
        const query = randomFeatures(q, d, 1);
        const base = randomFeatures(n, d, 2);
        const found = nearestNeighbours(query, base, k);
        expect(found.k).toBe(Math.min(k, n));
        for (const i of [0, q >> 1, q - 1]) {
          const slow = slowSimilarities(query, base, i);
          const best = slow.toSorted((a, b) => b - a);
          for (let r = 0; r < found.k; r++) {
            expect(found.similarities[i * found.k + r]).toBeCloseTo(best[r], 5);
            expect(slow[found.indices[i * found.k + r]]).toBeCloseTo(best[r], 5);
          }
          expect(new Set(found.indices.subarray(i * found.k, (i + 1) * found.k)).size).toBe(
            found.k,
          );
        }
      }),
      { numRuns: 25 },
    );
  });

  it("puts equally similar rows in the order of their index, wherever they lie", () => {
    const one = rowOf(randomFeatures(1, 37, 3), 0);
    const base = rows(...Array.from({ length: 201 }, () => one));
    const found = nearestNeighbours(rows(one, one, one), base, 130);
    for (let i = 0; i < 3 * 130; i++) expect(found.indices[i]).toBe(i % 130);
  });

  it("keeps a row from being its own neighbour with leaveOneOut", () => {
    const base = rows([1, 0], [1, 0.1], [0, 1], [0.1, 1]);
    expect([...nearestNeighbours(base, base, 1, { leaveOneOut: true }).indices]).toEqual([
      1, 0, 3, 2,
    ]);
    expect([...nearestNeighbours(base, base, 1).indices]).toEqual([0, 1, 2, 3]);
  });

  it("gives a zero row similarity 0 and does not depend on the length of rows", () => {
    const found = nearestNeighbours(rows([0, 0], [1e-8, 0]), rows([3e9, 0], [-2, 0]), 2);
    expect([...found.similarities]).toEqual([0, 0, 1, -1]);
  });

  it("refuses sizes that do not agree and values that are not finite", () => {
    const good = rows([1, 2]);
    expect(() => nearestNeighbours(rows([1]), good, 1)).toThrow(
      "query has dimension 1, expected 2 as in base",
    );
    expect(() => nearestNeighbours(good, rows([1, 2], [NaN, 1]), 1)).toThrow(
      "base holds NaN in row 1, column 0",
    );
    expect(() => nearestNeighbours(good, { ...good, count: 2 }, 1)).toThrow("2 × 2");
    expect(() => nearestNeighbours(good, good, 0)).toThrow("k is 0");
    expect(() => nearestNeighbours(good, good, 1, { leaveOneOut: true })).toThrow("at least 2");
  });
});

describe("knnClassify", () => {
  it("votes as worked out by hand", () => {
    // Similarities to [1, 0]: 0.8 (class 0), 0.6 and 0.6 (class 1).
    const train = {
      features: rows([4, 3], [3, 4], [3, -4]),
      labels: [0, 1, 1],
      classes: 2,
    };
    const test = { features: rows([1, 0]), labels: [0] };
    // exp(0.8 / T) against 2 exp(0.6 / T): class 0 wins where 0.2 / T > ln 2, so below T = 0.2885.
    expect(knnClassify(train, test, { k: 3, temperature: 0.28 }).predictions[0]).toBe(0);
    expect(knnClassify(train, test, { k: 3, temperature: 0.3 }).predictions[0]).toBe(1);
    expect(knnClassify(train, test, { k: 1, temperature: 0.3 }).accuracy).toBe(1);
    expect(knnClassify(train, test, { k: 3, temperature: 1e-4 }).predictions[0]).toBe(0);
  });

  it("agrees with a slow vote in float64", () => {
    const [classes, T, k] = [4, 0.1, 9];
    const train = { features: randomFeatures(90, 6, 4), classes, labels: [] as number[] };
    train.labels = Array.from({ length: 90 }, (_, i) => (i * 7) % classes);
    const test = { features: randomFeatures(40, 6, 5), labels: new Int32Array(40) };
    const { predictions, accuracy } = knnClassify(train, test, { k, temperature: T });
    let zeros = 0;
    for (let i = 0; i < 40; i++) {
      const votes = new Array<number>(classes).fill(0);
      slowSimilarities(test.features, train.features, i)
        .map((s, j) => [s, train.labels[j]])
        .sort(([a], [b]) => b - a)
        .slice(0, k)
        .forEach(([s, label]) => (votes[label] += Math.exp(s / T)));
      expect(predictions[i]).toBe(votes.indexOf(Math.max(...votes)));
      if (predictions[i] === 0) zeros++;
    }
    expect(accuracy).toBe(zeros / 40);
  });

  it("does not count unlabelled test rows, and refuses unlabelled training rows", () => {
    const train = { features: rows([1, 0], [0, 1]), labels: [0, 1], classes: 2 };
    const test = { features: rows([1, 0.2], [0.2, 1], [1, 0]), labels: [0, -1, 1] };
    const result = knnClassify(train, test, { k: 1 });
    expect(result).toMatchObject({ accuracy: 0.5, correct: 1, count: 2 });
    expect([...result.predictions]).toEqual([0, 1, 0]);
    expect(() => knnClassify({ ...train, labels: [0, -1] }, test)).toThrow(
      "knnClassify: train has label -1 in row 1, expected a whole number from 0 to 1",
    );
    expect(() => knnClassify(train, test, { temperature: 0 })).toThrow("temperature is 0");
  });
});
