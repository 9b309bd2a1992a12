import { numpy as np } from "@jax-js/jax";

import { hostArray } from "../core/arrays.ts";
import type { RandomStream } from "../core/random.ts";
import type { ArrayRecord } from "../core/trees.ts";
import type { Sizes, StepInputs } from "./sampler.ts";

const WAVES = 4;
const REACH = 8; // multiples run from −8 to 8 without 0
const GRID = 2 ** 19; // WAVES · REACH · GRID = 2^24: every sum of products is exact in float32

function multiple(stream: RandomStream): number {
  const size = 1 + stream.integer(REACH);
  return stream.chance(0.5) ? size : -size;
}

/** What `uniformField` is made of: 4·(N + M) draws a step instead of N·M. */
export function fieldInputs({ anchors, candidates }: Sizes): StepInputs {
  const shapes = { multiples: [anchors, WAVES], waves: [WAVES, candidates] };
  const array = (shape: number[], draw: () => number) =>
    hostArray("float32", shape, Float32Array.from({ length: shape[0] * shape[1] }, draw));
  return {
    spec: {
      multiples: { dtype: "float32", shape: shapes.multiples },
      waves: { dtype: "float32", shape: shapes.waves },
    },
    make: ({ stream }) => ({
      multiples: array(shapes.multiples, () => multiple(stream)),
      waves: array(shapes.waves, () => stream.integer(GRID) / GRID),
    }),
  };
}

/**
 * Uniform numbers in [0, 1), [N, M] in the type of `like`: uᵢⱼ = frac(Σₖ bᵢₖ vₖⱼ) with integers bᵢₖ ≠ 0 and
 * uniform vₖⱼ.
 *
 * An integer multiple of a uniform number is uniform modulo 1, and so is a sum of such. In a row the numbers
 * are independent of each other, as those vₖⱼ are. Rows i and l are independent of each other wherever bᵢ
 * and b_l point in different directions, which fails for about one pair in 30,000. The grid of vₖⱼ makes all
 * of it exact in float32: one result on every device.
 */
export function uniformField({ multiples, waves }: ArrayRecord, like: np.Array): np.Array {
  const { dtype } = like;
  const phase = np.matmul(multiples.ref.astype(dtype), waves.ref.astype(dtype)); // [N, M]
  return phase.ref.sub(np.floor(phase)); // [N, M]
}
