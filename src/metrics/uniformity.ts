import { createRowProducts } from "./createRowProducts.ts";
import { checkFeatures, type Features, unitRows } from "./features.ts";

const ROWS = 128; // rows of a block

function fill(
  into: Float32Array,
  stride: number,
  { data, count, dimension }: Features,
  first: number,
) {
  into.fill(0);
  for (let r = 0; r < ROWS && first + r < count; r++) {
    const row = (first + r) * dimension;
    into.set(data.subarray(row, row + dimension), r * stride);
  }
}

/**
 * How evenly features fill the sphere: log of the mean of exp(−t·‖xᵢ − xⱼ‖²) over all pairs i < j of rows
 * scaled to length 1.
 *
 * 0: all in one point; the lower, the more even; about −2t is the least in many dimensions. Wang & Isola
 * (2020), arXiv:2005.10242, section 4.1.
 */
export function uniformity(features: Features, t = 2): number {
  checkFeatures("uniformity", "features", features, 2);
  const unit = unitRows(features);
  const { count, dimension } = unit;
  const { a, b, out, stride, multiply } = createRowProducts(dimension, ROWS, ROWS);
  let sum = 0;
  for (let first = 0; first < count; first += ROWS) {
    fill(a, stride, unit, first);
    for (let second = first; second < count; second += ROWS) {
      fill(b, stride, unit, second);
      multiply(Math.min(ROWS, count - first));
      for (let i = first; i < Math.min(count, first + ROWS); i++) {
        for (let j = Math.max(second, i + 1); j < Math.min(count, second + ROWS); j++) {
          const squared = Math.max(0, 2 - 2 * out[(i - first) * ROWS + j - second]);
          sum += Math.exp(-t * squared);
        }
      }
    }
  }
  return Math.log(sum / ((count * (count - 1)) / 2));
}
