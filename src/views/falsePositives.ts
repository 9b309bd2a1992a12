import { randomStream } from "../core/random.ts";
import type { ViewPolicy } from "./policy.ts";

/** Names one image in one epoch of a run. */
export type ImagePlace = {
  readonly seed: number;
  readonly epoch: number;
  readonly image: number;
};

/**
 * The other image that a view is made of, as a known false positive; undefined where the view is of its
 * own image, as view 0 always is. Every other of `count` images is equally likely.
 */
export function otherImage(
  { falsePositives }: Pick<ViewPolicy, "falsePositives">,
  { seed, epoch, image }: ImagePlace,
  view: number,
  count: number,
): number | undefined {
  if (!(falsePositives > 0) || view === 0 || count < 2) return undefined;
  const stream = randomStream(seed, "falsePositives", epoch, image, view);
  if (!stream.chance(falsePositives)) return undefined;
  const other = stream.integer(count - 1);
  return other < image ? other : other + 1;
}
