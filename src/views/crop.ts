import type { RandomStream } from "../core/random.ts";

/** Width and height in pixels. */
export type Size = { readonly width: number; readonly height: number };

/** Pixels x … x + width − 1 and y … y + height − 1, from the top left. */
export type Rectangle = { x: number; y: number; width: number; height: number };

/** An object's place in its image, as shares of the image's width and height in [0, 1]. */
export type Box = { left: number; top: number; right: number; bottom: number };

/** Ranges a crop is drawn from: area as a share of the image, width over height. */
export type CropOptions = { scale: readonly [number, number]; ratio: readonly [number, number] };

/** Draws which part of an image is resized to the view. A policy may look at the object's box. */
export type CropPolicy = (
  options: CropOptions,
  stream: RandomStream,
  source: Size,
  box?: Box,
) => Rectangle;

function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function centred(source: Size, width: number, height: number): Rectangle {
  return {
    x: Math.floor((source.width - width) / 2),
    y: Math.floor((source.height - height) / 2),
    width,
    height,
  };
}

/**
 * A rectangle of random area and shape at a random place, torchvision's `RandomResizedCrop`: ten tries,
 * then the largest centred rectangle whose shape is in range.
 */
export const random: CropPolicy = ({ scale, ratio }, stream, source) => {
  const { width: W, height: H } = source;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = W * H * stream.uniform(scale[0], scale[1]);
    const shape = Math.exp(stream.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const width = roundHalfToEven(Math.sqrt(area * shape));
    const height = roundHalfToEven(Math.sqrt(area / shape));
    if (width < 1 || width > W || height < 1 || height > H) continue;
    const y = stream.integer(H - height + 1);
    const x = stream.integer(W - width + 1);
    return { x, y, width, height };
  }
  if (W / H < ratio[0])
    return centred(source, W, Math.min(H, Math.max(1, roundHalfToEven(W / ratio[0]))));
  if (W / H > ratio[1])
    return centred(source, Math.min(W, Math.max(1, roundHalfToEven(H * ratio[1]))), H);
  return centred(source, W, H);
};

/** The largest centred square; draws nothing. */
export const centre: CropPolicy = (_options, _stream, source) => {
  const side = Math.min(source.width, source.height);
  return centred(source, side, side);
};

/** Crop policies by the name a config gives them. */
export const crops: Record<"random" | "centre", CropPolicy> = { random, centre };
