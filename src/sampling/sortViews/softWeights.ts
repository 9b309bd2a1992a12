import { numpy as np } from "@jax-js/jax";

import { constantLike } from "../../core/constantLike.ts";
import { LOWEST } from "../../core/numerics.ts";
import { topMask } from "../../core/topMask.ts";
import type { ViewReading } from "./readViews.ts";
import type { SortViewsOptions } from "./sortViewsOptions.ts";

/** Weights [N, W] of the mode "soft": a sigmoid of the percentile, 1 for the anchor's best view. Lent. */
export function softWeights(
  { present, percentiles }: ViewReading,
  { softCentre, softTemperature }: Pick<SortViewsOptions, "softCentre" | "softTemperature">,
): np.Array {
  const constant = (value: number) => constantLike(percentiles, value);
  const steps = percentiles.ref.sub(constant(softCentre)).mul(constant(1 / softTemperature)); // [N, W]
  const weight = np.reciprocal(np.exp(np.clip(steps, -80, 80).neg()).add(1)); // [N, W]
  const best = topMask(np.where(present.ref.greater(0), percentiles.ref, LOWEST), 1); // [N, W]
  const free = best.add(np.subtract(1, present.ref)).greater(0); // [N, W]
  return np.where(free, constant(1), weight);
}
