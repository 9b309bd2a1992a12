import type { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";

import { evaluate, float32, int32, numbers } from "../../testing/arrays.ts";
import type { HostArray } from "../../core/arrays.ts";
import { knownOfOwnViews, overlapOf } from "./ownViews.ts";

test("rectangles overlap by what they share of what they cover together", async () => {
  const whole = [0, 0, 10, 10];
  const others = [whole, [0, 0, 5, 10], [5, 5, 10, 10], [10, 0, 4, 4], [-3, -3, 20, 20]];
  const rows = (list: number[][]) => float32([list.length, 4], list.flat());
  const got = await evaluate(
    (a: np.Array, b: np.Array) => overlapOf(a, b),
    rows(others.map(() => whole)),
    rows(others),
  );
  [1, 0.5, 25 / 175, 0, 100 / 400].forEach((want, i) =>
    expect(numbers(got)[i]).toBeCloseTo(want, 6),
  );
});

test("images and overlaps follow the order of the own views", async () => {
  const [images, views] = [2, 3];
  const ids = int32([4, 5, 4, 9, 4, 5]);
  // view v of image b starts at v, 2 pixels wide; image 1 has whole crops
  const crops = float32(
    [6, 4],
    [[0], [1], [2]].flatMap(([v]) => [v, 0, 2, 2, 0, 0, 8, 8]),
  );
  const known = async (anchorViews: number) => {
    const grid = { images, anchorViews, views };
    const got = (await evaluate(
      (batch: { ids: np.Array; crops: np.Array }) => knownOfOwnViews(batch, grid),
      { ids, crops },
    )) as unknown as { ownIds: HostArray[]; overlaps: HostArray[] };
    return { ownIds: got.ownIds.map(numbers), overlaps: got.overlaps.map(numbers) };
  };
  const third = Math.fround(1 / 3);
  expect(await known(1)).toEqual({
    ownIds: [
      [4, 9],
      [4, 5],
    ],
    overlaps: [
      [third, 1],
      [0, 1],
    ],
  });
  expect(await known(3)).toEqual({
    ownIds: [
      [4, 9, 4, 5, 4, 5],
      [4, 5, 4, 5, 4, 9],
    ],
    overlaps: [
      [third, 1, third, 1, 0, 1],
      [0, 1, third, 1, third, 1],
    ],
  });
});
