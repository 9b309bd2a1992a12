import { expect, test } from "vitest";

import type { Training } from "../../inference/index.ts";
import { placesOf } from "./evaluate.ts";

const training: Training = {
  method: "simclr",
  head: { name: "mlp" },
  views: {} as Training["views"],
  seed: 0,
  data: "/images",
  split: "all",
};

test("a part that is named is asked, held-out parts never learned from", () => {
  const own = { path: "/images", split: "all" };
  expect(placesOf({}, training)).toEqual({ learned: own, asked: undefined });
  expect(placesOf({ split: "test" }, training)).toEqual({
    learned: { path: "/images", split: "auto" },
    asked: { path: "/images", split: "test" },
  });
  expect(placesOf({ split: "train" }, training)).toEqual({
    learned: { path: "/images", split: "train" },
    asked: undefined,
  });
  const test = "/others";
  expect(placesOf({ test }, training).asked).toEqual({ path: test, split: "heldOut" });
  expect(placesOf({ test, split: "val" }, training)).toEqual({
    learned: own,
    asked: { path: test, split: "val" },
  });
  expect(placesOf({ train: test }, training).learned).toEqual({ path: test, split: undefined });
});
