import type { PixelImage } from "../../core/pixels.ts";

const SIDE = 16;

/** Mean colours under a 16 × 16 grid over an image, [16, 16, 3], less their mean and of length 1. */
export function thumbnail({ width, height, data }: PixelImage): Float32Array {
  const cells = new Float32Array(SIDE * SIDE * 3); // [SIDE, SIDE, 3]
  for (let row = 0; row < SIDE; row++) {
    const top = Math.floor((row * height) / SIDE);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height) / SIDE));
    for (let column = 0; column < SIDE; column++) {
      const left = Math.floor((column * width) / SIDE);
      const right = Math.max(left + 1, Math.floor(((column + 1) * width) / SIDE));
      for (let channel = 0; channel < 3; channel++) {
        let total = 0;
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) total += data[3 * (y * width + x) + channel];
        }
        cells[3 * (row * SIDE + column) + channel] = total / ((bottom - top) * (right - left));
      }
    }
  }
  const mean = cells.reduce((sum, value) => sum + value, 0) / cells.length;
  const length = Math.hypot(...cells.map((value) => value - mean));
  return cells.map((value) => (value - mean) / Math.max(length, 1e-6));
}

/** Correlation of two thumbnails, −1 … 1: how alike two images are but for brightness and contrast. */
export function likeness(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
