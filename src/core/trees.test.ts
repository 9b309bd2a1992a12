import { lax, type numpy as np, vjp } from "@jax-js/jax";
import { expect, test } from "vitest";

import { evaluate, float64, numbers } from "../testing/arrays.ts";
import { type ArrayRecord, differentiate } from "./trees.ts";

/** Twice x by way of another gradient, as a look-up is transposed. */
function doubled(x: np.Array): np.Array {
  const held = lax.stopGradient(x);
  const [value, transpose] = vjp((y: np.Array) => y.mul(2), [held.ref]);
  value.dispose();
  const [slope] = transpose(held);
  return slope;
}

test("differentiate gives further results that were made after a gradient inside", async () => {
  const step = (x: np.Array) => {
    const { value, gradient, extra } = differentiate((p: ArrayRecord): [np.Array, ArrayRecord] => {
      const weight = doubled(p.x.ref); // constant
      return [p.x.mul(weight.ref).sum(), { weight }];
    })({ x });
    return { value, slope: gradient.x, weight: extra.weight };
  };
  const { value, slope, weight } = (await evaluate(step, float64([2], [3, 5]))) as never;
  expect(numbers(value)).toEqual([68]);
  expect(numbers(slope)).toEqual([6, 10]);
  expect(numbers(weight)).toEqual([6, 10]);
});
