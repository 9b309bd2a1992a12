import { randomStream } from "../core/random.ts";
import type { Box, Size } from "./crop.ts";
import { drawViewParameters } from "./parameters.ts";
import type { ViewParameters } from "./parameters.ts";
import { transformsOf } from "./policy.ts";
import type { ViewPolicy } from "./policy.ts";

/**
 * Draws the parameters of all views of one image in one epoch. View v has the stream named
 * (seed, "views", epoch, image, v): nothing else that is drawn, where or when, changes it.
 */
export function drawImageViews(
  policy: ViewPolicy,
  place: { seed: number; epoch: number; image: number },
  source: Size,
  box?: Box,
): ViewParameters[] {
  const views: ViewParameters[] = [];
  for (let view = 0; view < policy.count; view++) {
    const stream = randomStream(place.seed, "views", place.epoch, place.image, view);
    const wish = policy.perView[view]?.share;
    const share =
      wish === undefined ? undefined : { from: views[wish.from], transforms: wish.transforms };
    const transforms = { ...transformsOf(policy, view), size: policy.size };
    views.push(drawViewParameters(transforms, stream, source, { box, share }));
  }
  return views;
}
