import { numpy as np } from "@jax-js/jax";

import { constantLike } from "../../core/constantLike.ts";
import type { Pairs, Term } from "../../core/pairs.ts";
import { atOwnViews } from "./ownViewValues.ts";
import type { Scene } from "../sampler.ts";
import type { SortViewsOptions } from "./sortViewsOptions.ts";

/** Terms of a mode. `demoted`, `weights` [N, W]. Lent: `ownViews`; consumes the rest. */
export function viewTerms(
  ownViews: Scene["ownViews"],
  pairs: Pairs,
  { demoted, weights }: { demoted: np.Array; weights: np.Array },
  { mode, alpha, rankTemperature }: Pick<SortViewsOptions, "mode" | "alpha" | "rankTemperature">,
): Term[] {
  const { positive, negative } = pairs;
  if (mode === "keep") return [{ pairs }];
  if (mode === "soft") {
    const factor = atOwnViews(ownViews, weights.sub(1)).add(1); // [N, M]
    return [{ pairs: { positive: positive.mul(factor), negative } }];
  }
  const low = positive.ref.mul(atOwnViews(ownViews, demoted.ref)); // [N, M]
  const kept = positive.ref.sub(low.ref); // [N, M]
  if (mode === "drop") return [{ pairs: { positive: kept, negative } }];
  if (mode === "negative") {
    const pushed = low.ref.mul(constantLike(low, alpha)); // [N, M]
    return [{ pairs: { positive: kept, negative: negative.add(pushed) } }];
  }
  const split = demoted.sum(-1).greater(0); // [N]
  return [
    {
      pairs: { positive: kept, negative: negative.ref.add(low) },
      weight: np.where(split.ref, constantLike(kept, 0.5), constantLike(kept, 1)), // [N]
    },
    {
      pairs: { positive, negative },
      weight: np.where(split, constantLike(kept, 0.5), constantLike(kept, 0)), // [N]
      temperature: rankTemperature,
      denominator: "own",
    },
  ];
}
