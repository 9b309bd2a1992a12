import { createRowProducts } from "./createRowProducts.ts";
import type { Objective } from "./lbfgs.ts";
import type { Features } from "./features.ts";

/** What makes each column of features have mean 0 and deviation 1. Constant columns become 0. */
export type Scale = { readonly mean: Float64Array; readonly factor: Float64Array }; // [D] each

/** Mean and 1 / deviation of every column. */
export function scaleOf({ data, count, dimension }: Features): Scale {
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
  const factor = squared.map((value, e) => {
    const rounding = 1e-12 * mean[e] ** 2; // the least a float32 column that varies can show
    return value > Math.max(rounding, 1e-60) ? 1 / Math.sqrt(value) : 0;
  });
  return { mean, factor };
}

/** Features with mean 0 and deviation 1 by column, as a scale says. */
export function standardise(
  { data, count, dimension }: Features,
  { mean, factor }: Scale,
): Features {
  const out = data.map((value, i) => (value - mean[i % dimension]) * factor[i % dimension]);
  return { data: out, count, dimension };
}

/** Scaled features with a last column of ones, which the bias is the weight of. */
export function scaled({ data, count, dimension }: Features, { mean, factor }: Scale): Features {
  const width = dimension + 1;
  const out = new Float32Array(count * width).fill(1);
  for (let i = 0; i < count; i++) {
    for (let e = 0; e < dimension; e++) {
      out[i * width + e] = (data[i * dimension + e] - mean[e]) * factor[e];
    }
  }
  return { data: out, count, dimension: width };
}

/** Products of some weights [classes, D] with fixed rows [N, D]. */
type Scorer = { scores: (weights: Float64Array) => Float32Array; width: number }; // [classes, width ≥ N]

function scorer({ data, count, dimension }: Features, classes: number): Scorer {
  const { a, b, out, stride, multiply } = createRowProducts(dimension, classes, count);
  for (let i = 0; i < count; i++) {
    b.set(data.subarray(i * dimension, (i + 1) * dimension), i * stride);
  }
  const scores = (weights: Float64Array) => {
    for (let c = 0; c < classes; c++) {
      a.set(weights.subarray(c * dimension, (c + 1) * dimension), c * stride);
    }
    multiply(classes);
    return out;
  };
  return { scores, width: b.length / stride };
}

/** (softmax − one-hot) / N in place of scores [classes, width]; returns the mean cross-entropy in nats. */
export function residuals(
  scores: Float32Array,
  width: number,
  classes: number,
  labels: ArrayLike<number>,
): number {
  const count = labels.length;
  const most = new Float64Array(count).fill(-Infinity);
  const sum = new Float64Array(count);
  let loss = 0;
  const rows = Array.from({ length: classes }, (_, c) =>
    scores.subarray(c * width, c * width + count),
  );
  for (const row of rows) for (let i = 0; i < count; i++) if (row[i] > most[i]) most[i] = row[i];
  for (let i = 0; i < count; i++) loss += most[i] - rows[labels[i]][i];
  for (const row of rows) {
    for (let i = 0; i < count; i++) sum[i] += row[i] = Math.exp(row[i] - most[i]);
  }
  for (let i = 0; i < count; i++) loss += Math.log(sum[i]);
  for (const row of rows) for (let i = 0; i < count; i++) row[i] /= sum[i] * count;
  for (let i = 0; i < count; i++) rows[labels[i]][i] -= 1 / count;
  return loss / count;
}

/** For an l2: mean cross-entropy + l2·‖W‖²/2 (without the bias) and its gradient, of W [classes, D]. */
export function crossEntropy(
  features: Features, // scaled, last column of ones
  labels: ArrayLike<number>,
  classes: number,
): (l2: number) => Objective {
  const { data, count, dimension } = features;
  const { scores, width } = scorer(features, classes);
  const back = createRowProducts(count, classes, dimension); // R [classes, N] · X [N, D], over the images
  for (let i = 0; i < count; i++) {
    for (let e = 0; e < dimension; e++) back.b[e * back.stride + i] = data[i * dimension + e];
  }
  const backWidth = back.b.length / back.stride;
  return (l2) => (weights, gradient) => {
    const out = scores(weights);
    let value = residuals(out, width, classes, labels);
    for (let c = 0; c < classes; c++) {
      back.a.set(out.subarray(c * width, c * width + count), c * back.stride);
    }
    back.multiply(classes);
    for (let c = 0; c < classes; c++) {
      for (let e = 0; e < dimension; e++) {
        const at = c * dimension + e;
        const penalised = e === dimension - 1 ? 0 : weights[at]; // not the bias
        value += (l2 / 2) * penalised * penalised;
        gradient[at] = back.out[c * backWidth + e] + l2 * penalised;
      }
    }
    return value;
  };
}

/** The class with the highest score of each row [N]; the lowest of equals. */
export function predict(features: Features, weights: Float64Array, classes: number): Int32Array {
  const { scores, width } = scorer(features, classes);
  const out = scores(weights);
  return Int32Array.from({ length: features.count }, (_, i) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (out[c * width + i] > out[best * width + i]) best = c;
    return best;
  });
}

/** Mean cross-entropy of weights [classes, D] on labelled features, in nats. */
export function meanCrossEntropy(
  features: Features, // scaled, last column of ones
  labels: ArrayLike<number>,
  weights: Float64Array,
  classes: number,
): number {
  const { scores, width } = scorer(features, classes);
  return residuals(scores(weights), width, classes, labels);
}
