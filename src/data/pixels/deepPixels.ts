import type { Sharp } from "sharp";

import { DataError } from "../../core/errors.ts";
import { rangeFor } from "./ranges.ts";
import type { Extent, PixelRange } from "./ranges.ts";

const arrays = {
  char: Int8Array,
  short: Int16Array,
  ushort: Uint16Array,
  int: Int32Array,
  uint: Uint32Array,
  float: Float32Array,
};

/** How a file holds pixels of more than 8 bits, as libvips names it. */
export type Depth = keyof typeof arrays;

/** What the pixels of a deep image are, and how they were shown. */
export type DeepFacts = {
  readonly depth: Depth;
  readonly low: number; // least value of a visible pixel
  readonly high: number; // largest
  readonly shown: readonly [low: number, high: number]; // black and white
  readonly noValue?: number; // numbers that are not finite, shown black
  readonly fewLevels?: true; // nearly all of it lies within a few grey levels of the range
};

const LARGEST = 1e30; // what is further from 0 stands for "no value", as in maps of heights

const RAISED = 32768;
const FEW = 16; // levels
const greyOrRgb = ["b-w", "grey16", "rgb", "rgb16", "srgb", "scrgb", "multiband"];

/** Whether pixels are numbers of more than 8 bits (or signed) whose range is not that of their type. */
export const isDeep = (kind: string, depth: string, space: string): depth is Depth =>
  ["png", "tiff"].includes(kind) && depth in arrays && greyOrRgb.includes(space);

type About = { readonly depth: Depth; readonly space: string; readonly hasAlpha: boolean };

type Layout = { readonly channels: number; readonly hasAlpha: boolean };

const isValue = (value: number) => Math.abs(value) < LARGEST; // false for NaN

function measure(values: ArrayLike<number>, { channels, hasAlpha }: Layout) {
  const colours = hasAlpha ? channels - 1 : channels;
  let [low, high, noValue, opaque] = [Infinity, -Infinity, 0, 0];
  for (let at = 0; at < values.length; at += channels) {
    if (hasAlpha) opaque = Math.max(opaque, values[at + colours]);
    if (hasAlpha && values[at + colours] === 0) continue;
    for (let c = 0; c < colours; c++) {
      const value = values[at + c];
      if (!isValue(value)) noValue++;
      else if (value < low) [low, high] = [value, Math.max(high, value)];
      else if (value > high) high = value;
    }
  }
  return { low, high, noValue, opaque };
}

/** Bytes [pixels, 3], or [pixels, 4] with alpha, of values [pixels, channels]. */
function scaled(
  values: ArrayLike<number>,
  { channels, hasAlpha }: Layout,
  { low, high }: PixelRange,
  opaque: number,
): Uint8Array {
  const colours = hasAlpha ? channels - 1 : channels;
  const [to, pixels] = [hasAlpha ? 4 : 3, values.length / channels];
  const bytes = new Uint8ClampedArray(to * pixels); // rounds, and cuts off what is beyond
  const scale = 255 / (high - low);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      const value = values[i * channels + (colours === 3 ? c : 0)];
      bytes[i * to + c] = isValue(value) ? (value - low) * scale : 0;
    }
    if (hasAlpha) bytes[4 * i + 3] = (values[i * channels + colours] * 255) / opaque;
  }
  return new Uint8Array(bytes.buffer);
}

/** Whether 98 of 100 bytes lie within few of the 256 levels, though the numbers hold more. */
function isPoor(bytes: Uint8Array, { low, high }: Extent, depth: Depth): boolean {
  if (depth !== "float" && high - low < 2 * FEW) return false;
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte]++;
  const level = (share: number) => {
    let sum = 0;
    return counts.findIndex((count) => (sum += count) >= share * bytes.length);
  };
  return low < high && level(0.99) - level(0.01) < FEW;
}

/** The numbers of an image, [height, width, channels]. */
async function readNumbers(upright: Sharp, { depth, space, hasAlpha }: About) {
  const signed = depth === "short"; // which the decoder cuts off at 0, so they are raised before
  if (signed && hasAlpha) throw new DataError("signed numbers with transparency are not supported");
  if (signed) upright.linear(1, RAISED);
  const read = signed ? "ushort" : depth;
  const { data, info } = await upright
    .toColourspace(space)
    .raw({ depth: read })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const values = new arrays[read](data.buffer, data.byteOffset, width * height * channels);
  return { values: signed ? Int16Array.from(values, (value) => value - RAISED) : values, ...info };
}

/** What an opaque pixel has as alpha: the least of the usual largest values that holds the most opaque one. */
const opaqueValue = (opaque: number, depth: Depth) =>
  opaque === 0 ? 1 : rangeFor({ depth, low: 0, high: opaque }, []).high;

/**
 * Reads an image of deep pixels whole and shows it by the range that `ranges` have for it.
 *
 * @param upright the image, turned
 * @returns bytes [height, width, 3], or [height, width, 4] where it has alpha
 */
export async function readDeep(upright: Sharp, about: About, ranges: readonly PixelRange[]) {
  const { depth, hasAlpha } = about;
  const { values, width, height, channels } = await readNumbers(upright, about);
  const layout = { channels, hasAlpha };
  const { low, high, noValue, opaque } = measure(values, layout);
  if (low > high && noValue > 0) throw new DataError("none of its pixels has a finite value");
  const extent = low > high ? { depth, low: 0, high: 0 } : { depth, low, high }; // wholly transparent
  const range = rangeFor(extent, ranges);
  const data = scaled(values, layout, range, opaqueValue(opaque, depth));
  const facts: DeepFacts = {
    ...extent,
    shown: [range.low, range.high],
    ...(noValue === 0 ? {} : { noValue }),
    ...(isPoor(data, extent, depth) ? { fewLevels: true } : {}),
  };
  return { data, width, height, facts };
}
