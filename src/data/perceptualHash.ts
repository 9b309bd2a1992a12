import type { PixelImage } from "../core/pixels.ts";

const SIDE = 32; // pixels of the grey thumbnail
const KEPT = 8; // lowest frequencies each way

// [KEPT, SIDE] cosines of the discrete cosine transform
const cosines = Float64Array.from({ length: KEPT * SIDE }, (_, i) => {
  const [frequency, x] = [Math.floor(i / SIDE), i % SIDE];
  return Math.cos((Math.PI * frequency * (2 * x + 1)) / (2 * SIDE));
});

/** Mean of the pixels under each cell of a `side` × `side` grid, grey. Cells of a small image repeat pixels. */
export function greyThumbnail({ width, height, data }: PixelImage, side: number): Float64Array {
  const grey = new Float64Array(side * side); // [side, side]
  for (let row = 0; row < side; row++) {
    const top = Math.floor((row * height) / side);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height) / side));
    for (let column = 0; column < side; column++) {
      const left = Math.floor((column * width) / side);
      const right = Math.max(left + 1, Math.floor(((column + 1) * width) / side));
      let total = 0;
      for (let y = top; y < bottom; y++) {
        for (let at = 3 * (y * width + left); at < 3 * (y * width + right); at += 3) {
          total += 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
        }
      }
      grey[row * side + column] = total / ((bottom - top) * (right - left));
    }
  }
  return grey;
}

function lowFrequencies(grey: Float64Array): Float64Array {
  const rows = new Float64Array(SIDE * KEPT); // [SIDE, KEPT]
  for (let y = 0; y < SIDE; y++) {
    for (let u = 0; u < KEPT; u++) {
      let sum = 0;
      for (let x = 0; x < SIDE; x++) sum += grey[y * SIDE + x] * cosines[u * SIDE + x];
      rows[y * KEPT + u] = sum;
    }
  }
  const result = new Float64Array(KEPT * KEPT); // [KEPT, KEPT], vertical frequency first
  for (let v = 0; v < KEPT; v++) {
    for (let u = 0; u < KEPT; u++) {
      let sum = 0;
      for (let y = 0; y < SIDE; y++) sum += rows[y * KEPT + u] * cosines[v * SIDE + y];
      result[v * KEPT + u] = sum;
    }
  }
  return result;
}

/**
 * A 64-bit fingerprint that changes little when an image is resized, recompressed or brightened.
 *
 * Grey 32 × 32 thumbnail, discrete cosine transform, the 8 × 8 lowest frequencies; a bit says whether a
 * frequency is above the median, the mean brightness left out (Zauner 2010, "Implementation and
 * Benchmarking of Perceptual Image Hash Functions").
 *
 * @returns 16 hexadecimal digits, or undefined for images so plain that noise would decide the bits
 */
export function perceptualHash(image: PixelImage): string | undefined {
  const values = lowFrequencies(greyThumbnail(image, SIDE));
  const details = [...values.subarray(1)];
  const power = Math.sqrt(details.reduce((sum, value) => sum + value * value, 0) / 63);
  if (power < 40) return undefined; // about 1.5 grey levels of contrast
  const sorted = details.sort((a, b) => a - b);
  const median = sorted[31];
  let hash = "";
  for (let digit = 0; digit < 16; digit++) {
    let four = 0;
    for (let i = 4 * digit; i < 4 * digit + 4; i++) {
      four = 2 * four + (i > 0 && values[i] > median ? 1 : 0);
    }
    hash += four.toString(16);
  }
  return hash;
}
