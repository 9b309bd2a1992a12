import { describe, expect, test } from "vitest";

import { randomStream } from "../core/random.ts";
import type { Features } from "./features.ts";
import { findOutliers } from "./outliers.ts";

const rowsOf = (rows: readonly (readonly number[])[]): Features => ({
  data: Float32Array.from(rows.flat()),
  count: rows.length,
  dimension: rows[0].length,
});

/** Directions around one of two centres: 60 around the first, `odd` close together around the other. */
function planted(odd: number): Features {
  const stream = randomStream(3, "planted");
  const noise = (size: number) => Array.from({ length: 8 }, () => stream.uniform(-size, size));
  const around = (axis: number, size: number) =>
    noise(size).map((value, i) => value + (i === axis ? 1 : 0));
  const usual = Array.from({ length: 60 }, () => around(0, 0.5));
  return rowsOf([...usual, ...Array.from({ length: odd }, () => around(5, 0.05))]);
}

describe("findOutliers", () => {
  test("are distances to the k-th nearest other, over their median", async () => {
    const features = planted(3);
    const found = await findOutliers(features, 4);
    const row = (i: number) => features.data.subarray(8 * i, 8 * i + 8);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, e) => sum + x * b[e], 0);
    const cosine = (i: number, j: number) =>
      dot(row(i), row(j)) / Math.sqrt(dot(row(i), row(i)) * dot(row(j), row(j)));
    const expected = Array.from({ length: 63 }, (_, i) => {
      const others = Array.from({ length: 63 }, (_, j) => j).filter((j) => j !== i);
      return others.map((j) => 1 - cosine(i, j)).sort((a, b) => a - b);
    });
    const kth = expected.map((distances) => distances[3]);
    const median = [...kth].sort((a, b) => a - b)[31];
    found.distances.forEach((distance, i) => expect(distance).toBeCloseTo(kth[i], 5));
    found.scores.forEach((score, i) => expect(score).toBeCloseTo(kth[i] / median, 4));
    found.similarities.forEach((one, i) => expect(one).toBeCloseTo(1 - expected[i][0], 5));
    found.nearest.forEach((j, i) => expect(cosine(i, j)).toBeCloseTo(1 - expected[i][0], 5));
  });

  test.each([1, 5])("puts %i rows that are like each other first, all of them odd", async (odd) => {
    const { scores, limit } = await findOutliers(planted(odd), 5);
    const least = Math.min(...scores.subarray(60));
    expect(least).toBeGreaterThan(Math.max(...scores.subarray(0, 60)));
    expect(least).toBeGreaterThan(limit);
  });

  test("a row is not its own neighbour, also among equals", async () => {
    const { nearest, distances, scores } = await findOutliers(
      rowsOf([...Array.from({ length: 9 }, () => [1, 0]), [0, 1]]),
      3,
    );
    nearest.forEach((j, i) => expect(j).not.toBe(i));
    expect([...distances]).toEqual([...Array<number>(9).fill(0), 1]);
    expect([...scores]).toEqual([...Array<number>(9).fill(0), 1]);
  });

  test("a row of zeros is near none, and far from all", async () => {
    const { nearest, scores, limit } = await findOutliers(
      rowsOf([...Array.from({ length: 9 }, (_, i) => [1, i / 9]), [0, 0]]),
      3,
    );
    expect([nearest[9], nearest.filter((row) => row < 0).length]).toEqual([-1, 1]);
    expect(Math.max(...scores)).toBe(scores[9]);
    expect(scores[9]).toBeGreaterThan(limit);
  });

  test("needs k others", async () => {
    await expect(findOutliers(rowsOf([[1], [2]]), 2)).rejects.toThrow("from 1 to 1");
  });
});
