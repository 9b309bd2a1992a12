import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { HostRecord } from "../../core/arrays.ts";
import { l2Normalize } from "../../core/numerics.ts";
import type { ArrayRecord } from "../../core/trees.ts";
import { rows } from "../adapter.ts";
import type { Machine } from "../machine.ts";
import { matrixOf } from "../nested.ts";

/** Raw embeddings of two views of n samples: [n][D] each. */
export const TwoViews = z.object({ view1: rows, view2: rows });

/** Raw embeddings of both views as variables. */
export const viewVariables = (
  { view1, view2 }: z.output<typeof TwoViews>,
  machine: Machine,
): HostRecord => ({
  view1: machine.reals(view1, "view1"),
  view2: machine.reals(view2, "view2"),
});

/** Unit rows of both views, stacked: [2n, D]. Consumes the views. */
export const stackedUnit = ({ view1, view2 }: ArrayRecord): np.Array =>
  l2Normalize(np.concatenate([view1, view2], 0));

/** Cosine of every view with every view: [2n, 2n]. Consumes the views. */
export function stackedSimilarity(views: ArrayRecord): np.Array {
  const unit = stackedUnit(views); // [2n, D]
  return np.matmul(unit.ref, unit.transpose());
}

/** Pairs of two stacked views: row (i + n) mod 2n attracts, rows of other samples repel. */
export function twoViewPairs(n: number, machine: Machine): HostRecord {
  const own = (i: number, j: number) => j === (i + n) % (2 * n);
  const other = (i: number, j: number) => i % n !== j % n;
  return {
    positive: machine.reals(matrixOf(2 * n, 2 * n, own)),
    negative: machine.reals(matrixOf(2 * n, 2 * n, other)),
  };
}

/** Positive and negative weights out of the constants of a program. */
export const pairsOf = ({ positive, negative }: ArrayRecord) => ({ positive, negative });
