import { createRenderer, drawImageViews, type ViewPolicy } from "../views/index.ts";
import type { ImageSource, ReadyRows } from "./embedder.ts";

/**
 * Two views of each of some images as rows of an encoder: rows 2i and 2i + 1 show image `indices[i]`,
 * augmented as in training, drawn from the seed.
 */
export function viewPairRows(
  images: ImageSource,
  policy: ViewPolicy,
  seed: number,
  indices: ArrayLike<number>,
): ReadyRows {
  const two = { ...policy, count: 2 };
  const render = createRenderer(two);
  return {
    count: 2 * indices.length,
    fill(row, out, offset) {
      const index = indices[row >> 1];
      const image = images.image(index);
      const views = drawImageViews(two, { seed, epoch: 0, image: index }, image);
      render(image, views[row & 1], out, offset);
    },
  };
}
