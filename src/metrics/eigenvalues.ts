import { ContraposeError, DataError } from "../core/errors.ts";

const NEGLIGIBLE = 1e-140; // beside a largest element of 1; its square is still a normal number

/** Reflects away what stands left of the subdiagonal in one row; returns the subdiagonal element. */
function reflect(matrix: Float64Array, n: number, row: number): number {
  const length = row; // elements left of the diagonal
  const v = matrix.subarray(row * n, row * n + length);
  let squared = 0;
  for (const value of v) squared += value * value;
  if (squared < NEGLIGIBLE ** 2) return 0;
  const last = v[length - 1];
  const norm = Math.sqrt(squared);
  if (norm === Math.abs(last)) return last; // nothing to reflect
  const subdiagonal = last > 0 ? -norm : norm;
  v[length - 1] = last - subdiagonal;
  const half = norm * (norm + Math.abs(last)); // ‖v‖²/2
  const w = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const start = i * n;
    let sum = matrix[start + i] * v[i];
    for (let j = 0; j < i; j++) {
      sum += matrix[start + j] * v[j];
      w[j] += matrix[start + j] * v[i];
    }
    w[i] += sum;
  }
  let dot = 0;
  for (let i = 0; i < length; i++) dot += (w[i] /= half) * v[i];
  for (let i = 0; i < length; i++) w[i] -= (dot / (2 * half)) * v[i];
  for (let i = 0; i < length; i++) {
    for (let j = 0; j <= i; j++) matrix[i * n + j] -= v[i] * w[j] + w[i] * v[j];
  }
  return subdiagonal;
}

/** One implicit step of the QL method with shift on rows `first` to `last` of a tridiagonal matrix. */
function chase(d: Float64Array, e: Float64Array, first: number, last: number): void {
  const theta = (d[first + 1] - d[first]) / (2 * e[first]);
  const root = Math.hypot(theta, 1);
  let g = d[last] - d[first] + e[first] / (theta + (theta < 0 ? -root : root));
  let [sine, cosine, shift] = [1, 1, 0];
  for (let i = last - 1; i >= first; i--) {
    const f = sine * e[i];
    const b = cosine * e[i];
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] -= shift;
      e[last] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1] - shift;
    const s = (d[i] - g) * sine + 2 * cosine * b;
    shift = sine * s;
    d[i + 1] = g + shift;
    g = cosine * s - b;
  }
  d[first] -= shift;
  e[first] = g;
  e[last] = 0;
}

/**
 * Eigenvalues of a symmetric matrix, highest first.
 *
 * Householder reflections to a tridiagonal matrix, then QL with implicit shifts. Only the lower triangle
 * is read. Golub & Van Loan, Matrix Computations, section 8.3. Time grows as n³: 0.1 s for n = 512.
 */
export function symmetricEigenvalues(
  symmetric: ArrayLike<number>, // [n, n]
  n: number,
): Float64Array {
  const matrix = Float64Array.from(symmetric);
  const largest = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return new Float64Array(n);
  if (!Number.isFinite(largest)) {
    throw new DataError("symmetricEigenvalues: the matrix holds numbers that are not finite");
  }
  for (let i = 0; i < matrix.length; i++) matrix[i] /= largest;
  const d = new Float64Array(n);
  const e = new Float64Array(n); // e[i] stands between d[i] and d[i + 1]
  for (let row = n - 1; row > 0; row--) {
    e[row - 1] = reflect(matrix, n, row);
    d[row] = matrix[row * n + row];
  }
  if (n > 0) d[0] = matrix[0];
  const joined = (i: number) =>
    Math.abs(e[i]) > Math.max(NEGLIGIBLE, Number.EPSILON * (Math.abs(d[i]) + Math.abs(d[i + 1])));
  for (let first = 0; first < n; first++) {
    for (let step = 0; ; step++) {
      let last = first;
      while (last < n - 1 && joined(last)) last++;
      if (last === first) break;
      if (step === 60) {
        throw new ContraposeError("symmetricEigenvalues: no convergence in 60 steps");
      }
      chase(d, e, first, last);
    }
  }
  return d
    .map((value) => value * largest)
    .sort()
    .reverse();
}
