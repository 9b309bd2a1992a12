import { expect, test } from "vitest";

import type { ViewBatch } from "../../views/index.ts";
import { coverageFigures, objectBox } from "./objectBoxes.ts";

/** Images of 100 × 50 pixels; those with an odd number have a box of 40 × 20 at (20, 10). */
const data = {
  count: 4,
  dataset: {
    entry: (index: number) => ({
      width: 100,
      height: 50,
      ...(index % 2 === 1 ? { box: [20, 10, 40, 20] } : {}),
    }),
  },
} as unknown as Parameters<typeof coverageFigures>[0];

/** Two views of each image; the second of image 1 is a false positive of image 3. */
const batch = (ids: number[]): ViewBatch => {
  const sources = [...ids, ...ids.map((id) => (id === 1 ? 3 : id))];
  const crops = [
    { x: 0, y: 0, width: 100, height: 50 }, // all of the object
    { x: 0, y: 0, width: 27, height: 50 }, // 7 / 40 of it
  ];
  return {
    ids: Int32Array.from(ids),
    sources: Int32Array.from(sources),
    parameters: (view: number) => ({ crop: crops[view] }),
  } as unknown as ViewBatch;
};

test("a box in pixels becomes one in shares, within the image", () => {
  expect(objectBox(data, 1)).toEqual({ left: 0.2, top: 0.2, right: 0.6, bottom: 0.6 });
  expect(objectBox(data, 0)).toBeUndefined();
});

test("crops are measured by how much of the object they hold", () => {
  expect(coverageFigures(data, batch([1, 0, 3]))).toEqual({
    objectCoverage: expect.closeTo((1 + 1 + 7 / 40 + 7 / 40) / 4, 12),
    objectMissed: 0.5,
  });
});

test("where no image has a box nothing is measured", () => {
  expect(coverageFigures(data, batch([0, 2]))).toEqual({});
});
