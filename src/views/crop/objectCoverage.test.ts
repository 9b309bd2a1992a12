import { expect, test } from "vitest";

import { objectCoverage } from "./objectCoverage.ts";

const source = { width: 100, height: 50 };
const object = { left: 0.2, top: 0.2, right: 0.6, bottom: 0.6 }; // pixels 20 … 60 × 10 … 30

test.each([
  ["the whole image", { x: 0, y: 0, width: 100, height: 50 }, 1],
  ["the object alone", { x: 20, y: 10, width: 40, height: 20 }, 1],
  ["its left half", { x: 0, y: 0, width: 40, height: 50 }, 0.5],
  ["a quarter inside", { x: 30, y: 15, width: 20, height: 10 }, 0.25],
  ["nothing, beside it", { x: 60, y: 0, width: 40, height: 50 }, 0],
  ["nothing, below it", { x: 0, y: 30, width: 100, height: 20 }, 0],
])("a crop of %s", (_name, crop, share) => {
  expect(objectCoverage(crop, object, source)).toBeCloseTo(share, 12);
});

test("an empty box lies in no crop", () => {
  const empty = { left: 0.5, top: 0.5, right: 0.5, bottom: 0.5 };
  expect(objectCoverage({ x: 0, y: 0, width: 100, height: 50 }, empty, source)).toBe(0);
});
