import { lax, numpy as np } from "@jax-js/jax";

import { sizeOf } from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import { maxPoolOfPositive } from "../layers.ts";
import { array, type Call, listOf, numberOf, type Operator, textOf } from "./call.ts";
import { tensor } from "./hostArrays.ts";
import { arrayOf, sliced } from "./values.ts";

/** How a window moves along one axis. */
type Axis = {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
};

/** Pixels around an axis: as written, or as TensorFlow's SAME has them. */
function padsOf(call: Call, { size, kernel, stride, dilation }: Axis, i: number, rank: number) {
  const kind = textOf(call, "auto_pad", "NOTSET");
  const pads = listOf(call, "pads") ?? [];
  if (kind === "NOTSET" || kind === "") {
    return { before: pads[i] ?? 0, after: pads[i + rank] ?? 0 };
  }
  if (kind === "VALID") return { before: 0, after: 0 };
  const total = Math.max(
    0,
    (Math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size,
  );
  const less = Math.floor(total / 2);
  return kind === "SAME_UPPER"
    ? { before: less, after: total - less }
    : { before: total - less, after: less };
}

const MOST = 4096; // numbers along a window

function axesOf(call: Call, x: np.Array, kernels: readonly number[]): Axis[] {
  const [strides, dilations] = [listOf(call, "strides"), listOf(call, "dilations")];
  const rank = kernels.length;
  if (x.shape.length !== rank + 2) {
    throw new DataError(`has a window of ${rank} axes for [${x.shape.join(", ")}]`);
  }
  return kernels.map((kernel, i) => {
    if (!(kernel >= 1 && kernel <= MOST)) {
      throw new DataError(`has a window of ${kernel}, expected 1 to ${MOST}`);
    }
    const stride = strides?.[i] ?? 1;
    const axis = { size: x.shape[2 + i], kernel, stride, dilation: dilations?.[i] ?? 1 };
    return { ...axis, ...padsOf(call, { ...axis, before: 0, after: 0 }, i, rank) };
  });
}

const conv: Operator = (call) => {
  const [x, kernel] = [array(call, 0), array(call, 1)];
  const axes = axesOf(call, x, kernel.shape.slice(2));
  const y = lax.convGeneralDilated(
    x,
    kernel,
    axes.map(({ stride }) => stride),
    axes.map(({ before, after }): [number, number] => [before, after]),
    {
      rhsDilation: axes.map(({ dilation }) => dilation),
      featureGroupCount: numberOf(call, "group", 1),
    },
  );
  if (call.inputs[2] === undefined) return y;
  return y.add(array(call, 2).reshape([1, -1, ...axes.map(() => 1)]));
};

/** How many windows an axis has. */
function countOf({ size, kernel, stride, dilation, before, after }: Axis, ceil: boolean): number {
  const room = size + before + after - ((kernel - 1) * dilation + 1);
  const count = Math.floor(room / stride) + 1;
  if (room < 0) throw new DataError(`has a window of ${kernel} for ${size} numbers`);
  const begins = (window: number) => window * stride < size + before; // not in the padding behind
  return ceil && room % stride !== 0 && begins(count) ? count + 1 : count;
}

/** One value around an axis. */
function surrounded(x: np.Array, axis: number, before: number, after: number, value: number) {
  if (before <= 0 && after <= 0) return x;
  const part = (count: number) =>
    count <= 0
      ? []
      : [
          np.full(
            x.shape.map((size, i) => (i === axis ? count : size)),
            value,
            { dtype: np.float32 },
          ),
        ];
  return np.concatenate([...part(before), x, ...part(after)], axis);
}

/** Windows along one axis folded into a number each, `edge` standing around the array. */
function along(
  x: np.Array,
  at: number,
  axis: Axis,
  {
    count,
    edge,
    fold,
  }: { count: number; edge: number; fold: (a: np.Array, b: np.Array) => np.Array },
): np.Array {
  const { size, kernel, stride, dilation, before } = axis;
  const reach = (count - 1) * stride + (kernel - 1) * dilation + 1;
  const wide = surrounded(x, at, before, Math.max(0, reach - size - before), edge);
  const parts = Array.from({ length: kernel }, (_, i) =>
    arrayOf(sliced(wide.ref, at, i * dilation, count, stride)),
  );
  wide.dispose();
  return parts.reduce(fold);
}

const LOWEST = -3.4028234663852886e38; // of a float32: an infinite one has no slope

const maxPool: Operator = (call) => {
  const x = array(call, 0);
  const axes = axesOf(call, x, listOf(call, "kernel_shape") ?? []);
  const ceil = numberOf(call, "ceil_mode", 0) === 1;
  const usual = axes.every(
    ({ kernel, stride, dilation, before, after }) =>
      [kernel, stride, dilation, before].join() === "3,2,1,1" && after === 1,
  );
  if (usual && !ceil && axes.length === 2 && call.maker(0) === "Relu") return maxPoolOfPositive(x);
  const fold = (a: np.Array, b: np.Array) => np.maximum(a, b);
  return axes.reduce(
    (y, axis, i) => along(y, 2 + i, axis, { count: countOf(axis, ceil), edge: LOWEST, fold }),
    x,
  );
};

/** How many numbers of the array, or of it and its padding, each window of an axis has. */
function membersOf(axis: Axis, count: number, withPadding: boolean): number[] {
  const { size, kernel, stride, dilation, before, after } = axis;
  const [first, end] = withPadding ? [-before, size + after] : [0, size];
  return Array.from({ length: count }, (_, window) => {
    const places = Array.from(
      { length: kernel },
      (__, i) => window * stride - before + i * dilation,
    );
    return places.filter((place) => place >= first && place < end).length;
  });
}

const averagePool: Operator = (call) => {
  const x = array(call, 0);
  const axes = axesOf(call, x, listOf(call, "kernel_shape") ?? []);
  const ceil = numberOf(call, "ceil_mode", 0) === 1;
  const withPadding = numberOf(call, "count_include_pad", 0) === 1;
  const fold = (a: np.Array, b: np.Array) => a.add(b);
  const counts = axes.map((axis) => countOf(axis, ceil));
  const total = axes.reduce(
    (y, axis, i) => along(y, 2 + i, axis, { count: counts[i], edge: 0, fold }),
    x,
  );
  const members = axes.map((axis, i) => membersOf(axis, counts[i], withPadding));
  const kernel = sizeOf(axes.map((axis) => axis.kernel));
  if (members.every((list, i) => list.every((n) => n === axes[i].kernel)))
    return total.mul(1 / kernel);
  const shares = members.map((list, i) => {
    const shape = [1, 1, ...axes.map((_, j) => (j === i ? list.length : 1))];
    return arrayOf(tensor("float32", shape, (at) => 1 / list[at]));
  });
  return shares.reduce((y, share) => y.mul(share), total);
};

/** Operators on windows. */
export const windows: Readonly<Record<string, Operator>> = {
  Conv: conv,
  MaxPool: maxPool,
  AveragePool: averagePool,
};
