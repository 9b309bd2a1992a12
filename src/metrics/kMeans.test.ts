import { expect, test } from "vitest";

import { randomStream } from "../core/random.ts";
import { kMeans } from "./kMeans.ts";

/** Points around `kinds` directions of a circle, kind i % kinds. */
function around(count: number, kinds: number, noise: number) {
  const stream = randomStream(1, "clusters");
  const data = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const angle = (2 * Math.PI * (i % kinds)) / kinds + stream.uniform(-noise, noise);
    const length = stream.uniform(0.5, 3);
    data.set([length * Math.cos(angle), length * Math.sin(angle)], 2 * i);
  }
  return { data, count, dimension: 2 };
}

test("finds directions that rows lie around, whatever their length", async () => {
  const { assigned, similarities, k } = await kMeans(around(90, 5, 0.2), 5);
  expect(k).toBe(5);
  for (let i = 5; i < 90; i++) expect(assigned[i]).toBe(assigned[i % 5]);
  expect(new Set(assigned.subarray(0, 5)).size).toBe(5);
  expect(Math.min(...similarities)).toBeGreaterThan(0.95);
});

test("numbers clusters by size, and is the same twice", async () => {
  const rows = around(100, 3, 0.1);
  const some = { ...rows, data: rows.data.slice(0, 2 * 70), count: 70 };
  const { assigned } = await kMeans(some, 2, { seed: 7 });
  const sizes = [0, 0];
  assigned.forEach((cluster) => sizes[cluster]++);
  expect(sizes[0]).toBeGreaterThanOrEqual(sizes[1]);
  expect((await kMeans(some, 2, { seed: 7 })).assigned).toEqual(assigned);
});

test("fills every cluster, also where rows are equal", async () => {
  const same = { data: new Float32Array(20).fill(1), count: 10, dimension: 2 };
  const { assigned } = await kMeans(same, 3);
  expect(assigned.every((cluster) => cluster >= 0 && cluster < 3)).toBe(true);
  await expect(kMeans(same, 11)).rejects.toThrow(
    "k is 11, expected a whole number from 1 to the 10 rows",
  );
});

test("tells how far it is, and can be stopped on the way", async () => {
  const stop = new AbortController();
  const told: number[][] = [];
  const progress = (start: number, round: number) => {
    told.push([start, round]);
    if (start === 2) stop.abort();
  };
  const stopped = kMeans(around(90, 5, 0.2), 5, { progress, signal: stop.signal });
  await expect(stopped).rejects.toThrow("clustering was interrupted");
  expect([told[0], told.at(-1)]).toEqual([
    [1, 1],
    [2, 1],
  ]);
});
