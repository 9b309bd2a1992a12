import { numpy as np } from "@jax-js/jax";

import { constantLike } from "../../core/constantLike.ts";
import type { ViewReading } from "./readViews.ts";

/**
 * How far own views lie from negatives: the difference of their mean cosines over the root of their mean
 * variance, d′ of signal detection, []. Lent.
 */
export function viewSeparation({ present, scores, strangers }: ViewReading): np.Array {
  const count = np.maximum(present.ref.sum(), 1); // []
  const mean = scores.ref.mul(present.ref).sum().div(count.ref); // []
  const away = scores.ref.sub(mean.ref).mul(present.ref); // [N, W]
  const own = np.square(away).sum().div(count); // []
  const others = strangers.meanSquare.ref.sub(np.square(strangers.mean.ref)); // []
  const half = constantLike(own, 0.5);
  const deviation = np.sqrt(np.maximum(own.add(others).mul(half), 1e-12)); // []
  return mean.sub(strangers.mean.ref).div(deviation);
}
