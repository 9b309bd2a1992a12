import { expect, test } from "vitest";

import { keyAndQueue, sample, viewsOfImages } from "../testing/scene.ts";
import { groups } from "./groups.ts";

test("images of one known group are no negatives; −1 is no group", async () => {
  const scene = {
    similarity: Array.from({ length: 2 }, () => [0.9, 0.1, 0.2, 0.3, 0.4]),
    anchors: { groups: [7, -1] },
    candidates: { groups: [-1, 7, -1, 3, 7] },
  };
  const pairs = keyAndQueue(2, 5);
  const { positive, negative } = await sample(groups, scene, pairs);
  expect(positive).toEqual(pairs.positive);
  expect(negative).toEqual([
    [0, 0, 1, 1, 0],
    [0, 1, 1, 1, 1],
  ]);
});

test("weights of negatives and views of the own image stay as they are", async () => {
  const marks = { groups: [0, 0, 1, 0, 0, 1] };
  const similarity = Array.from({ length: 6 }, () => [1, 0, 0, 0, 0, 0]);
  const pairs = viewsOfImages(6, 2);
  pairs.negative = pairs.negative.map((row) => row.map((weight) => weight * 0.5));
  const { positive, negative } = await sample(
    groups,
    { similarity, views: 2, anchors: marks, candidates: marks },
    pairs,
  );
  expect(positive).toEqual(pairs.positive);
  // images 0 and 1 are one group: only image 2 is left
  expect(negative[0]).toEqual([0, 0, 0.5, 0, 0, 0.5]);
  expect(negative[5]).toEqual([0.5, 0.5, 0, 0.5, 0.5, 0]);
});
