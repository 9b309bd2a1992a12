import { nn, numpy as np } from "@jax-js/jax";

import { sizeOf } from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import {
  array,
  Blocked,
  type Call,
  given,
  numberOf,
  numbersOf,
  type Operator,
  textOf,
} from "./call.ts";
import { mapped, reduced } from "./hostArrays.ts";
import { arrayOf, axisOf, isHost } from "./values.ts";

const gemm: Operator = (call) => {
  const side = (i: number, name: string) => {
    const x = array(call, i);
    return numberOf(call, name, 0) === 1 ? x.transpose() : x;
  };
  const [alpha, beta] = [numberOf(call, "alpha", 1), numberOf(call, "beta", 1)];
  const product = np.matmul(side(0, "transA"), side(1, "transB"));
  const scaled = alpha === 1 ? product : product.mul(alpha);
  if (call.inputs[2] === undefined) return scaled;
  const offset = array(call, 2);
  return scaled.add(beta === 1 ? offset : offset.mul(beta));
};

/** An equation as numbers of axes, since jax-js 0.1.25 reads texts with what Node 20 lacks. */
function axesIn(equation: string): { inputs: number[][]; output: number[] } {
  const [left, right] = equation.replaceAll(" ", "").split("->");
  const letters = [...left.replaceAll(",", "")];
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  const numbers = (text: string | string[]) => [...text].map((letter) => letter.charCodeAt(0));
  if (equation.includes(".")) throw new DataError(`has the equation ${equation}, with an ellipsis`);
  return { inputs: left.split(",").map(numbers), output: numbers(right ?? once.sort()) };
}

const einsum: Operator = (call) => {
  const { inputs, output } = axesIn(textOf(call, "equation", ""));
  return np.einsum(...inputs.flatMap((axes, i) => [array(call, i), axes]), output);
};

/** Softmax over an axis; before opset 13 over it and all behind it. */
const softmax =
  (f: (x: np.Array, axis: number | number[]) => np.Array): Operator =>
  (call) => {
    const x = array(call, 0);
    const rank = x.shape.length;
    const axis = axisOf(numberOf(call, "axis", call.opset < 13 ? 1 : -1), rank);
    if (call.opset >= 13 || axis === rank - 1) return f(x, axis);
    const { shape } = x;
    return f(x.reshape([sizeOf(shape.slice(0, axis)), -1]), 1).reshape(shape);
  };

/** Numbers to mean 0 and variance 1 over some axes. */
function standardised(x: np.Array, axes: number[], epsilon: number): np.Array {
  const centred = x.ref.sub(x.mean(axes, { keepdims: true }));
  const variance = np.square(centred.ref).mean(axes, { keepdims: true });
  return centred.mul(np.reciprocal(np.sqrt(variance.add(epsilon))));
}

/** Times factors and plus offsets, where they are there. */
function affine(call: Call, x: np.Array, shape: readonly number[]): np.Array {
  const scaled = x.mul(array(call, 1).reshape([...shape]));
  return call.inputs[2] === undefined ? scaled : scaled.add(array(call, 2).reshape([...shape]));
}

const epsilonOf = (call: Call) => numberOf(call, "epsilon", 1e-5);

const layerNormalization: Operator = (call) => {
  const x = array(call, 0);
  const axis = axisOf(numberOf(call, "axis", -1), x.shape.length);
  const axes = x.shape.map((_, i) => i).slice(axis);
  return affine(call, standardised(x, axes, epsilonOf(call)), x.shape.slice(axis));
};

const alongChannels = (x: np.Array) => [1, -1, ...x.shape.slice(2).map(() => 1)];

const instanceNormalization: Operator = (call) => {
  const x = array(call, 0);
  const axes = x.shape.map((_, i) => i).slice(2);
  return affine(call, standardised(x, axes, epsilonOf(call)), alongChannels(x));
};

/** Factors and offsets are one a group, as they are up to opset 20. */
const groupNormalization: Operator = (call) => {
  const x = array(call, 0);
  const { shape } = x;
  const groups = numberOf(call, "num_groups", 1);
  const unit = standardised(x.reshape([shape[0], groups, -1]), [2], epsilonOf(call));
  return affine(call, unit, [1, groups, 1]).reshape(shape);
};

