import { expect, test } from "vitest";

import { randomStream } from "../core/random.ts";
import {
  type Joining,
  joinLinks,
  type Link,
  mutualLinks,
  similarityThreshold,
  similarLinks,
} from "./index.ts";

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

test("images are linked from a similarity on, each pair once, the most similar first", async () => {
  const links = await similarLinks(at(0, 10, 12, 90), Math.cos((11 * Math.PI) / 180));
  expect(pairs(links)).toEqual([
    [1, 2],
    [0, 1],
  ]);
  expect(links[0].similarity).toBeCloseTo(Math.cos((2 * Math.PI) / 180), 6);
});

test("the mutual graph links images that are each among the other's nearest", async () => {
  expect(pairs(await mutualLinks(at(0, 1, 5, 7, 90), 1))).toEqual([
    [0, 1],
    [2, 3],
  ]);
});

test("the search tells how far it is, and can be stopped on the way", async () => {
  const stop = new AbortController();
  const told: number[][] = [];
  const progress = (...of: number[]) => {
    told.push(of);
    stop.abort();
  };
  const many = at(...Array.from({ length: 200 }, (_, i) => i));
  const stopped = mutualLinks(many, 1, { progress, signal: stop.signal });
  await expect(stopped).rejects.toThrow("the search for duplicates was interrupted");
  expect(told).toEqual([[64, 200]]);
});

const unknown = () => false;

test("the threshold is what one in a hundred unrelated pairs reaches", () => {
  const stream = randomStream(0, "angles");
  const many = at(...Array.from({ length: 500 }, () => stream.uniform(0, 360)));
  expect(similarityThreshold(many, unknown)).toBeGreaterThan(0.998);
  expect(similarityThreshold(at(0, 90), unknown)).toBe(0.99);
});

/** Random vectors, each `copies` times with a little noise: those of row i are of thing i % things. */
function copied(things: number, copies: number) {
  const dimension = 32;
  const stream = randomStream(0, "things");
  const means = Array.from({ length: things * dimension }, () => stream.normal());
  const data = Float32Array.from({ length: copies * means.length }, (_, i) => {
    return means[i % means.length] + 0.2 * stream.normal();
  });
  return { data, count: copies * things, dimension };
}

test("duplicates that are known do not raise the threshold", () => {
  const features = copied(20, 20);
  const known = similarityThreshold(features, (a, b) => a % 20 === b % 20);
  expect(known).toBeLessThan(0.8);
  expect(similarityThreshold(features, unknown)).toBeGreaterThan(0.9);
});

test("of a few images neither do duplicates that are not known", async () => {
  const features = copied(5, 2);
  const links = await similarLinks(features, similarityThreshold(features, unknown));
  expect(pairs(links).map(([a, b]) => b - a)).toEqual([5, 5, 5, 5, 5]);
});

test("groups grow only by images that are like their first, surest kinds first", () => {
  const link = (a: number, b: number, kind: Link["kind"]): Link => ({ a, b, kind, similarity: 1 });
  const chain = [link(0, 1, "similar"), link(1, 2, "similar"), link(3, 4, "identical")];
  const near = ({ a, b }: Joining) => Math.abs(a - b) < 2;
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

test("groups of hundreds of thousands are joined too, and may be held to a size", () => {
  const half = 150_000;
  const link = (a: number, b: number): Link => ({ a, b, kind: "identical", similarity: 1 });
  const links = Array.from({ length: half - 1 }, (_, i) => [
    link(0, i + 1),
    link(half, half + i + 1),
  ]).flat();
  links.push(link(0, half));
  const sizes = (most: number) =>
    joinLinks(2 * half, links, ({ size }) => size <= most).map(({ members }) => members.length);
  expect(sizes(Infinity)).toEqual([2 * half]);
  expect(sizes(half)).toEqual([half, half]);
});

test("vectors of zeros are near none, not even each other, and do not move the threshold", async () => {
  const some = at(0, 10, 12, 90);
  const data = new Float32Array([...some.data, ...new Float32Array(8)]); // four images of zeros
  const features = { data, count: 8, dimension: 2 };
  const linked = async (links: Promise<Link[]>) => pairs(await links).flat();
  expect(Math.max(...(await linked(similarLinks(features, -1))))).toBe(3);
  expect(Math.max(...(await linked(mutualLinks(features, 3))))).toBe(3);
  const zeros = { data: new Float32Array(10), count: 5, dimension: 2 };
  expect(await linked(similarLinks(zeros, -1))).toEqual([]);
  expect(similarityThreshold(zeros, () => false)).toBe(0.99);
});
