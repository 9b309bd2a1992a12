import type { PixelImage } from "../core/pixels.ts";
import { drawImageViews } from "./imageViews.ts";
import type { ViewParameters } from "./parameters.ts";
import type { ViewPolicy } from "./policy.ts";
import { createRenderer } from "./draw/render.ts";

/** A view as a picture, with how it was made. */
export type PreviewedView = { image: PixelImage; parameters: ViewParameters };

/** Bytes of an image [size, size, 3] from a view's planes [3, size, size] in [0, 1]. */
function toBytes(planes: Float32Array, size: number): PixelImage {
  const n = size * size;
  const data = Uint8Array.from({ length: 3 * n }, (_, i) => {
    const value = planes[(i % 3) * n + Math.floor(i / 3)];
    return Math.max(0, Math.min(255, Math.round(255 * value)));
  });
  return { width: size, height: size, channels: 3, data };
}

/** A renderer of views as pictures. */
export function picturesOf({ size, mean }: Pick<ViewPolicy, "size" | "mean">) {
  const render = createRenderer({ size, mean: [0, 0, 0], std: [1, 1, 1] });
  const planes = new Float32Array(3 * size * size);
  return (image: PixelImage, parameters: ViewParameters): PixelImage => {
    render(image, { ...parameters, cutout: null }, planes);
    if (parameters.cutout !== null) fill(planes, size, parameters.cutout, mean);
    return toBytes(planes, size);
  };
}

/**
 * The first `count` views that a policy makes of an image, as pictures: views of epoch 0, then of epoch
 * 1 and so on, as image 0 of a dataset would have them.
 */
export function previewViews(
  image: PixelImage,
  policy: ViewPolicy,
  seed: number,
  count: number,
): PreviewedView[] {
  const pictureOf = picturesOf(policy);
  return Array.from({ length: count }, (_, i) => {
    const place = { seed, epoch: Math.floor(i / policy.count), image: 0 };
    const parameters = drawImageViews(policy, place, image)[i % policy.count];
    return { image: pictureOf(image, parameters), parameters };
  });
}

function fill(
  planes: Float32Array,
  size: number,
  hole: { x: number; y: number; width: number; height: number },
  colour: readonly number[],
): void {
  colour.forEach((value, plane) => {
    for (let y = hole.y; y < hole.y + hole.height; y++) {
      const start = (plane * size + y) * size + hole.x;
      planes.fill(value, start, start + hole.width);
    }
  });
}
