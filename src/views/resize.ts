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

/** Weighted sum of rows of bytes into `row`: `taps` rows from `at`, `stride` bytes apart. */
function sumRows(
  data: Uint8Array,
  row: Float32Array, // [length], each value one byte's column, scaled to [0, 1]
  span: { at: number; stride: number; length: number },
  { weight, taps }: Weights,
  y: number,
): void {
  const { at, stride, length } = span;
  const from = y * taps;
  const b = at + stride;
  const c = b + stride;
  const w0 = weight[from] / 255;
  const w1 = taps > 1 ? weight[from + 1] / 255 : 0;
  const w2 = taps > 2 ? weight[from + 2] / 255 : 0;
  if (w1 === 0 && w2 === 0) for (let i = 0; i < length; i++) row[i] = w0 * data[at + i];
  else if (w2 === 0) for (let i = 0; i < length; i++) row[i] = w0 * data[at + i] + w1 * data[b + i];
  else
    for (let i = 0; i < length; i++)
      row[i] = w0 * data[at + i] + w1 * data[b + i] + w2 * data[c + i];
  for (let tap = 3; tap < taps; tap++) {
    const w = weight[from + tap] / 255;
    const d = at + tap * stride;
    if (w !== 0) for (let i = 0; i < length; i++) row[i] += w * data[d + i];
  }
}

/** Writes one output line from `row` (interleaved RGB) to `out`, `step` values from pixel to pixel. */
function sumColumns(
  row: Float32Array,
  out: Float32Array,
  { first, weight, taps }: Weights,
  start: number,
  step: number,
): void {
  const size = first.length;
  for (let x = 0, o = start; x < size; x++, o += step) {
    let i = first[x] * 3;
    const k = x * taps;
    const w0 = weight[k];
    let r = w0 * row[i];
    let g = w0 * row[i + 1];
    let b = w0 * row[i + 2];
    for (let tap = 1; tap < taps; tap++) {
      const w = weight[k + tap];
      i += 3;
      r += w * row[i];
      g += w * row[i + 1];
      b += w * row[i + 2];
    }
    out[o] = r;
    out[o + 1] = g;
    out[o + 2] = b;
  }
}

/** `sumColumns` for two inputs a pixel, the usual case: enlarging, or shrinking hardly. */
function sumColumnPairs(
  row: Float32Array,
  out: Float32Array,
  { first, weight }: Weights,
  start: number,
  step: number,
): void {
  const size = first.length;
  for (let x = 0, o = start; x < size; x++, o += step) {
    const i = first[x] * 3;
    const u = weight[2 * x];
    const v = weight[2 * x + 1];
    out[o] = u * row[i] + v * row[i + 3];
    out[o + 1] = u * row[i + 1] + v * row[i + 4];
    out[o + 2] = u * row[i + 2] + v * row[i + 5];
  }
}

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
  const write = horizontal.taps === 2 ? sumColumnPairs : sumColumns;
  const span = { at: 0, stride, length: crop.width * 3 };
  for (let y = 0; y < size; y++) {
    span.at = (crop.y + vertical.first[y]) * stride + crop.x * 3;
    sumRows(image.data, row, span, vertical, y);
    write(row, target.out, horizontal, (base + y * stepY) * 3, stepX * 3);
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
