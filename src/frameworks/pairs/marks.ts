import { numpy as np } from "@jax-js/jax";

import type { Marks } from "../../core/pairs.ts";
import type { ArrayRecord } from "../../core/trees.ts";

/** What a batch says of the images behind its views, a second reference to each: [V·B]. */
export const marksOf = ({ ids, groups, labels }: ArrayRecord): Marks => ({
  ids: ids.ref,
  groups: groups.ref,
  labels: labels.ref,
});

/** The first `count` rows. The marks are lent. */
export const sliceMarks = (marks: Marks, count: number, from = 0): Marks => ({
  ids: marks.ids.ref.slice([from, from + count]),
  groups: marks.groups.ref.slice([from, from + count]),
  labels: marks.labels.ref.slice([from, from + count]),
});

/** Marks one after the other. Consumes both. */
export const joinMarks = (a: Marks, b: Marks): Marks => ({
  ids: np.concatenate([a.ids, b.ids], 0),
  groups: np.concatenate([a.groups, b.groups], 0),
  labels: np.concatenate([a.labels, b.labels], 0),
});

/** Marks of `count` columns that stand for another image in every row. */
export const unmarked = (count: number): Marks => {
  const nobody = np.zeros([count], { dtype: np.int32 }).sub(1); // [count]
  return { ids: nobody.ref, groups: nobody.ref, labels: nobody };
};
