import type { PixelImage } from "../core/pixels.ts";
import type { Rectangle } from "./crop.ts";

/** For each output coordinate the first input coordinate and the weights of `taps` inputs from there. */
type Weights = { taps: number; first: Int32Array; weight: Float64Array };

/** Where output pixel (x, y) is written: `base + x * stepX + y * stepY`. Mirrors and right-angle turns. */
export type Placement = { base: number; stepX: number; stepY: number };

const tables = new Map<number, Weights>(); // by input and output length: pure, so kept
const TABLES = 4096;

function makeWeights(from: number, to: number): Weights {
  const scale = from / to;
  const support = Math.max(1, scale);
  const spans = Array.from({ length: to }, (_, i) => {
    const middle = scale * (i + 0.5);
    const low = Math.max(0, Math.trunc(middle - support + 0.5));
    const high = Math.min(from, Math.trunc(middle + support + 0.5));
    const weights = Array.from({ length: high - low }, (_, j) =>
      Math.max(0, 1 - Math.abs((j + low - middle + 0.5) / support)),
    );
    return { low, weights, total: weights.reduce((sum, w) => sum + w, 0) };
  });
  const taps = Math.max(...spans.map((span) => span.weights.length));
  const first = new Int32Array(to);
  const weight = new Float64Array(to * taps);
  spans.forEach(({ low, weights, total }, i) => {
    first[i] = Math.min(low, from - taps); // a full row of taps must lie inside
    weights.forEach((w, j) => (weight[i * taps + (low - first[i]) + j] = w / total));
  });
  return { taps, first, weight };
}

/**
 * Weights of bilinear resampling of a line of `from` pixels to `to`, as torchvision's with
 * antialias=True: a triangle over one pixel, or over as many as fall into one when shrinking.
 */
export function resampling(from: number, to: number): Weights {
  const key = from * 65536 + to;
  const kept = tables.get(key);
  if (kept !== undefined) return kept;
  if (tables.size >= TABLES) tables.clear();
  const made = makeWeights(from, to);
  tables.set(key, made);
  return made;
}

// The loops below are unrolled: V8 11 checks every array's type and bounds anew on each turn of a loop,
// which costs as much as the arithmetic.

const BYTE = 1 / 255; // a byte in [0, 1]

type Rows = { at: number; stride: number; length: number }; // bytes; first row, from row to row, of a row

/** row ← w0 · bytes. */
function oneRow(data: Uint8Array, row: Float32Array, rows: Rows, w0: number): void {
  for (let i = 0, a = rows.at; i < rows.length; i++) row[i] = w0 * data[a + i];
}

/** row ← w0 · bytes + w1 · bytes of the row below. */
function twoRows(data: Uint8Array, row: Float32Array, rows: Rows, w0: number, w1: number): void {
  const { at: a, stride, length } = rows;
  const b = a + stride;
  let i = 0;
  for (; i < length - 5; i += 6) {
    row[i] = w0 * data[a + i] + w1 * data[b + i];
    row[i + 1] = w0 * data[a + i + 1] + w1 * data[b + i + 1];
    row[i + 2] = w0 * data[a + i + 2] + w1 * data[b + i + 2];
    row[i + 3] = w0 * data[a + i + 3] + w1 * data[b + i + 3];
    row[i + 4] = w0 * data[a + i + 4] + w1 * data[b + i + 4];
    row[i + 5] = w0 * data[a + i + 5] + w1 * data[b + i + 5];
  }
  for (; i < length; i++) row[i] = w0 * data[a + i] + w1 * data[b + i];
}

