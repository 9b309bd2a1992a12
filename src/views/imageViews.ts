import { randomStream } from "../core/random.ts";
import type { Box, Size } from "./crop/crop.ts";
import type { ImagePlace } from "./falsePositives.ts";
import { drawViewParameters } from "./parameters.ts";
import type { ViewContext, ViewParameters } from "./parameters.ts";
import { transformsOf } from "./policy.ts";
import type { ViewPolicy } from "./policy.ts";

/** An image that is shown in place of another. */
export type OtherImage = { id: number; size: Size; box?: Box | undefined };

/** What the views of an image may depend on beside policy and chance. */
export type ImageContext = {
  /** Object box of the image, for crop policies that look at one. */
  box?: Box | undefined;
  /** The other image that a view is made of; undefined where it is of its own. */
  other?: (view: number) => OtherImage | undefined;
};

/** What view `view` takes over: no crop from a view of another image, in which it may not even lie. */
function sharedWith(
  policy: ViewPolicy,
  view: number,
  views: readonly ViewParameters[],
  source: number | undefined,
): ViewContext["share"] {
  const wish = policy.perView[view]?.share;
  if (wish === undefined) return undefined;
  const from = views[wish.from];
  if (from.source === source) return { from, transforms: wish.transforms };
  return { from, transforms: wish.transforms.filter((name) => name !== "crop") };
}

/**
 * Draws the parameters of all views of one image in one epoch. View v has the stream named
 * (seed, "views", epoch, image, v): nothing else that is drawn, where or when, changes it.
 */
export function drawImageViews(
  policy: ViewPolicy,
  place: ImagePlace,
  source: Size,
  { box, other }: ImageContext = {},
): ViewParameters[] {
  const views: ViewParameters[] = [];
  for (let view = 0; view < policy.count; view++) {
    const stream = randomStream(place.seed, "views", place.epoch, place.image, view);
    const instead = other?.(view);
    const transforms = { ...transformsOf(policy, view), size: policy.size };
    const share = sharedWith(policy, view, views, instead?.id);
    const shown = instead ?? { size: source, box };
    const drawn = drawViewParameters(transforms, stream, shown.size, { box: shown.box, share });
    views.push(instead === undefined ? drawn : { ...drawn, source: instead.id });
  }
  return views;
}
