import { ShapeError } from "../core/errors.ts";
import { checkFeatures, checkSameDimension, type Features, unitRows } from "./features.ts";

/**
 * How far apart two views of an image lie: mean of ‖xᵢ − yᵢ‖^α of rows scaled to length 1.
 *
 * 0: views coincide; 2 (with α = 2): as far apart as directions at random. Wang & Isola (2020),
 * arXiv:2005.10242, section 4.1.
 */
export function alignment(x: Features, y: Features, alpha = 2): number {
  checkFeatures("alignment", "x", x);
  checkFeatures("alignment", "y", y);
  checkSameDimension("alignment", { x, y });
  if (y.count !== x.count) {
    throw new ShapeError(`alignment: y has ${y.count} rows, expected ${x.count} as in x`);
  }
  const a = unitRows(x).data;
  const b = unitRows(y).data;
  let sum = 0;
  for (let i = 0; i < x.count; i++) {
    let squared = 0;
    for (let e = i * x.dimension; e < (i + 1) * x.dimension; e++) squared += (a[e] - b[e]) ** 2;
    sum += squared ** (alpha / 2);
  }
  return sum / x.count;
}
