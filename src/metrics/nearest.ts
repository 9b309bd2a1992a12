import { ConfigError } from "../core/errors.ts";
import { checkFeatures, checkSameDimension, type Features, inverseNorms } from "./features.ts";
import { createRowProducts } from "./createRowProducts.ts";

/** The `k` nearest rows of each query, nearest first: both arrays are [queries, k]. */
export type Neighbours = {
  readonly k: number;
  readonly indices: Int32Array;
  /** Cosine similarities in [−1, 1]. */
  readonly similarities: Float32Array;
};

const QUERIES = 128; // rows of a block, so that a block of each and their products stay in the cache
const BASE = 64;

/** Copies unit rows first … first + rows − 1 into `into`, `stride` apart; rows beyond the last become zero. */
function fillBlock(
  into: { rows: Float32Array; stride: number },
  features: Features,
  inverse: Float64Array,
  first: number,
): void {
  const { data, count, dimension } = features;
  const { rows, stride } = into;
  for (let r = 0; r * stride < rows.length; r++) {
    const row = first + r;
    const [from, to] = [row * dimension, r * stride];
    if (row >= count) rows.fill(0, to, to + dimension);
    else for (let e = 0; e < dimension; e++) rows[to + e] = data[from + e] * inverse[row];
  }
}

/** Puts a candidate into a sorted list of `k` that starts at `start`; behind equals, so the lower index wins. */
export function insertNeighbour(
  found: Neighbours,
  start: number,
  index: number,
  similarity: number,
): void {
  const { indices, similarities, k } = found;
  let at = start + k - 1;
  if (similarity <= similarities[at]) return;
  while (at > start && similarities[at - 1] < similarity) {
    similarities[at] = similarities[at - 1];
    indices[at] = indices[at - 1];
    at--;
  }
  similarities[at] = similarity;
  indices[at] = index;
}

/** How many neighbours there can be: `k`, or all rows of a smaller base. */
function reachable(k: number, base: Features, leaveOneOut: boolean): number {
  if (!Number.isInteger(k) || k < 1) {
    throw new ConfigError(`nearestNeighbours: k is ${k}, expected a whole number of at least 1`);
  }
  return Math.min(k, leaveOneOut ? base.count - 1 : base.count);
}

/**
 * The `k` rows of `base` most similar (cosine) to each row of `query`, by exhaustive search.
 *
 * Rows need not be normalised; a zero row has similarity 0 to all. Equally similar rows come in the order
 * of their index. `k` is cut to the size of the base. With `leaveOneOut` query and base are the same rows
 * and no row is its own neighbour.
 */
export function nearestNeighbours(
  query: Features,
  base: Features,
  k: number,
  { leaveOneOut = false } = {},
): Neighbours {
  checkFeatures("nearestNeighbours", "query", query, 0);
  checkFeatures("nearestNeighbours", "base", base, leaveOneOut ? 2 : 1);
  checkSameDimension("nearestNeighbours", { base, query });
  if (leaveOneOut && query.count !== base.count) {
    throw new ConfigError(
      `nearestNeighbours: leaveOneOut needs the same rows twice, query has ${query.count} and base ${base.count}`,
    );
  }
  const size = reachable(k, base, leaveOneOut);
  const found: Neighbours = {
    k: size,
    indices: new Int32Array(query.count * size).fill(-1),
    similarities: new Float32Array(query.count * size).fill(-Infinity),
  };
  const { a, b, out, stride, multiply } = createRowProducts(query.dimension, QUERIES, BASE);
  const [queryInverse, baseInverse] = [inverseNorms(query), inverseNorms(base)];
  for (let q = 0; q < query.count; q += QUERIES) {
    fillBlock({ rows: a, stride }, query, queryInverse, q);
    const queries = Math.min(QUERIES, query.count - q);
    for (let n = 0; n < base.count; n += BASE) {
      fillBlock({ rows: b, stride }, base, baseInverse, n);
      multiply(queries);
      collect(found, { out, q, n, queries, rows: Math.min(BASE, base.count - n), leaveOneOut });
    }
  }
  return found;
}

type Block = {
  out: Float32Array; // [QUERIES, BASE]
  q: number; // first query of the block
  n: number; // first base row of the block
  queries: number;
  rows: number;
  leaveOneOut: boolean;
};

function collect(found: Neighbours, { out, q, n, queries, rows, leaveOneOut }: Block): void {
  for (let i = 0; i < queries; i++) {
    for (let j = 0; j < rows; j++) {
      if (leaveOneOut && q + i === n + j) continue;
      const similarity = Math.min(1, Math.max(-1, out[i * BASE + j]));
      insertNeighbour(found, (q + i) * found.k, n + j, similarity);
    }
  }
}
