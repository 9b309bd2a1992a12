import { symmetricEigenvalues } from "./eigenvalues.ts";
import { checkFeatures, type Features } from "./features.ts";
import { gram } from "./gram.ts";

/** Singular values of features, highest first: min(count, dimension) of them. */
export function singularValues(features: Features): Float64Array {
  checkFeatures("singularValues", "features", features);
  const { data, count, dimension } = features;
  const byColumn = (i: number, p: number) => data[p * dimension + i];
  const byRow = (i: number, p: number) => data[i * dimension + p];
  const n = Math.min(count, dimension);
  const square = dimension > count ? gram(n, dimension, byRow) : gram(n, count, byColumn); // XXᵀ or XᵀX
  return symmetricEigenvalues(square, n).map((value) => Math.sqrt(Math.max(0, value)));
}

/** At most `most` rows, evenly spaced. */
function thinned(features: Features, most: number): Features {
  const { data, count, dimension } = features;
  if (count <= most) return features;
  const rows = new Float32Array(most * dimension);
  for (let i = 0; i < most; i++) {
    const from = Math.floor((i * count) / most) * dimension;
    rows.set(data.subarray(from, from + dimension), i * dimension);
  }
  return { data: rows, count: most, dimension };
}

/**
 * How many directions features use: exp of the entropy of their singular values' shares.
 *
 * 1: all on a line; min(count, dimension): evenly in all directions; 0: all features are zero. Rows count
 * as they are, neither scaled nor centred. Time grows as the cube of the smaller of count and dimension:
 * where both are above `most`, only `most` rows, evenly spaced, are looked at.
 *
 * Roy & Vetterli (2007), "The effective rank: a measure of
 * effective dimensionality"; of embeddings: RankMe, Garrido et al. (2022), arXiv:2210.02885.
 */
export function effectiveRank(features: Features, most = 1024): number {
  checkFeatures("effectiveRank", "features", features);
  const values = singularValues(features.dimension > most ? thinned(features, most) : features);
  const total = values.reduce((sum, value) => sum + value, 0);
  if (total === 0) return 0;
  let entropy = 0;
  for (const value of values) {
    const part = value / total;
    if (part > 0) entropy -= part * Math.log(part);
  }
  return Math.exp(entropy);
}
