import { type HostArray, zeros } from "../core/arrays.ts";

/** Whether so many patches make a square grid. */
export const isGrid = (count: number): boolean => count > 0 && Number.isInteger(Math.sqrt(count));

/** Keys' cubic (1981): the weight of a neighbour at a distance. */
function cubic(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/**
 * Weights [to, from] of bicubic resampling of a line, as PyTorch's `interpolate`: with `antialias` a = −0.5, smoothed
 * where it shrinks, edges cut off; without it a = −0.75 and edges repeat.
 */
function cubicMatrix(from: number, to: number, antialias: boolean): Float64Array[] {
  const stretch = antialias ? Math.max(1, from / to) : 1;
  return Array.from({ length: to }, (_, i) => {
    const row = new Float64Array(from);
    const middle = ((i + 0.5) * from) / to - 0.5;
    for (let j = Math.ceil(middle - 2 * stretch); j <= middle + 2 * stretch; j++) {
      const weight = cubic((j - middle) / stretch, antialias ? -0.5 : -0.75);
      if (!antialias) row[Math.min(from - 1, Math.max(0, j))] += weight;
      else if (j >= 0 && j < from) row[j] = weight;
    }
    const total = row.reduce((sum, weight) => sum + weight, 0);
    return row.map((weight) => weight / total);
  });
}

/**
 * Learned positions [1, prefix + s², D] for a grid of another side: those of the grid resampled bicubically, those of
 * the tokens before it as they are. timm's models do it with `antialias`, those of transformers without.
 */
export function resamplePositions(
  positions: HostArray,
  prefix: number,
  side: number,
  antialias = false,
): HostArray<"float32"> {
  const [, count, dimension] = positions.shape;
  const from = Math.round(Math.sqrt(count - prefix));
  const result = zeros([1, prefix + side * side, dimension]);
  const start = prefix * dimension;
  result.data.set(positions.data.subarray(0, start));
  const matrix = cubicMatrix(from, side, antialias);
  const taps = matrix.map((row) => [...row.keys()].filter((i) => row[i] !== 0));
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const to = start + (y * side + x) * dimension;
      for (const v of taps[y]) {
        for (const u of taps[x]) {
          const weight = matrix[y][v] * matrix[x][u];
          const at = start + (v * from + u) * dimension;
          for (let d = 0; d < dimension; d++)
            result.data[to + d] += weight * positions.data[at + d];
        }
      }
    }
  }
  return result;
}

/** Cosines and sines [prefix + side², size] of rotary positions; tokens before the grid are not turned. */
export type Rotations = { readonly cos: Float32Array; readonly sin: Float32Array };

/**
 * Rotary positions of a grid (Siméoni et al. 2025, arXiv:2508.10104): coordinates of patch centres in
 * [−1, 1], a quarter of each head's numbers turned by the row and a quarter by the column, at frequencies
 * 2π / base^(4j / size), the other half alike.
 */
export function rotations(
  side: number,
  { prefix, size, base }: { prefix: number; size: number; base: number },
): Rotations {
  const length = (prefix + side * side) * size;
  const [cos, sin] = [new Float32Array(length).fill(1), new Float32Array(length)];
  const quarter = size / 4;
  const centre = (i: number) => (2 * (i + 0.5)) / side - 1;
  for (let patch = 0; patch < side * side; patch++) {
    const coordinates = [centre(Math.floor(patch / side)), centre(patch % side)];
    for (let d = 0; d < size; d++) {
      const coordinate = coordinates[Math.floor(d / quarter) % 2];
      const angle = 2 * Math.PI * coordinate * base ** (-(d % quarter) / quarter);
      const at = (prefix + patch) * size + d;
      cos[at] = Math.cos(angle);
      sin[at] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