/** With the statistics of the file, whatever the batch: nothing leaks between the images of one. */
const batchNormalization: Operator = (call) => {
  const [x, weight, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => array(call, i));
  if (numberOf(call, "training_mode", 0) === 1) {
    throw new DataError(
      "takes its statistics from the batch: the model was exported in training mode",
    );
  }
  const scale = np.reciprocal(np.sqrt(variance.add(epsilonOf(call)))).mul(weight); // [C]
  const offset = bias.sub(mean.mul(scale.ref)); // [C]
  const along = alongChannels(x);
  return x.mul(scale.reshape(along)).add(offset.reshape(along));
};

const TINY = 1e-30; // the root's slope at 0 would be infinite

const root = (x: np.Array) => np.sqrt(np.maximum(x, TINY));

type Reduction = {
  host?: (values: readonly number[]) => number;
  traced?: (x: np.Array, axes: number[], keepdims: boolean) => np.Array;
};

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

const reductions: Record<string, Reduction> = {
  ReduceMean: {
    host: (values) => sum(values) / values.length,
    traced: (x, axes, keepdims) => x.mean(axes, { keepdims }),
  },
  ReduceSum: { host: sum, traced: (x, axes, keepdims) => x.sum(axes, { keepdims }) },
  ReduceMax: {
    host: (values) => values.reduce((a, b) => Math.max(a, b)),
    traced: (x, axes, keepdims) => np.max(x, axes, { keepdims }),
  },
  ReduceMin: {
    host: (values) => values.reduce((a, b) => Math.min(a, b)),
    traced: (x, axes, keepdims) => np.min(x, axes, { keepdims }),
  },
  ReduceProd: { host: (values) => values.reduce((a, b) => a * b, 1) },
  ReduceL1: { traced: (x, axes, keepdims) => np.absolute(x).sum(axes, { keepdims }) },
  ReduceL2: { traced: (x, axes, keepdims) => root(np.square(x).sum(axes, { keepdims })) },
  ReduceSumSquare: { traced: (x, axes, keepdims) => np.square(x).sum(axes, { keepdims }) },
};

const reduction =
  ({ host, traced }: Reduction): Operator =>
  (call) => {
    const x = given(call, 0);
    const keep = numberOf(call, "keepdims", 1) === 1;
    const asked = numbersOf(call, "axes", 1) ?? [];
    if (asked.length === 0 && numberOf(call, "noop_with_empty_axes", 0) === 1) return x;
    const axes =
      asked.length === 0
        ? x.shape.map((_, i) => i)
        : asked.map((axis) => axisOf(axis, x.shape.length));
    if (isHost(x) && host !== undefined) return reduced(x, axes, keep, host);
    if (traced === undefined) throw new Blocked("passes no gradient");
    return traced(arrayOf(x), axes, keep);
  };

/** Over height and width, which stay with size 1. */
const globally =
  (f: (x: np.Array, axes: number[]) => np.Array): Operator =>
  (call) => {
    const x = array(call, 0);
    return f(x, x.shape.map((_, i) => i).slice(2));
  };

const matmul: Operator = (call) => {
  const [a, b] = [given(call, 0), given(call, 1)];
  const outer = isHost(a) && isHost(b) && a.shape.at(-1) === 1 && b.shape.at(-2) === 1;
  if (outer) return mapped(a.type, [a, b], (x, y) => x * y); // of positions and frequencies
  return np.matmul(arrayOf(a), arrayOf(b));
};

/** Operators that sum: products, norms, means. */
export const products: Readonly<Record<string, Operator>> = {
  MatMul: matmul,
  Gemm: gemm,
  Einsum: einsum,
  Softmax: softmax((x, axis) => nn.softmax(x, axis)),
  LogSoftmax: softmax((x, axis) => nn.logSoftmax(x, axis)),
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  BatchNormalization: batchNormalization,
  GlobalAveragePool: globally((x, axes) => x.mean(axes, { keepdims: true })),
  GlobalMaxPool: globally((x, axes) => np.max(x, axes, { keepdims: true })),
  ...Object.fromEntries(Object.entries(reductions).map(([name, rule]) => [name, reduction(rule)])),
};
