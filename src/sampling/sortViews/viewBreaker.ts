import { numpy as np } from "@jax-js/jax";

import { type HostRecord, scalar } from "../../core/arrays.ts";
import { constantLike } from "../../core/constantLike.ts";
import type { ArrayRecord } from "../../core/trees.ts";

/** Best rank since demotion began, and the steps that demotion still rests; scalars []. */
export const emptyBreaker = (): HostRecord => ({ best: scalar(0), rest: scalar(0) });

/** What a breaker goes by, scalars []. */
export type Watched = {
  /** Effective rank; 0 before it is known. */
  rank: np.Array;
  /** 1 where views would be demoted, else 0. */
  open: np.Array;
  /** Steps of an epoch. */
  epochSteps: np.Array;
  /** 1 where the kept crops overlap too much, else 0; absent where crops are not compared. */
  crowded: np.Array | undefined;
};

/**
 * Whether demotion rests in this step, `rests` [] 1 or 0. Where the rank falls by more than `rankFall` from its
 * best since demotion began, or the kept crops overlap too much, it rests for the steps of one epoch, this step
 * among them; then it begins anew. Consumes `best` and `rest` of the state, and what is watched.
 */
export function watchDemotion(
  state: ArrayRecord,
  { rank, open, epochSteps, crowded }: Watched,
  rankFall: number,
): { rests: np.Array; next: ArrayRecord } {
  const { dtype } = rank;
  const flag = (condition: np.Array) => condition.astype(dtype);
  const resting = flag(state.rest.ref.greater(0)); // []
  const best = np.maximum(state.best.astype(dtype), rank.ref.mul(open)); // []
  const fallen = flag(rank.less(best.ref.mul(constantLike(best, 1 - rankFall)))); // []
  const tripped = crowded === undefined ? fallen : np.maximum(fallen, crowded); // []
  const rests = np.maximum(resting.ref, tripped); // []
  const whole = epochSteps.astype(dtype).mul(rests.ref); // [], of a rest that starts in this step
  const left = np.where(resting.greater(0), state.rest.astype(dtype), whole); // []
  return {
    rests: rests.ref,
    next: {
      best: best.mul(np.subtract(1, rests)).astype(np.float32),
      rest: np.maximum(left.sub(1), 0).astype(np.float32),
    },
  };
}