/** row ← a weighted sum of the first three rows of bytes. */
function threeRows(
  data: Uint8Array,
  row: Float32Array,
  rows: Rows,
  weight: Float64Array,
  from: number,
): void {
  const { at: a, stride, length } = rows;
  const [w0, w1, w2] = [weight[from], weight[from + 1], weight[from + 2]];
  const b = a + stride;
  const c = b + stride;
  let i = 0;
  for (; i < length - 5; i += 6) {
    row[i] = w0 * data[a + i] + w1 * data[b + i] + w2 * data[c + i];
    row[i + 1] = w0 * data[a + i + 1] + w1 * data[b + i + 1] + w2 * data[c + i + 1];
    row[i + 2] = w0 * data[a + i + 2] + w1 * data[b + i + 2] + w2 * data[c + i + 2];
    row[i + 3] = w0 * data[a + i + 3] + w1 * data[b + i + 3] + w2 * data[c + i + 3];
    row[i + 4] = w0 * data[a + i + 4] + w1 * data[b + i + 4] + w2 * data[c + i + 4];
    row[i + 5] = w0 * data[a + i + 5] + w1 * data[b + i + 5] + w2 * data[c + i + 5];
  }
  for (; i < length; i++) row[i] = w0 * data[a + i] + w1 * data[b + i] + w2 * data[c + i];
}

/** row ← a weighted sum of the first four rows of bytes. */
function fourRows(
  data: Uint8Array,
  row: Float32Array,
  rows: Rows,
  weight: Float64Array,
  from: number,
): void {
  const { at: a, stride, length } = rows;
  const [w0, w1, w2, w3] = [weight[from], weight[from + 1], weight[from + 2], weight[from + 3]];
  const b = a + stride;
  const c = b + stride;
  const d = c + stride;
  for (let i = 0; i < length - 2; i += 3) {
    row[i] = w0 * data[a + i] + w1 * data[b + i] + w2 * data[c + i] + w3 * data[d + i];
    row[i + 1] =
      w0 * data[a + i + 1] + w1 * data[b + i + 1] + w2 * data[c + i + 1] + w3 * data[d + i + 1];
    row[i + 2] =
      w0 * data[a + i + 2] + w1 * data[b + i + 2] + w2 * data[c + i + 2] + w3 * data[d + i + 2];
  }
}

/** row ← row + w · bytes. */
function addRow(data: Uint8Array, row: Float32Array, { at: a, length }: Rows, w: number): void {
  for (let i = 0; i < length - 2; i += 3) {
    row[i] += w * data[a + i];
    row[i + 1] += w * data[a + i + 1];
    row[i + 2] += w * data[a + i + 2];
  }
}

/** Weighted sum of `taps` rows of bytes into `row`, for output line `y`. */
function sumRows(
  data: Uint8Array,
  row: Float32Array,
  rows: Rows,
  { weight, taps }: Weights,
  y: number,
): void {
  const from = y * taps;
  if (taps === 1) return oneRow(data, row, rows, weight[from]);
  const third = taps > 2 && weight[from + 2] !== 0;
  const fourth = taps > 3 && weight[from + 3] !== 0;
  if (taps < 5 && !fourth) {
    if (third) return threeRows(data, row, rows, weight, from);
    return twoRows(data, row, rows, weight[from], weight[from + 1]);
  }
  fourRows(data, row, rows, weight, from);
  rows.at += 3 * rows.stride;
  for (let k = from + 4; k < from + taps; k++) {
    rows.at += rows.stride;
    if (weight[k] !== 0) addRow(data, row, rows, weight[k]);
  }
}

/** Where the pixels of one output line go in an array of interleaved RGB. */
type Line = { out: Float32Array; start: number; step: number };

/** Writes one output line from `row`, interleaved RGB of bytes, scaled to [0, 1]. */
function sumColumns(
  row: Float32Array,
  { first, weight, taps }: Weights,
  { out, start, step }: Line,
): void {
  const size = first.length;
  for (let x = 0, o = start; x < size; x++, o += step) {
    let i = first[x] * 3;
    const k = x * taps;
    let r = 0;
    let g = 0;
    let b = 0;
    for (let tap = 0; tap < taps; tap++, i += 3) {
      const w = weight[k + tap];
      r += w * row[i];
      g += w * row[i + 1];
      b += w * row[i + 2];
    }
    out[o] = r / 255;
    out[o + 1] = g / 255;
    out[o + 2] = b / 255;
  }
}

