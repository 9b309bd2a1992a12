import type { HostRecord } from "../../src/core/arrays.ts";

/** Layers as slow loops over plain numbers, from their definitions alone. */

type Vector = number[];
type Matrix = Vector[];
/** Channels of rows of columns. */
export type Maps = number[][][];

/** Error function by its series, good to 1e-12 for |x| ≤ 4. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 90; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const clip6 = (x: number) => Math.min(6, Math.max(0, x));

/** Activations from their definitions. */
export const functions: Record<string, (x: number) => number> = {
  relu: (x) => Math.max(0, x),
  relu6: clip6,
  hardSwish: (x) => (x * clip6(x + 3)) / 6,
  silu: (x) => x * sigmoid(x),
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  geluTanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  quickGelu: (x) => x * sigmoid(1.702 * x),
};

const mean = (values: Vector) => values.reduce((sum, value) => sum + value, 0) / values.length;

export function layerNorm(arrays: HostRecord, name: string, x: Vector, epsilon: number): Vector {
  const middle = mean(x);
  const variance = mean(x.map((value) => (value - middle) ** 2));
  const [weight, bias] = [arrays[`${name}.weight`].data, arrays[`${name}.bias`].data];
  return x.map((v, i) => ((v - middle) / Math.sqrt(variance + epsilon)) * weight[i] + bias[i]);
}

export function linear(arrays: HostRecord, name: string, x: Vector): Vector {
  const { data, shape } = arrays[`${name}.weight`];
  const bias = arrays[`${name}.bias`]?.data;
  return Array.from({ length: shape[0] }, (_, o) =>
    x.reduce((sum, v, i) => sum + v * data[o * x.length + i], bias?.[o] ?? 0),
  );
}

function softmax(x: Vector): Vector {
  const powers = x.map((value) => Math.exp(value - Math.max(...x)));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}

const dot = (a: Vector, b: Vector) => a.reduce((sum, v, i) => sum + v * b[i], 0);

/** What each query finds, head by head. */
export function attend(queries: Matrix, keys: Matrix, values: Matrix, heads: number): Matrix {
  const size = queries[0].length / heads;
  const part = (x: Vector, head: number) => x.slice(head * size, (head + 1) * size);
  return queries.map((query) =>
    Array.from({ length: heads }, (_, head) => {
      const asked = part(query, head);
      const weights = softmax(keys.map((key) => dot(asked, part(key, head)) / Math.sqrt(size)));
      return Array.from({ length: size }, (__, d) =>
        dot(
          weights,
          values.map((value) => part(value, head)[d]),
        ),
      );
    }).flat(),
  );
}

/** Convolution of one image; `before` pixels of zeros above and left, as many as needed below and right. */
export function convolve(
  arrays: HostRecord,
  name: string,
  x: Maps,
  {
    stride,
    before,
    side,
    groups,
  }: { stride: number; before: number; side: number; groups: number },
): Maps {
  const { data, shape } = arrays[`${name}.weight`];
  const [outputs, within, kernel] = shape;
  const bias = arrays[`${name}.bias`]?.data;
  const cells = Array.from({ length: side }, (_, i) => i);
  return Array.from({ length: outputs }, (_, o) => {
    const from = Math.floor(o / (outputs / groups)) * within;
    return cells.map((row) =>
      cells.map((column) => {
        let sum = bias?.[o] ?? 0;
        for (let c = 0; c < within; c++)
          for (let i = 0; i < kernel; i++)
            for (let j = 0; j < kernel; j++) {
              const pixel = x[from + c][row * stride + i - before]?.[column * stride + j - before];
              sum += (pixel ?? 0) * data[((o * within + c) * kernel + i) * kernel + j];
            }
        return sum;
      }),
    );
  });
}

/** Batch norm of one image with running statistics. */
export function runningNorm(arrays: HostRecord, name: string, x: Maps, epsilon: number): Maps {
  const [weight, bias, middle, variance] = ["weight", "bias", "running_mean", "running_var"].map(
    (part) => arrays[`${name}.${part}`].data,
  );
  return x.map((rows, c) =>
    rows.map((row) =>
      row.map((v) => ((v - middle[c]) / Math.sqrt(variance[c] + epsilon)) * weight[c] + bias[c]),
    ),
  );
}

/** Every number of maps through a function. */
export const each = (x: Maps, f: (value: number, channel: number) => number): Maps =>
  x.map((rows, c) => rows.map((row) => row.map((value) => f(value, c))));

/** Two maps added. */
export const sum = (a: Maps, b: Maps): Maps =>
  a.map((rows, c) => rows.map((row, i) => row.map((value, j) => value + b[c][i][j])));

/** The mean of each channel. */
export const pooled = (x: Maps): Vector => x.map((rows) => mean(rows.flat()));

/** Mean of vectors. */
export const meanOf = (rows: Matrix): Vector => rows[0].map((_, i) => mean(rows.map((r) => r[i])));
