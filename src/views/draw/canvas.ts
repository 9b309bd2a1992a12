import type { PixelImage } from "../../core/pixels.ts";
import { gaussianHalf } from "./blur.ts";
import {
  type Colours,
  GREY_WEIGHTS,
  type Normalisation,
  type Pending,
  UNCHANGED,
} from "./colour.ts";
import type { Rectangle } from "../crop/crop.ts";
import { type Kernels, openKernels } from "./kernels.ts";
import { type Interpolation, type Placement, resampling, type Weights } from "./resize.ts";
import { rotatePlane } from "./rotate.ts";

/** A picture of size × size RGB in [0, 1] that is changed in place. */
export type Canvas = Colours & {
  /** Crops and resizes an image, the crop alone being looked at, as torchvision's `resized_crop(antialias=True)`. */
  draw(image: PixelImage, crop: Rectangle, placement: Placement): void;
  /** Turns it about its middle, counter-clockwise by `degrees`, bilinear; what comes from outside is black. */
  rotate(degrees: number): void;
  /** Inverts values from `threshold` up. */
  solarise(threshold: number): void;
  /** Gaussian blur; edges are mirrored without repeating the edge pixel. `sigma` and `radius` in pixels. */
  blur(options: { sigma: number; radius: number }): void;
  /** Writes planes [3, size, size], after what is pending, normalised, to `out` from `offset` on. */
  write(out: Float32Array, offset: number, pending: Pending, normalisation: Normalisation): void;
};

const aligned = (bytes: number) => Math.ceil(bytes / 16) * 16;

/**
 * Where things lie in the memory of the kernels, in bytes: the planes of the picture from 0 on, three planes for what
 * is made of it, then scratch.
 */
type Sheet = {
  kernels: Kernels;
  interpolation: Interpolation;
  size: number; // pixels, side
  count: number; // pixels
  plane: number;
  made: number;
  scratch: number;
};

function openSheet(size: number, interpolation: Interpolation): Sheet {
  const count = size * size;
  const plane = aligned(4 * count);
  const [made, scratch] = [3 * plane, 6 * plane];
  return { kernels: openKernels(scratch + 4096), interpolation, size, count, plane, made, scratch };
}

/** Writes the tables of one direction; returns where the weights are and where there is room behind. */
function writeTable({ kernels }: Sheet, at: number, { first, weight }: Weights) {
  kernels.ints().set(first, at / 4);
  const weights = at + 4 * first.length;
  kernels.floats().set(weight, weights / 4);
  return { weights, end: aligned(weights + 4 * weight.length) };
}

function drawOn(sheet: Sheet, image: PixelImage, crop: Rectangle, placement: Placement): void {
  const { kernels, interpolation, size, plane, scratch } = sheet;
  const [across, down] = [crop.width, crop.height].map((length) =>
    resampling(length, size, interpolation),
  );
  const [stride, width] = [image.width * 3, crop.width * 3];
  const bytes = (crop.height - 1) * stride + width;
  const tables = 8 * size + 4 * (across.weight.length + down.weight.length);
  kernels.reserve(scratch + tables + 4 * width + bytes + 128);
  const downAt = writeTable(sheet, scratch, down);
  const acrossAt = writeTable(sheet, downAt.end, across);
  const row = acrossAt.end;
  const data = row + aligned(4 * width + 64);
  const start = crop.y * stride + crop.x * 3;
  kernels.bytes().set(image.data.subarray(start, start + bytes), data);
  kernels.resize(
    ...[data, stride, width, row, size],
    ...[scratch, downAt.weights, down.taps, downAt.end, acrossAt.weights, across.taps],
    ...[4 * placement.base, 4 * placement.stepX, 4 * placement.stepY, plane],
  );
  // the other bells go below 0: values beside an edge leave [0, 1]
  if (interpolation !== "bilinear") kernels.settle(0, plane, UNCHANGED.scale, UNCHANGED.share, 0);
}

function rotateOn({ kernels, size, count, plane, made }: Sheet, degrees: number): void {
  const floats = kernels.floats();
  floats.copyWithin(made / 4, 0, (3 * plane) / 4);
  for (let c = 0; c < 3; c++) {
    const to = (c * plane) / 4;
    const from = made / 4 + to;
    const [before, after] = [from, to].map((at) => floats.subarray(at, at + count));
    rotatePlane(before, after, size, degrees);
  }
}

function blurOn(sheet: Sheet, { sigma, radius }: { sigma: number; radius: number }): void {
  const { kernels, size, plane, scratch } = sheet;
  const half = gaussianHalf(sigma, radius);
  const line = scratch + aligned(4 * half.length);
  const between = line + aligned(4 * (size + 2 * radius + 4));
  kernels.reserve(between + 4 * (size * (size + 2 * radius) + 4));
  kernels.floats().set(half, scratch / 4);
  for (let c = 0; c < 3; c++) kernels.blur(c * plane, size, scratch, radius, line, between);
}

/** Numbers that make an output of each plane: factors of the value and of grey, and what is added. */
const constantsOf = ({ scale, share, offset }: Pending, { mean, std }: Normalisation): number[] =>
  std.flatMap((deviation, c) => [
    scale / deviation,
    share / deviation,
    (offset - mean[c]) / deviation,
  ]);

function writeFrom(sheet: Sheet, constants: number[], out: Float32Array, offset: number): void {
  const { kernels, count, plane, made, scratch } = sheet;
  kernels.floats().set(constants, scratch / 4);
  kernels.normalise(0, plane, made, scratch);
  for (let c = 0; c < 3; c++) {
    const at = (made + c * plane) / 4;
    out.set(kernels.floats().subarray(at, at + count), offset + c * count);
  }
}

/** A canvas with memory of its own: none is taken anew for each picture, unless one is larger than all before. */
export function createCanvas(size: number, interpolation: Interpolation = "bilinear"): Canvas {
  const sheet = openSheet(size, interpolation);
  const { kernels, count, plane } = sheet;
  return {
    draw: (image, crop, placement) => drawOn(sheet, image, crop, placement),
    rotate: (degrees) => rotateOn(sheet, degrees),
    settle: ({ scale, share, offset }) => kernels.settle(0, plane, scale, share, offset),
    meanGrey() {
      const sums = GREY_WEIGHTS.map((weight, c) => weight * kernels.sum(c * plane, 4 * count));
      return (sums[0] + sums[1] + sums[2]) / count;
    },
    turnHue: (shift) => kernels.turnHue(0, plane, (shift - Math.floor(shift)) * 6),
    solarise: (threshold) => kernels.solarise(0, 3 * plane, threshold),
    blur: (options) => blurOn(sheet, options),
    write: (out, offset, pending, normalisation) =>
      writeFrom(sheet, constantsOf(pending, normalisation), out, offset),
  };
}