/** `sumColumns` for two inputs a pixel. */
function sumColumns2(row: Float32Array, { first, weight }: Weights, line: Line): void {
  const { out, start, step } = line;
  const size = first.length;
  for (let x = 0, o = start; x < size; x++, o += step) {
    const i = first[x] * 3;
    const u = weight[2 * x] * BYTE;
    const v = weight[2 * x + 1] * BYTE;
    out[o] = u * row[i] + v * row[i + 3];
    out[o + 1] = u * row[i + 1] + v * row[i + 4];
    out[o + 2] = u * row[i + 2] + v * row[i + 5];
  }
}

/** `sumColumns` for three inputs a pixel. */
function sumColumns3(row: Float32Array, { first, weight }: Weights, line: Line): void {
  const { out, start, step } = line;
  const size = first.length;
  for (let x = 0, o = start; x < size; x++, o += step) {
    const i = first[x] * 3;
    const u = weight[3 * x] * BYTE;
    const v = weight[3 * x + 1] * BYTE;
    const w = weight[3 * x + 2] * BYTE;
    out[o] = u * row[i] + v * row[i + 3] + w * row[i + 6];
    out[o + 1] = u * row[i + 1] + v * row[i + 4] + w * row[i + 7];
    out[o + 2] = u * row[i + 2] + v * row[i + 5] + w * row[i + 8];
  }
}

/** `sumColumns` for four inputs a pixel. */
function sumColumns4(row: Float32Array, { first, weight }: Weights, line: Line): void {
  const { out, start, step } = line;
  const size = first.length;
  for (let x = 0, o = start; x < size; x++, o += step) {
    const i = first[x] * 3;
    const t = weight[4 * x] * BYTE;
    const u = weight[4 * x + 1] * BYTE;
    const v = weight[4 * x + 2] * BYTE;
    const w = weight[4 * x + 3] * BYTE;
    out[o] = t * row[i] + u * row[i + 3] + v * row[i + 6] + w * row[i + 9];
    out[o + 1] = t * row[i + 1] + u * row[i + 4] + v * row[i + 7] + w * row[i + 10];
    out[o + 2] = t * row[i + 2] + u * row[i + 5] + v * row[i + 8] + w * row[i + 11];
  }
}

const columns = [sumColumns, sumColumns, sumColumns2, sumColumns3, sumColumns4];

/**
 * Crops and resizes to size × size interleaved RGB in [0, 1], the crop alone being looked at, as
 * torchvision's `resized_crop(antialias=True)`. `row` is scratch for at least 3 × crop width values.
 */
export function resizedCrop(
  image: PixelImage,
  crop: Rectangle,
  size: number,
  target: { out: Float32Array; placement: Placement },
  row: Float32Array,
): void {
  const horizontal = resampling(crop.width, size);
  const vertical = resampling(crop.height, size);
  const stride = image.width * 3;
  const { base, stepX, stepY } = target.placement;
  const sum = columns[horizontal.taps] ?? sumColumns;
  const rows = { at: 0, stride, length: crop.width * 3 };
  const line = { out: target.out, start: 0, step: stepX * 3 };
  for (let y = 0; y < size; y++) {
    rows.at = (crop.y + vertical.first[y]) * stride + crop.x * 3;
    sumRows(image.data, row, rows, vertical, y);
    line.start = (base + y * stepY) * 3;
    sum(row, horizontal, line);
  }
}

/** Where pixels go when the view is mirrored and then turned counter-clockwise by quarters. */
export function placement(
  size: number,
  flip: boolean,
  verticalFlip: boolean,
  quarters: number,
): Placement {
  const last = size - 1;
  const to = (x: number, y: number) => {
    let [u, v] = [flip ? last - x : x, verticalFlip ? last - y : y];
    for (let i = 0; i < quarters; i++) [u, v] = [v, last - u];
    return v * size + u;
  };
  const base = to(0, 0);
  return size === 1
    ? { base, stepX: 1, stepY: 1 }
    : { base, stepX: to(1, 0) - base, stepY: to(0, 1) - base };
}
