import { expect, test } from "vitest";

import { randomStream } from "../core/random.ts";
import { joinLinks, type Link, mutualLinks, similarityThreshold, similarLinks } from "./index.ts";

/** Unit vectors at angles, in degrees. */
function at(...angles: number[]) {
  const data = Float32Array.from(
    angles.flatMap((angle) => [
      Math.cos((angle * Math.PI) / 180),
      Math.sin((angle * Math.PI) / 180),
    ]),
  );
  return { data, count: angles.length, dimension: 2 };
}

const pairs = (links: readonly Link[]) => links.map(({ a, b }) => [Math.min(a, b), Math.max(a, b)]);

test("images are linked from a similarity on, each pair once, the most similar first", () => {
  const links = similarLinks(at(0, 10, 12, 90), Math.cos((11 * Math.PI) / 180));
  expect(pairs(links)).toEqual([
    [1, 2],
    [0, 1],
  ]);
  expect(links[0].similarity).toBeCloseTo(Math.cos((2 * Math.PI) / 180), 6);
});

test("the mutual graph links images that are each among the other's nearest", () => {
  expect(pairs(mutualLinks(at(0, 1, 5, 7, 90), 1))).toEqual([
    [0, 1],
    [2, 3],
  ]);
});

test("the threshold is what one in a hundred unrelated pairs reaches", () => {
  const stream = randomStream(0, "angles");
  const many = at(...Array.from({ length: 500 }, () => stream.uniform(0, 360)));
  expect(similarityThreshold(many)).toBeGreaterThan(0.998);
  expect(similarityThreshold(at(0, 90))).toBe(0.99);
});

test("groups grow only by images that are like their first, surest kinds first", () => {
  const link = (a: number, b: number, kind: Link["kind"]): Link => ({ a, b, kind, similarity: 1 });
  const chain = [link(0, 1, "similar"), link(1, 2, "similar"), link(3, 4, "identical")];
  const near = (a: number, b: number) => Math.abs(a - b) < 2;
  const groups = joinLinks(6, chain, near);
  expect(groups.map(({ members, kind }) => [members, kind])).toEqual([
    [[3, 4], "identical"],
    [[0, 1], "similar"],
  ]);
  const all = joinLinks(6, chain, () => true);
  expect(all.map(({ members }) => members)).toEqual([
    [3, 4],
    [0, 1, 2],
  ]);
});
