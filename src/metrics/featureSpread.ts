import { checkFeatures, type Features, unitRows } from "./features.ts";

/** How much features vary, beside what evenly spread directions would. */
export type FeatureSpread = {
  readonly deviation: number; // mean over the columns of their standard deviation, rows at length 1
  readonly even: number; // 1/√D: of directions spread evenly
};

/**
 * Standard deviation of each column of rows scaled to length 1, averaged over the columns.
 *
 * Near 0 the features have collapsed; near 1/√D they use all directions. Chen & He (2020),
 * arXiv:2011.10566, section 4.1.
 */
export function featureSpread(features: Features): FeatureSpread {
  checkFeatures("featureSpread", "features", features);
  const { data, count, dimension } = unitRows(features);
  const mean = new Float64Array(dimension);
  const squared = new Float64Array(dimension);
  for (let i = 0; i < count; i++) {
    for (let e = 0; e < dimension; e++) mean[e] += data[i * dimension + e] / count;
  }
  for (let i = 0; i < count; i++) {
    for (let e = 0; e < dimension; e++) {
      squared[e] += (data[i * dimension + e] - mean[e]) ** 2 / count;
    }
  }
  const deviation = squared.reduce((sum, value) => sum + Math.sqrt(value), 0) / dimension;
  return { deviation, even: 1 / Math.sqrt(dimension) };
}
