/** Adds a tile of four rows by four columns of x·xᵀ, over `length` elements, to `out`. */
function addTile(x: Float64Array, length: number, i: number, j: number): Float64Array {
  const sums = new Float64Array(16);
  const [a0, b0] = [i * length, j * length];
  const [a1, a2, a3] = [a0 + length, a0 + 2 * length, a0 + 3 * length];
  const [b1, b2, b3] = [b0 + length, b0 + 2 * length, b0 + 3 * length];
  let [s0, s1, s2, s3, s4, s5, s6, s7] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [t0, t1, t2, t3, t4, t5, t6, t7] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let p = 0; p < length; p++) {
    const [q, r, s, t] = [x[b0 + p], x[b1 + p], x[b2 + p], x[b3 + p]];
    const [u, v, w, z] = [x[a0 + p], x[a1 + p], x[a2 + p], x[a3 + p]];
    s0 += u * q;
    s1 += u * r;
    s2 += u * s;
    s3 += u * t;
    s4 += v * q;
    s5 += v * r;
    s6 += v * s;
    s7 += v * t;
    t0 += w * q;
    t1 += w * r;
    t2 += w * s;
    t3 += w * t;
    t4 += z * q;
    t5 += z * r;
    t6 += z * s;
    t7 += z * t;
  }
  sums.set([s0, s1, s2, s3, s4, s5, s6, s7, t0, t1, t2, t3, t4, t5, t6, t7]);
  return sums;
}

const CHUNK = 256; // elements of a row at a time, so that all rows of a chunk stay in the cache

/**
 * Inner products of all rows with all rows, summed in float64: [n, n].
 *
 * `element(i, p)` is element p of row i; rows have `length` elements.
 */
export function gram(
  n: number,
  length: number,
  element: (i: number, p: number) => number,
): Float64Array {
  const padded = Math.ceil(n / 4) * 4;
  const chunk = new Float64Array(padded * CHUNK);
  const out = new Float64Array(n * n);
  for (let first = 0; first < length; first += CHUNK) {
    chunk.fill(0);
    for (let i = 0; i < n; i++) {
      const end = Math.min(CHUNK, length - first);
      for (let p = 0; p < end; p++) chunk[i * CHUNK + p] = element(i, first + p);
    }
    for (let i = 0; i < n; i += 4) {
      for (let j = 0; j <= i; j += 4) {
        const sums = addTile(chunk, CHUNK, i, j);
        for (let t = 0; t < 16; t++) {
          const [row, column] = [i + (t >> 2), j + (t & 3)];
          if (row < n && column < n) out[row * n + column] += sums[t];
        }
      }
    }
  }
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) out[i * n + j] = out[j * n + i];
  return out;
}
