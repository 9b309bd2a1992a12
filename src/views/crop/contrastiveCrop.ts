import type { Box, CropOptions, CropPolicy, Rectangle, Size, SizeDraw } from "./crop.ts";
import { firstFit, largestInRange, random, sizeDraws } from "./crop.ts";
import { drawBeta } from "./beta.ts";

/** First and last row and column, in pixels, at which a crop may start. */
export type StartRange = { top: [number, number]; left: [number, number] };

/** Everything that a contrastive crop follows from. */
export type ContrastiveDraws = Size & {
  readonly box: Box;
  readonly ratio: readonly [number, number];
  readonly attempts: Iterable<SizeDraw>;
  readonly centre: readonly [down: number, across: number]; // draws from Beta(α, α), in [0, 1]
  readonly exact: boolean;
};

/** A crop, which attempt gave its size (−1: none fitted), and where it might have started. */
export type ContrastiveCrop = {
  readonly attempt: number;
  readonly range: StartRange | null;
  readonly crop: Rectangle;
};

/** Starts of a span of `side` pixels in `length` whose middle lies between two shares of the length. */
function starts(length: number, side: number, from: number, to: number): [number, number] {
  const start = (share: number) => {
    const at = Math.trunc(length * share) - Math.floor(side / 2);
    return Math.max(0, Math.min(length - side, at));
  };
  return [start(from), start(to)];
}

/** Where a crop of a size may start for its centre to lie in a box, as far as it stays in the image. */
export function startRange(source: Size, crop: Size, box: Box): StartRange {
  return {
    top: starts(source.height, crop.height, box.top, box.bottom),
    left: starts(source.width, crop.width, box.left, box.right),
  };
}

function place([first, last]: [number, number], draw: number, exact: boolean): number {
  if (!exact) return first + Math.trunc((last - first) * draw);
  return first + Math.min(Math.floor((last - first + 1) * draw), last - first);
}

function placed(
  { width, height }: Size,
  { top, left }: StartRange,
  [down, across]: ContrastiveDraws["centre"],
  exact: boolean,
): Rectangle {
  return { x: place(left, across, exact), y: place(top, down, exact), width, height };
}

/**
 * The crop that follows from given draws: the first size that fits, its centre within the box. Where none
 * fits, the largest centred rectangle whose shape is in range, whatever the box.
 *
 * `exact` reaches every start in the range, as torchvision's crop does; without it the last one is
 * reached by a draw of 1 only, as in the published program. Peng et al. 2022, arXiv 2202.03278.
 */
export function contrastiveCrop(draws: ContrastiveDraws): ContrastiveCrop {
  const { box, ratio, attempts, centre, exact } = draws;
  const fitted = firstFit(draws, attempts);
  if (fitted === undefined) {
    return { attempt: -1, range: null, crop: largestInRange(draws, ratio) };
  }
  const range = startRange(draws, fitted, box);
  return { attempt: fitted.attempt, range, crop: placed(fitted, range, centre, exact) };
}

/** The box that a crop is drawn for: the fixed one of the options, or the image's. */
export function boxFor({ box }: Pick<CropOptions, "box">, ofImage: Box | undefined) {
  if (box === undefined) return ofImage;
  const [left, top, right, bottom] = box;
  return { left, top, right, bottom };
}

/**
 * A rectangle of random area and shape whose centre lies in the object's box, more often towards the
 * borders of the box the smaller α. Sizes are drawn as `random` draws them; without a box so is the place.
 */
export const contrastive: CropPolicy = (options, stream, source, ofImage) => {
  const box = boxFor(options, ofImage);
  if (box === undefined) return random(options, stream, source);
  const fitted = firstFit(source, sizeDraws(options, stream));
  if (fitted === undefined) return largestInRange(source, options.ratio);
  const { alpha, exact } = options;
  const centre = [drawBeta(stream, alpha), drawBeta(stream, alpha)] as const;
  return placed(fitted, startRange(source, fitted, box), centre, exact);
};
