import type { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";

import { evaluate, float32, float64, numbers } from "../testing/arrays.ts";

const thirds = (x: np.Array) => ({ scaled: x.ref.mul(1 / 3).add(0.1), mean: x.mean() });

test("numbers in a function of float64 arrays keep all their digits", async () => {
  const { scaled, mean } = (await evaluate(thirds, float64([3], [1, 2, 4]))) as never;
  expect(numbers(scaled)).toEqual([1 / 3 + 0.1, 2 / 3 + 0.1, 4 / 3 + 0.1]);
  expect(numbers(mean)[0]).toBeCloseTo(7 / 3, 14);
});

test("float32 stays float32", async () => {
  const { scaled } = (await evaluate(thirds, float32([1], [1]))) as never;
  expect(scaled).toMatchObject({ dtype: "float32" });
  expect(numbers(scaled)[0]).toBeCloseTo(Math.fround(Math.fround(1 / 3) + Math.fround(0.1)), 7);
});
