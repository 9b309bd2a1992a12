import fc from "fast-check";
import { expect, it } from "vitest";

import { randomStream } from "../core/random.ts";
import { symmetricEigenvalues } from "./eigenvalues.ts";

const close = (actual: Float64Array, expected: number[], digits = 9) => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, digits));
};

it("finds the eigenvalues of matrices known by hand", () => {
  close(symmetricEigenvalues([], 0), []);
  close(symmetricEigenvalues([7], 1), [7]);
  close(symmetricEigenvalues([0, 1e-200, 1e-200, 1e-308], 2), [0, 0]);
  close(
    symmetricEigenvalues([2e200, 1e200, 1e200, 2e200], 2).map((v) => v / 1e200),
    [3, 1],
  );
  close(symmetricEigenvalues([2, 1, 1, 2], 2), [3, 1]);
  close(symmetricEigenvalues([0, 0, 0, 0, 0, 0, 0, 0, 0], 3), [0, 0, 0]);
  close(symmetricEigenvalues([1, 0, 0, 0, -3, 0, 0, 0, 2], 3), [2, 1, -3]);
  close(symmetricEigenvalues([2, -1, 0, -1, 2, -1, 0, -1, 2], 3), [
    2 + Math.SQRT2,
    2,
    2 - Math.SQRT2,
  ]);
  close(symmetricEigenvalues(new Array<number>(25).fill(1), 5), [5, 0, 0, 0, 0]);
});

it("finds those of the second difference, 2 − 2·cos(kπ/(n + 1))", () => {
  const n = 60;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    matrix[i * n + i] = 2;
    if (i > 0) matrix[i * n + i - 1] = matrix[(i - 1) * n + i] = -1;
  }
  const expected = Array.from(
    { length: n },
    (_, k) => 2 - 2 * Math.cos(((n - k) * Math.PI) / (n + 1)),
  );
  close(symmetricEigenvalues(matrix, n), expected);
});

/** Q·diag(values)·Qᵀ with Q a product of random rotations of two axes. */
function withEigenvalues(values: number[], seed: number): Float64Array {
  const n = values.length;
  const stream = randomStream("eigen", seed);
  const m = new Float64Array(n * n);
  values.forEach((value, i) => (m[i * n + i] = value));
  for (let turn = 0; turn < 6 * n && n > 1; turn++) {
    const i = stream.integer(n);
    const j = (i + 1 + stream.integer(n - 1)) % n;
    const angle = stream.uniform(0, Math.PI);
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    for (let p = 0; p < n; p++) {
      const [x, y] = [m[i * n + p], m[j * n + p]];
      m[i * n + p] = c * x - s * y;
      m[j * n + p] = s * x + c * y;
    }
    for (let p = 0; p < n; p++) {
      const [x, y] = [m[p * n + i], m[p * n + j]];
      m[p * n + i] = c * x - s * y;
      m[p * n + j] = s * x + c * y;
    }
  }
  return m;
}

it("gives back the values a matrix was made from, repeated and tiny ones too", () => {
  const value = fc.oneof(
    fc.double({ min: -100, max: 100, noNaN: true }),
    fc.constantFrom(0, 1, 1e-9, 50),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 24 }), fc.nat(1000), (values, seed) => {
      const found = symmetricEigenvalues(withEigenvalues(values, seed), values.length);
      close(
        found,
        [...values].sort((a, b) => b - a),
        9,
      );
    }),
  );
});
