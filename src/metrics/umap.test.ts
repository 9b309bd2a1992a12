import { expect, test } from "vitest";

import { randomStream } from "../core/random.ts";
import { nearestOthers } from "./nearestOthers.ts";
import { umap } from "./umap.ts";

const [COUNT, DIMENSION, KINDS] = [600, 16, 6];

/** Rows around six directions, each with its kind. */
function rowsOfKinds() {
  const stream = randomStream("umap test");
  const centres = Array.from({ length: KINDS * DIMENSION }, () => stream.normal());
  const data = new Float32Array(COUNT * DIMENSION);
  for (let i = 0; i < data.length; i++) {
    const [row, e] = [Math.floor(i / DIMENSION), i % DIMENSION];
    data[i] = centres[(row % KINDS) * DIMENSION + e] + 0.25 * stream.normal();
  }
  return { data, count: COUNT, dimension: DIMENSION };
}

test("rows that are near stay near: neighbours on the map are of the same kind", async () => {
  const features = rowsOfKinds();
  const near = await nearestOthers(features, 15, async () => undefined);
  const places = await umap(features, near);
  expect(places).toHaveLength(2 * COUNT);
  expect(places.every(Number.isFinite)).toBe(true);
  let [same, kept] = [0, 0];
  for (let i = 0; i < COUNT; i++) {
    const others = Array.from({ length: COUNT }, (_, j) => j)
      .filter((j) => j !== i)
      .map((j) => ({
        j,
        d: Math.hypot(places[2 * i] - places[2 * j], places[2 * i + 1] - places[2 * j + 1]),
      }))
      .sort((a, b) => a.d - b.d)
      .slice(0, 15);
    const true15 = new Set(near.indices.subarray(i * near.k, (i + 1) * near.k));
    same += others.filter(({ j }) => j % KINDS === i % KINDS).length / 15;
    kept += others.filter(({ j }) => true15.has(j)).length / 15;
  }
  expect(same / COUNT).toBeGreaterThan(0.99); // by chance 0.17
  expect(kept / COUNT).toBeGreaterThan(0.3); // by chance 0.025
});

test("the same rows and seed give the same map; too few rows give one too", async () => {
  const features = rowsOfKinds();
  const near = await nearestOthers(features, 15, async () => undefined);
  const twice = [
    await umap(features, near, { epochs: 5 }),
    await umap(features, near, { epochs: 5 }),
  ];
  expect(twice[0]).toEqual(twice[1]);
  const one = { data: Float32Array.of(1, 0), count: 1, dimension: 2 };
  expect(await umap(one, await nearestOthers(one, 1, async () => undefined))).toHaveLength(2);
});
