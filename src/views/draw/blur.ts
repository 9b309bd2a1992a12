/** Half of a normalised Gaussian kernel: weight of the middle, then of each distance to `radius`. */
export function gaussianHalf(sigma: number, radius: number): Float64Array {
  const half = Float64Array.from({ length: radius + 1 }, (_, d) =>
    Math.exp(-0.5 * (d / sigma) ** 2),
  );
  const total = half.reduce((sum, w, d) => sum + (d === 0 ? w : 2 * w), 0);
  return half.map((w) => w / total);
}
