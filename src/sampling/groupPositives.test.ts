import { expect, test } from "vitest";

import { keyAndQueue, sample, viewsOfImages } from "../testing/scene.ts";
import { groupPositives } from "./groupPositives.ts";
import { groups } from "./groups.ts";
import { labels } from "./labels.ts";

const flat = (anchors: number, candidates: number) =>
  Array.from({ length: anchors }, () => Array<number>(candidates).fill(0.1));

test("what groups left out becomes a positive; −1 is no group", async () => {
  const scene = {
    similarity: flat(2, 5),
    anchors: { ids: [0, 1], groups: [7, -1] },
    candidates: { ids: [-1, 2, -1, 4, 5], groups: [-1, 7, -1, 3, 7] },
  };
  const before = await sample(groups, scene, keyAndQueue(2, 5));
  const { positive, negative } = await sample(groupPositives, scene, before);
  expect(before.negative[0]).toEqual([0, 0, 1, 1, 0]);
  expect(positive).toEqual([
    [1, 1, 0, 0, 1],
    [1, 0, 0, 0, 0],
  ]);
  expect(negative).toEqual(before.negative);
});

test("an anchor, its own views and older keys of its image stay as they are", async () => {
  const marks = { ids: [0, 1, 2, 0, 1, 2], groups: [4, 4, 9, 4, 4, 9] };
  const pairs = viewsOfImages(6, 2);
  const scene = { similarity: flat(6, 6), views: 2, anchors: marks, candidates: marks };
  const { positive, negative } = await sample(groupPositives, scene, pairs);
  expect(positive[0]).toEqual([0, 1, 0, 1, 1, 0]);
  expect(negative[0]).toEqual([0, 0, 1, 0, 0, 1]);
  expect(positive[2]).toEqual(pairs.positive[2]);
  expect(negative[2]).toEqual(pairs.negative[2]);

  const queue = {
    similarity: flat(1, 3),
    anchors: { ids: [3], groups: [4] },
    candidates: { ids: [-1, 3, 8], groups: [-1, 4, 4] },
  };
  const given = { positive: [[1, 0, 0]], negative: [[0, 0, 1]] }; // the second is an older key of the anchor
  expect(await sample(groupPositives, queue, given)).toMatchObject({
    positive: [[1, 0, 1]],
    negative: [[0, 0, 0]],
  });
});

test("a weight that a positive has stays, and a weighted negative becomes a positive of weight 1", async () => {
  const scene = {
    similarity: flat(1, 4),
    anchors: { ids: [0], groups: [2] },
    candidates: { ids: [5, 6, 7, 8], groups: [2, 2, 2, 1] },
  };
  const given = { positive: [[0.5, 0, 0, 0]], negative: [[0.25, 0.25, 0, 3]] };
  expect(await sample(groupPositives, scene, given)).toMatchObject({
    positive: [[0.5, 1, 1, 0]],
    negative: [[0, 0, 0, 3]],
  });
});

test("where groups are the labels the pairs are those of the sampler labels", async () => {
  const marks = [4, 5, 4, 6, 4, 5, 4, 6];
  const each = { ids: [0, 1, 2, 3, 0, 1, 2, 3], groups: marks, labels: marks };
  const scene = { similarity: flat(8, 8), views: 2, anchors: each, candidates: each };
  const pairs = viewsOfImages(8, 2);
  const byGroup = await sample(groupPositives, scene, await sample(groups, scene, pairs));
  const byLabel = await sample(labels, scene, pairs);
  expect(byGroup.positive).toEqual(byLabel.positive);
  expect(byGroup.negative).toEqual(byLabel.negative);
  expect(byGroup.positive).not.toEqual(pairs.positive);
});
