import { ShapeError } from "../../core/errors.ts";
import type { PixelImage } from "../../core/pixels.ts";
import { createCanvas } from "./canvas.ts";
import { greyAfter, jitterColours, UNCHANGED } from "./colour.ts";
import type { Normalisation } from "./colour.ts";
import type { Rectangle } from "../crop/crop.ts";
import type { ViewParameters } from "../parameters.ts";
import { type Interpolation, placement } from "./resize.ts";

/** What rendering needs beside the parameters: the view's side in pixels, the normalisation, and how to resize. */
export type RenderOptions = Normalisation & {
  readonly size: number;
  readonly interpolation?: Interpolation | undefined; // bilinear unless given
};

/** Writes a view's pixels to `out` from `offset` on: planes of red, green, blue. */
export type Renderer = (
  image: PixelImage,
  parameters: ViewParameters,
  out: Float32Array, // [3, size, size] from `offset`
  offset?: number,
) => void;

function checkImage(image: PixelImage, crop: Rectangle): void {
  const { width, height, data } = image;
  if (data.length < width * height * 3) {
    throw new ShapeError(
      `renderView: image has ${data.length} bytes, expected ${width * height * 3} for ${width} × ${height} pixels`,
    );
  }
  const { x, y } = crop;
  const inside =
    [x, y, crop.width, crop.height].every(Number.isInteger) &&
    x >= 0 &&
    y >= 0 &&
    crop.width >= 1 &&
    crop.height >= 1 &&
    x + crop.width <= width &&
    y + crop.height <= height;
  if (!inside) {
    throw new ShapeError(
      `renderView: crop ${crop.width} × ${crop.height} at (${x}, ${y}) does not lie in the image of ${width} × ${height} pixels`,
    );
  }
}

function erase(out: Float32Array, offset: number, size: number, hole: Rectangle): void {
  for (let plane = 0; plane < 3; plane++) {
    for (let y = hole.y; y < hole.y + hole.height; y++) {
      const start = offset + (plane * size + y) * size + hole.x;
      out.fill(0, start, start + hole.width);
    }
  }
}

/**
 * A function that renders views of one size, with working memory of its own: nothing is allocated per
 * view. What it writes depends on the pixels and the parameters alone.
 */
export function createRenderer(options: RenderOptions): Renderer {
  const { size } = options;
  const canvas = createCanvas(size, options.interpolation);
  return (image, parameters, out, offset = 0) => {
    const { crop, flip, verticalFlip, rotation } = parameters;
    checkImage(image, crop);
    const quarters = rotation % 90 === 0 ? (((rotation / 90) % 4) + 4) % 4 : 0;
    canvas.draw(image, crop, placement(size, flip, verticalFlip, quarters));
    if (rotation % 90 !== 0) canvas.rotate(rotation);
    let pending = jitterColours(canvas, parameters.jitter);
    if (parameters.grey) pending = greyAfter(pending);
    // a weighted mean of pixels: the same before what is pending as after it
    if (parameters.blur !== null) canvas.blur(parameters.blur);
    if (parameters.solarise !== null) {
      if (pending !== UNCHANGED) canvas.settle(pending);
      canvas.solarise(parameters.solarise);
      pending = UNCHANGED;
    }
    canvas.write(out, offset, pending, options);
    if (parameters.cutout !== null) erase(out, offset, size, parameters.cutout);
  };
}

/**
 * Renders one view: crop and resize, mirror, turn, colour jitter, grey, blur, solarise, normalise,
 * cutout (which leaves 0, the mean colour). Pure in pixels and parameters. `out` is [3, size, size].
 */
export function renderView(
  image: PixelImage,
  parameters: ViewParameters,
  options: RenderOptions,
  out: Float32Array = new Float32Array(3 * options.size * options.size),
): Float32Array {
  createRenderer(options)(image, parameters, out);
  return out;
}
