import { expect, test } from "vitest";

import type { Images } from "../inference/index.ts";
import { splitImages } from "./split.ts";

let sets = 0;

/** Made-up images: `labels` −1 for none, each image in the group of its neighbour. */
function imagesOf(count: number, classes?: readonly string[]): Images {
  const numbers = Array.from({ length: count }, (_, i) => i);
  const labels = classes && Int32Array.from(numbers, (i) => (i % (classes.length + 1)) - 1);
  const groups = Int32Array.from(numbers, (i) => Math.floor(i / 2));
  return {
    count,
    classes,
    labels,
    dataset: { groups, fingerprint: String(sets++) },
  } as unknown as Images;
}

test("a fifth of the training images is held out, by groups", () => {
  const images = imagesOf(300, ["a", "b"]);
  const { train, test: asked, classes, how } = splitImages(images, undefined, 0);
  expect([train.indices.length + asked.indices.length, classes]).toEqual([200, ["a", "b"]]);
  expect(asked.indices.length / 200).toBeCloseTo(0.2, 1);
  expect(how).toContain("fifth");
  const groups = (indices: Int32Array) => Array.from(indices, (i) => Math.floor(i / 2));
  expect(groups(train.indices).filter((group) => groups(asked.indices).includes(group))).toEqual(
    [],
  );
});

test("where only the test images have labels, half of them is learned from", () => {
  const labelled = imagesOf(60, ["a", "b"]);
  const { train, test: asked, classes, how } = splitImages(imagesOf(100), labelled, 0);
  expect([train.images, asked.images, classes]).toEqual([labelled, labelled, ["a", "b"]]);
  expect(train.indices.length + asked.indices.length).toBe(40); // those with a label
  expect(Math.abs(train.indices.length - 20)).toBeLessThan(6);
  expect(train.labels).toEqual(train.indices.map((i) => labelled.labels![i]));
  expect(train.indices.some((i) => asked.indices.includes(i))).toBe(false);
  expect(how).toContain("training images have no labels");
});

test("test images without a class of the training images are refused", () => {
  const [train, other] = [imagesOf(20, ["a", "b"]), imagesOf(20, ["c"])];
  expect(() => splitImages(train, other, 0)).toThrow("no test image has a class of the training");
  expect(splitImages(train, imagesOf(20, ["b"]), 0).test.indices.length).toBe(10);
  expect(splitImages(imagesOf(20), imagesOf(10), 0).test.indices.length).toBe(10);
});
