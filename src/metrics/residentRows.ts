import { ConfigError } from "../core/errors.ts";
import { checkFeatures, checkSameDimension, type Features, inverseNorms } from "./features.ts";
import { insertNeighbour, type Neighbours } from "./nearest.ts";
import { paddedSizes } from "./rowProducts.ts";
import { simdCode } from "./simdCode.ts";

const PAGE = 65536;
const MOST = 65536 * PAGE; // bytes that WebAssembly can address
const QUERIES = 64; // rows that are asked together: they stay in the cache while all rows pass by
const BLOCK = 512; // rows whose products are looked through together

/** Rows that stay where the kernel reads them, so that a search costs one pass over memory. */
export type ResidentRows = {
  readonly count: number;
  readonly dimension: number;
  readonly bytes: number; // that the rows take
  /**
   * The `k` rows most similar (cosine) to each query, nearest first; equals in the order of their index.
   * `allowed` [count] leaves out rows where it is 0. Fewer than `k` where there are not as many: then
   * indices are −1 and similarities −∞ behind them.
   */
  nearest(queries: Features, k: number, allowed?: Uint8Array): Neighbours;
};

type Bench = {
  stride: number;
  base: Float32Array; // [rows, stride]
  queries: Float32Array; // [QUERIES, stride]
  out: Float32Array; // [QUERIES, BLOCK]
  /** Products of the first `asked` queries with BLOCK rows from `first` on. */
  multiply(asked: number, first: number): void;
};

type Multiply = (...bytes: number[]) => void;

function simdBench(stride: number, rows: number): Bench {
  const [baseLength, queryLength] = [rows * stride, QUERIES * stride];
  const bytes = 4 * (baseLength + queryLength + QUERIES * BLOCK);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  const module = new WebAssembly.Module(simdCode());
  const { exports } = new WebAssembly.Instance(module, { rows: { memory } });
  const [a, out] = [4 * baseLength, 4 * (baseLength + queryLength)];
  const multiply = exports.multiply as Multiply;
  return {
    stride,
    base: new Float32Array(memory.buffer, 0, baseLength),
    queries: new Float32Array(memory.buffer, a, queryLength),
    out: new Float32Array(memory.buffer, out, QUERIES * BLOCK),
    multiply(asked, first) {
      const [from, end] = [4 * first * stride, 4 * Math.min(rows, first + BLOCK) * stride];
      multiply(a, a + 4 * stride * (asked + (asked % 2)), from, end, out, 4 * stride, 4 * BLOCK);
    },
  };
}

function plainBench(stride: number, rows: number): Bench {
  const base = new Float32Array(rows * stride);
  const queries = new Float32Array(QUERIES * stride);
  const out = new Float32Array(QUERIES * BLOCK);
  const multiply = (asked: number, first: number) => {
    for (let q = 0; q < asked; q++) {
      for (let r = first; r < Math.min(rows, first + BLOCK); r++) {
        let sum = 0;
        for (let e = 0; e < stride; e++) sum += queries[q * stride + e] * base[r * stride + e];
        out[q * BLOCK + r - first] = sum;
      }
    }
  };
  return { stride, base, queries, out, multiply };
}

function openBench(stride: number, rows: number): Bench {
  const bytes = 4 * stride * rows;
  if (bytes + 4 * QUERIES * (stride + BLOCK) > MOST) {
    throw new ConfigError(
      `search: ${rows} vectors of ${stride} numbers take ${(bytes / 2 ** 30).toFixed(1)} GiB, exact search holds 4 GiB at most`,
      "use the store duckdb or qdrant",
    );
  }
  try {
    return simdBench(stride, rows);
  } catch {
    return plainBench(stride, rows);
  }
}

/** Copies rows first … first + rows − 1 of `from`, scaled to length 1, to the start of `into`. */
function copyUnit(into: Float32Array, stride: number, from: Features, first: number, rows: number) {
  const { data, dimension } = from;
  const inverse = inverseNorms({
    data: data.subarray(first * dimension, (first + rows) * dimension),
    count: rows,
    dimension,
  });
  for (let r = 0; r < rows; r++) {
    const at = (first + r) * dimension;
    for (let e = 0; e < dimension; e++) into[r * stride + e] = data[at + e] * inverse[r];
  }
}

type Pass = { bench: Bench; found: Neighbours; count: number; allowed: Uint8Array | undefined };

function pass({ bench, found, count, allowed }: Pass, query: number, asked: number): void {
  const { out } = bench;
  const { k, similarities } = found;
  for (let first = 0; first < count; first += BLOCK) {
    bench.multiply(asked, first);
    const rows = Math.min(BLOCK, count - first);
    for (let q = 0; q < asked; q++) {
      const start = (query + q) * k;
      const last = start + k - 1;
      for (let r = 0; r < rows; r++) {
        const similarity = out[q * BLOCK + r];
        if (similarity <= similarities[last]) continue;
        if (allowed !== undefined && allowed[first + r] === 0) continue;
        insertNeighbour(found, start, first + r, similarity);
      }
    }
  }
}

/** Copies features into memory of the search kernel, scaled to length 1. */
export function residentRows(features: Features): ResidentRows {
  checkFeatures("search", "vectors", features);
  const { count, dimension } = features;
  const { stride, rowsB } = paddedSizes(dimension, QUERIES, count);
  const bench = openBench(stride, rowsB);
  copyUnit(bench.base, stride, features, 0, count);
  return {
    count,
    dimension,
    bytes: 4 * stride * rowsB,
    nearest(queries, k, allowed) {
      checkFeatures("search", "query", queries, 0);
      checkSameDimension("search", { vectors: features, query: queries });
      const most = Math.max(1, Math.min(k, count));
      const found: Neighbours = {
        k: most,
        indices: new Int32Array(queries.count * most).fill(-1),
        similarities: new Float32Array(queries.count * most).fill(-Infinity),
      };
      for (let query = 0; query < queries.count; query += QUERIES) {
        const asked = Math.min(QUERIES, queries.count - query);
        bench.queries.fill(0);
        copyUnit(bench.queries, stride, queries, query, asked);
        pass({ bench, found, count, allowed }, query, asked);
      }
      found.similarities.forEach((value, i) => {
        if (value > 1) found.similarities[i] = 1;
      });
      return found;
    },
  };
}
