import type { PackOptions } from "./packOptions.ts";
import type { StoredImage } from "./packedIndex.ts";
import { rangeFor, rangesOf } from "../pixels/ranges.ts";
import type { PixelRange } from "../pixels/ranges.ts";

/** The ranges by which deep images of a set are shown: those given, else what all of them ask for. */
export function rangesFor(
  images: readonly StoredImage[],
  { ranges }: Pick<PackOptions, "ranges">,
): readonly PixelRange[] {
  const deep = images.flatMap((image) => (image.deep === undefined ? [] : [image.deep]));
  return ranges === undefined || deep.length === 0 ? rangesOf(deep) : ranges;
}

/** Images whose deep pixels are shown by another range than that of the set, which others have changed. */
export function shownOtherwise(
  images: readonly StoredImage[],
  ranges: readonly PixelRange[],
): StoredImage[] {
  return images.filter(({ deep }) => {
    if (deep === undefined) return false;
    const { low, high } = rangeFor(deep, ranges);
    return deep.shown[0] !== low || deep.shown[1] !== high;
  });
}
