import { lax, nn, numpy as np } from "@jax-js/jax";

import {
  constant,
  type Initial,
  type InitialSpec,
  type Kernels,
  kernelStart,
  uniformFanIn,
} from "./initial.ts";
import { type Layer, plain } from "./layer.ts";

/**
 * Sizes of a convolution. Padding is on each side, in pixels; "same" is TensorFlow's: as much as makes the
 * result a `stride`-th of the size, rounded up, an odd pixel more behind. No bias unless asked.
 */
export type ConvOptions = {
  kernel: number;
  stride?: number;
  padding?: number | "same";
  groups?: number;
  bias?: boolean;
  initial?: Initial | Kernels;
};

/** Pixels before and behind an axis of `size`. */
function sides(size: number, { kernel, stride = 1, padding = 0 }: ConvOptions): [number, number] {
  if (padding !== "same") return [padding, padding];
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

/** Convolution of [N, inputs, H, W] with `${name}.weight` [outputs, inputs / groups, k, k]. */
export function conv(name: string, inputs: number, outputs: number, options: ConvOptions): Layer {
  const { kernel, stride = 1, groups = 1, bias = false } = options;
  const { initial = "heFanOut" } = options;
  const shape = [outputs, inputs / groups, kernel, kernel];
  const weightSpec: InitialSpec = {
    shape,
    decay: true,
    initial: typeof initial === "string" ? kernelStart(initial, shape) : initial,
  };
  const biasSpec: InitialSpec = {
    shape: [outputs],
    decay: false,
    initial: uniformFanIn((inputs / groups) * kernel * kernel),
  };
  return {
    parameters: {
      [`${name}.weight`]: weightSpec,
      ...(bias ? { [`${name}.bias`]: biasSpec } : {}),
    },
    statistics: {},
    apply(scope, x) {
      const padding = x.shape.slice(2).map((size) => sides(size, options));
      const y = lax.convGeneralDilated(x, scope.take(`${name}.weight`), [stride, stride], padding, {
        featureGroupCount: groups,
      }); // [N, outputs, H', W']
      return bias ? y.add(scope.take(`${name}.bias`).reshape([1, outputs, 1, 1])) : y;
    },
  };
}

/** Linear map of the last axis with `${name}.weight` [outputs, inputs], as in PyTorch. */
export function linear(
  name: string,
  inputs: number,
  outputs: number,
  { bias = true, initial }: { bias?: boolean; initial?: Initial } = {},
): Layer {
  const weight: InitialSpec = {
    shape: [outputs, inputs],
    decay: true,
    initial: initial ?? uniformFanIn(inputs),
  };
  const offset: InitialSpec = {
    shape: [outputs],
    decay: false,
    initial: initial === undefined ? uniformFanIn(inputs) : { kind: "constant", value: 0 },
  };
  return {
    parameters: { [`${name}.weight`]: weight, ...(bias ? { [`${name}.bias`]: offset } : {}) },
    statistics: {},
    apply(scope, x) {
      const y = np.matmul(x, scope.take(`${name}.weight`).transpose()); // [..., outputs]
      return bias ? y.add(scope.take(`${name}.bias`)) : y;
    },
  };
}

/** The last axis times the learned factors `name`, which start at `initial`. */
export function scale(name: string, size: number, initial: number): Layer {
  return {
    parameters: { [name]: constant(size, initial) },
    statistics: {},
    apply: (scope, x) => x.mul(scope.take(name)),
  };
}

/** max(x, 0). */
export const relu: Layer = plain((x) => nn.relu(x));

/** Mean over height and width: [N, C, H, W] to [N, C]. */
export const averagePool: Layer = plain((x) => x.mean([2, 3]));

/** Maximum over 2i − 1, 2i, 2i + 1 along one axis of non-negative values. Halves the axis, rounding up. */
function maximumOfThree(x: np.Array, axis: 2 | 3): np.Array {
  const widths = (before: number, after: number): [number, number][] =>
    x.shape.map((_, i) => (i === axis ? [before, after] : [0, 0]));
  const odd = x.shape[axis] % 2 === 1;
  const even = odd ? np.pad(x, widths(0, 1)) : x; // zero never wins against values ≥ 0
  const half = even.shape[axis] / 2;
  const shape = [...even.shape.slice(0, axis), half, 2, ...even.shape.slice(axis + 1)];
  const [at, next] = np
    .split(even.reshape(shape), 2, axis + 1)
    .map((part) => part.reshape([...shape.slice(0, axis + 1), ...shape.slice(axis + 2)]));
  const front: ([] | [number, number])[] = x.shape.map((_, i) => (i === axis ? [0, half] : []));
  const before = np.pad(next.ref, widths(1, 0)).slice(...front); // position 2i − 1
  return np.maximum(np.maximum(at, next), before);
}

/**
 * 3 × 3 maximum with stride 2 and padding 1 over values that are not negative (after a ReLU), where
 * padding with 0 is padding with −∞. Two passes of three, without unfolding windows.
 */
export const maxPoolOfPositive = (x: np.Array): np.Array => maximumOfThree(maximumOfThree(x, 2), 3);

/** `maxPoolOfPositive` as a layer. */
export const maxPool: Layer = plain(maxPoolOfPositive);
