import type { PixelImage } from "../../../core/pixels.ts";
import { resizeImage } from "../../pixels/encodeImage.ts";
import type { Window } from "./areaTable.ts";
import type { Pair } from "./prove.ts";
import { type Turn, turnBack } from "./turns.ts";

const LONGER = 240; // pixels of the longer side at most: packed photos mostly stay as they are
const AMPLIFIED = 4; // times the difference in grey levels
const MIDDLE = 128;
const GAP = 6; // pixels between pictures
const GROUND = 244; // grey level there

/** The pixels of a window of an image. */
function cut({ width, height, data }: PixelImage, [l, t, r, b]: Window): PixelImage {
  const [left, top] = [Math.round(l * width), Math.round(t * height)];
  const wide = Math.max(1, Math.round(r * width) - left);
  const high = Math.max(1, Math.round(b * height) - top);
  const pixels = new Uint8Array(3 * wide * high);
  for (let y = 0; y < high; y++) {
    const from = 3 * ((top + y) * width + left);
    pixels.set(data.subarray(from, from + 3 * wide), 3 * y * wide);
  }
  return { width: wide, height: high, channels: 3, data: pixels };
}

function turnImage(image: PixelImage, turn: Turn): PixelImage {
  if (turn === 0) return image;
  const swapped = (turn & 4) !== 0;
  const [width, height] = swapped ? [image.height, image.width] : [image.width, image.height];
  const data = new Uint8Array(image.data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, row] = swapped ? [y, x] : [x, y];
      const fromX = (turn & 1) === 0 ? column : image.width - 1 - column;
      const fromY = (turn & 2) === 0 ? row : image.height - 1 - row;
      for (let c = 0; c < 3; c++) {
        data[3 * (y * width + x) + c] = image.data[3 * (fromY * image.width + fromX) + c];
      }
    }
  }
  return { width, height, channels: 3, data };
}

/** Grey levels less their mean, and their spread. */
function evened({ data }: PixelImage): { values: Float32Array; spread: number } {
  const values = new Float32Array(data.length / 3);
  let [sum, squares] = [0, 0];
  for (let i = 0, at = 0; i < values.length; i++, at += 3) {
    values[i] = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
    sum += values[i];
  }
  const mean = sum / values.length;
  for (let i = 0; i < values.length; i++) {
    values[i] -= mean;
    squares += values[i] * values[i];
  }
  return { values, spread: Math.max(1, Math.sqrt(squares / values.length)) };
}

/** Puts pictures of one size beside each other. */
function beside(pictures: readonly PixelImage[]): PixelImage {
  const [{ width, height }] = pictures;
  const step = width + GAP;
  const all = step * pictures.length - GAP;
  const data = new Uint8Array(3 * all * height).fill(GROUND);
  for (const [i, { data: pixels }] of pictures.entries()) {
    for (let y = 0; y < height; y++) {
      const line = pixels.subarray(3 * y * width, 3 * (y + 1) * width);
      data.set(line, 3 * (y * all + i * step));
    }
  }
  return { width: all, height, channels: 3, data };
}

function subtract(kept: PixelImage, copy: PixelImage): PixelImage {
  const [ours, theirs] = [evened(kept), evened(copy)];
  const scale = ours.spread / theirs.spread;
  const data = new Uint8ClampedArray(kept.data.length); // rounds
  for (let i = 0, at = 0; i < ours.values.length; i++, at += 3) {
    const grey = MIDDLE + AMPLIFIED * (theirs.values[i] * scale - ours.values[i]);
    data[at] = data[at + 1] = data[at + 2] = grey;
  }
  return { ...kept, data: new Uint8Array(data.buffer) };
}

const resized = (image: PixelImage, width: number, height: number) =>
  image.width === width && image.height === height ? image : resizeImage(image, width, height);

/**
 * Shows what a copy changed, three pictures beside each other: the kept one, the copy laid on it, turned and cut as it, and
 * their difference four times as strong, grey where they are the same once brightness and contrast are evened.
 */
export async function differenceOf(
  read: (image: number) => PixelImage,
  { a, b, overlay }: Pair,
  keptNumber: number,
): Promise<PixelImage> {
  const first = cut(read(a), overlay.ours);
  const second = turnImage(cut(read(b), overlay.theirs), turnBack(overlay.turn));
  const scale = Math.min(1, LONGER / Math.max(first.width, first.height));
  const [width, height] = [first.width, first.height].map((x) =>
    Math.max(1, Math.round(scale * x)),
  );
  const sized = [
    await resized(first, width, height),
    await resized(second, width, height),
  ] as const;
  const [kept, copy] = a === keptNumber ? sized : [sized[1], sized[0]];
  return beside([kept, copy, subtract(kept, copy)]);
}
