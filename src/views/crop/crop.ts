import type { RandomStream } from "../../core/random.ts";

/** Width and height in pixels. */
export type Size = { readonly width: number; readonly height: number };

/** Pixels x … x + width − 1 and y … y + height − 1, from the top left. */
export type Rectangle = { x: number; y: number; width: number; height: number };

/** An object's place in its image, as shares of the image's width and height in [0, 1]. */
export type Box = { left: number; top: number; right: number; bottom: number };

/** A box as options write it. */
export type BoxSides = readonly [left: number, top: number, right: number, bottom: number];

/** Ranges a crop is drawn from: area as a share of the image, width over height. */
export type CropRanges = { scale: readonly [number, number]; ratio: readonly [number, number] };

/** Everything a crop policy may look at; `ViewOptions` says what the numbers mean. */
export type CropOptions = CropRanges & {
  alpha: number;
  exact: boolean;
  box?: BoxSides | undefined;
};

/** Draws which part of an image is resized to the view. A policy may look at the object's box. */
export type CropPolicy<O = CropOptions> = (
  options: O,
  stream: RandomStream,
  source: Size,
  box?: Box,
) => Rectangle;

/** What the size of a crop is drawn as: share of the image's area, logarithm of width over height. */
export type SizeDraw = readonly [share: number, logRatio: number];

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

/** Ten draws of a crop's size, made as they are asked for. */
export function* sizeDraws({ scale, ratio }: CropRanges, stream: RandomStream) {
  for (let attempt = 0; attempt < 10; attempt++) {
    const share = stream.uniform(scale[0], scale[1]);
    yield [share, stream.uniform(Math.log(ratio[0]), Math.log(ratio[1]))] as const;
  }
}

/** The first draw whose size fits into the image, and which one it was; undefined where none does. */
export function firstFit(
  { width: W, height: H }: Size,
  draws: Iterable<SizeDraw>,
): (Size & { attempt: number }) | undefined {
  let attempt = 0;
  for (const [share, logRatio] of draws) {
    const area = W * H * share;
    const shape = Math.exp(logRatio);
    const width = roundHalfToEven(Math.sqrt(area * shape));
    const height = roundHalfToEven(Math.sqrt(area / shape));
    if (width >= 1 && width <= W && height >= 1 && height <= H) return { width, height, attempt };
    attempt++;
  }
  return undefined;
}

/** The largest centred rectangle whose width over height is in range. */
export function largestInRange(source: Size, ratio: CropRanges["ratio"]): Rectangle {
  const { width: W, height: H } = source;
  if (W / H < ratio[0])
    return centred(source, W, Math.min(H, Math.max(1, roundHalfToEven(W / ratio[0]))));
  if (W / H > ratio[1])
    return centred(source, Math.min(W, Math.max(1, roundHalfToEven(H * ratio[1]))), H);
  return centred(source, W, H);
}

/**
 * A rectangle of random area and shape at a random place, torchvision's `RandomResizedCrop`: ten tries,
 * then the largest centred rectangle whose shape is in range.
 */
export const random: CropPolicy<CropRanges> = (options, stream, source) => {
  const fitted = firstFit(source, sizeDraws(options, stream));
  if (fitted === undefined) return largestInRange(source, options.ratio);
  const { width, height } = fitted;
  const y = stream.integer(source.height - height + 1);
  const x = stream.integer(source.width - width + 1);
  return { x, y, width, height };
};

/** The largest centred square; draws nothing. */
export const centre: CropPolicy<unknown> = (_options, _stream, source) => {
  const side = Math.min(source.width, source.height);
  return centred(source, side, side);
};
