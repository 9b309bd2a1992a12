import type { PixelLayout } from "../../core/pixels.ts";
import { randomStream } from "../../core/random.ts";
import { boxFor, startRange } from "./contrastiveCrop.ts";
import { firstFit, sizeDraws } from "./crop.ts";
import type { Box, CropOptions } from "./crop.ts";

/** One box an image, [count, 4]: left, top, right, bottom as shares of its width and height. */
export type Boxes = Float32Array;

/** The box of an image of which nothing is known. */
export const wholeBox: Box = { left: 0, top: 0, right: 1, bottom: 1 };

/** Boxes of so many images, each the whole image. */
export function wholeBoxes(count: number): Boxes {
  return Float32Array.from({ length: 4 * count }, (_, i) => (i % 4 < 2 ? 0 : 1));
}

/** The box of one image. */
export function boxAt(boxes: Boxes, image: number): Box {
  const [left, top, right, bottom] = boxes.subarray(4 * image, 4 * image + 4);
  return { left, top, right, bottom };
}

/** Writes the box of one image. */
export function setBox(boxes: Boxes, image: number, { left, top, right, bottom }: Box): void {
  boxes.set([left, top, right, bottom], 4 * image);
}

/** Mean area of boxes, as a share of their images. */
export function meanArea(boxes: Boxes): number {
  let sum = 0;
  for (let i = 0; i < boxes.length; i += 4) {
    sum += (boxes[i + 2] - boxes[i]) * (boxes[i + 3] - boxes[i + 1]);
  }
  return sum / (boxes.length / 4);
}

const IMAGES = 500;
const CROPS = 8; // of each

/**
 * Share of crops that a box keeps from a part of the image, by drawing some sizes for some of the images.
 *
 * A crop's centre is half a crop away from the border in any case, so a box that is not small restricts
 * nothing, whatever it leaves out.
 */
export function restrictedShare(
  boxes: Boxes,
  layout: Pick<PixelLayout, "count" | "widths" | "heights">,
  options: CropOptions,
  seed: number,
): number {
  const { count, widths, heights } = layout;
  const images = Math.min(count, IMAGES);
  let [restricted, drawn] = [0, 0];
  for (let i = 0; i < images; i++) {
    const image = Math.floor((i * count) / images);
    const source = { width: widths[image], height: heights[image] };
    const box = boxFor(options, boxAt(boxes, image)) ?? wholeBox;
    for (let crop = 0; crop < CROPS; crop++) {
      const stream = randomStream(seed, "restricted", image, crop);
      const size = firstFit(source, sizeDraws(options, stream));
      if (size === undefined) continue;
      const { top, left } = startRange(source, size, box);
      const free = startRange(source, size, wholeBox);
      const same = top.join() === free.top.join() && left.join() === free.left.join();
      restricted += same ? 0 : 1;
      drawn++;
    }
  }
  return drawn === 0 ? 0 : restricted / drawn;
}
