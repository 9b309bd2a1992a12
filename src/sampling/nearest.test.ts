import { describe, expect, test } from "vitest";

import { keyAndQueue, sample } from "../testing/scene.ts";
import { nearest } from "./nearest.ts";

const similarity = [
  [0.9, 0.1, 0.6, 0.2, 0.6],
  [0.9, -0.9, -0.3, -0.2, -0.4],
  [0.9, 0.1, 0.2, 0.3, 0.4],
];
const pairs = keyAndQueue(3, 5);
pairs.negative[1][3] = 0; // the nearest is no negative
pairs.negative[2].fill(0); // none is

describe("nearest", () => {
  test("makes the nearest negative the positive, the lower column of equal ones", async () => {
    const { positive, negative } = await sample(nearest, { similarity }, pairs);
    expect(positive).toEqual([
      [0, 0, 1, 0, 0],
      [0, 0, 1, 0, 0],
      [1, 0, 0, 0, 0], // no negatives: the own view stays
    ]);
    expect(negative).toEqual([
      [0, 1, 0, 1, 1],
      [0, 1, 0, 0, 1],
      [0, 0, 0, 0, 0],
    ]);
  });

  test("keeps the own view beside it where that is asked for", async () => {
    const { positive } = await sample(nearest, { similarity }, pairs, { keepOwn: true });
    expect(positive).toEqual([
      [1, 0, 1, 0, 0],
      [1, 0, 1, 0, 0],
      [1, 0, 0, 0, 0],
    ]);
  });

  test("goes by the ranking where it differs from the similarity", async () => {
    const ranking = similarity.map((row) => row.map((cosine) => -cosine));
    const { positive } = await sample(nearest, { similarity, ranking }, pairs);
    expect(positive.slice(0, 2)).toEqual([
      [0, 1, 0, 0, 0],
      [0, 1, 0, 0, 0],
    ]);
  });
});
