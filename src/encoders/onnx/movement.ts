import { numpy as np } from "@jax-js/jax";

import { sizeOf } from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import type { OnnxTensor } from "../../engine/index.ts";
import {
  array,
  type Call,
  given,
  host,
  hostIf,
  listOf,
  numberOf,
  numbersOf,
  type Operator,
  textOf,
} from "./call.ts";
import { broadcastShape, integers, single, tensor } from "./hostArrays.ts";
import {
  axisOf,
  concat,
  expand,
  isHost,
  reshape,
  sliced,
  take,
  transpose,
  type Value,
} from "./values.ts";

const shapeGiven = (call: Call, i: number): number[] => Array.from(host(call, i).data);

const shape: Operator = (call) => {
  const { shape: whole } = given(call, 0);
  return integers(whole.slice(numberOf(call, "start", 0), numberOf(call, "end", whole.length)));
};

const reshaped: Operator = (call) => {
  const x = given(call, 0);
  const keepZero = numberOf(call, "allowzero", 0) === 1;
  const asked = shapeGiven(call, 1).map((size, i) => (size === 0 && !keepZero ? x.shape[i] : size));
  const known = sizeOf(asked.filter((size) => size !== -1));
  return reshape(
    x,
    asked.map((size) => (size === -1 ? sizeOf(x.shape) / known : size)),
  );
};

const flatten: Operator = (call) => {
  const x = given(call, 0);
  const axis = numberOf(call, "axis", 1);
  const at = axis < 0 ? axis + x.shape.length : axis;
  return reshape(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]);
};

const transposed: Operator = (call) => {
  const x = given(call, 0);
  const turned = x.shape.map((_, i) => x.shape.length - 1 - i);
  return transpose(x, listOf(call, "perm") ?? turned);
};

const squeeze: Operator = (call) => {
  const x = given(call, 0);
  const axes = numbersOf(call, "axes", 1)?.map((axis) => axisOf(axis, x.shape.length));
  const goes = (size: number, i: number) => (axes === undefined ? size === 1 : axes.includes(i));
  return reshape(
    x,
    x.shape.filter((size, i) => !goes(size, i)),
  );
};

const unsqueeze: Operator = (call) => {
  const x = given(call, 0);
  const axes = numbersOf(call, "axes", 1) ?? [];
  const rank = x.shape.length + axes.length;
  const places = axes.map((axis) => axisOf(axis, rank));
  const left = [...x.shape];
  return reshape(
    x,
    Array.from({ length: rank }, (_, i) => (places.includes(i) ? 1 : left.shift()!)),
  );
};

const expanded: Operator = (call) => {
  const x = given(call, 0);
  return expand(x, broadcastShape(x.shape, shapeGiven(call, 1)));
};

const tile: Operator = (call) => {
  const x = given(call, 0);
  const repeats = shapeGiven(call, 1);
  const apart = x.shape.flatMap((size) => [1, size]);
  const wide = x.shape.flatMap((size, i) => [repeats[i], size]);
  const whole = x.shape.map((size, i) => size * repeats[i]);
  return reshape(expand(reshape(x, apart), wide), whole);
};

const concatenated: Operator = (call) => {
  const values = call.inputs.map((_, i) => given(call, i));
  return concat(values, axisOf(numberOf(call, "axis", 0), values[0].shape.length));
};

/** Sizes of the parts: as asked, or as many equal ones as there are outputs, the last smaller. */
function partsOf(call: Call, size: number): readonly number[] {
  const asked = numbersOf(call, "split", 1);
  if (asked !== undefined) return asked;
  const count = call.node.outputs.length;
  const each = Math.ceil(size / count);
  return Array.from({ length: count }, (_, i) => Math.min(each, size - i * each));
}

const split: Operator = (call) => {
  const x = given(call, 0);
  const axis = axisOf(numberOf(call, "axis", 0), x.shape.length);
  const parts = partsOf(call, x.shape[axis]);
  let from = 0;
  const made = parts.map((count) => {
    const part = sliced(isHost(x) ? x : x.ref, axis, from, count, 1);
    from += count;
    return part;
  });
  if (!isHost(x)) x.dispose();
  return made;
};

const clamp = (value: number, least: number, most: number) =>
  Math.min(most, Math.max(least, value));

/** First place and number of entries of a slice of `size`, as numpy counts them. */
function cut(size: number, start: number, end: number, step: number): [number, number] {
  const from = (place: number) => (place < 0 ? place + size : place);
  const [first, last] =
    step > 0
      ? [clamp(from(start), 0, size), clamp(from(end), 0, size)]
      : [clamp(from(start), -1, size - 1), clamp(from(end), -1, size - 1)];
  return [first, Math.max(0, Math.ceil((last - first) / step))];
}

const slice: Operator = (call) => {
  const [starts, ends] = [host(call, 1).data, host(call, 2).data];
  const axes = hostIf(call, 3)?.data;
  const steps = hostIf(call, 4)?.data;
  return Array.from(starts).reduce(
    (x: Value, start, i) => {
      const axis = axisOf(axes?.[i] ?? i, x.shape.length);
      const step = steps?.[i] ?? 1;
      if (step === 0) throw new DataError("slices with a step of 0");
      const [first, count] = cut(x.shape[axis], start, ends[i], step);
      return sliced(x, axis, first, count, step);
    },
    given(call, 0),
  );
};

const gather: Operator = (call) => {
  const x = given(call, 0);
  return take(x, host(call, 1), axisOf(numberOf(call, "axis", 0), x.shape.length));
};

/** Entries in front and behind along an axis, mirrored without the edge, or the edge repeated. */
function around(kind: string, size: number, before: number, after: number): number[] {
  const most = 16 * size; // more than any use of it
  if (!(before <= most && after <= most && before + size + after >= 0)) {
    throw new DataError(`pads ${size} numbers by ${before} and ${after}`);
  }
  const places = Array.from({ length: before + size + after }, (_, i) => i - before);
  if (kind === "edge") return places.map((place) => clamp(place, 0, size - 1));
  if (kind === "wrap") return places.map((place) => ((place % size) + size) % size);
  if (kind !== "reflect") throw new DataError(`pads by ${kind}, which is not known here`);
  const period = Math.max(1, 2 * (size - 1));
  return places.map((place) => {
    const at = ((place % period) + period) % period;
    return at < size ? at : period - at;
  });
}

const filled = (like: Value, shape: readonly number[], value: number): Value =>
  isHost(like)
    ? tensor(like.type, shape, () => value)
    : np.full([...shape], value, { dtype: np.float32 });

/** An axis with `before` and `after` entries of one value around it; fewer where they are below 0. */
function padAxis(x: Value, axis: number, before: number, after: number, value: number): Value {
  const size = x.shape[axis];
  const [from, end] = [Math.max(0, -before), size - Math.max(0, -after)];
  const inner = before < 0 || after < 0 ? sliced(x, axis, from, end - from, 1) : x;
  if (!isHost(inner) && value === 0) {
    const width = inner.shape.map((_, i): [number, number] =>
      i === axis ? [Math.max(0, before), Math.max(0, after)] : [0, 0],
    );
    return np.pad(inner, width);
  }
  const part = (count: number) =>
    count <= 0
      ? []
      : [
          filled(
            inner,
            inner.shape.map((each, i) => (i === axis ? count : each)),
            value,
          ),
        ];
  return concat([...part(before), inner, ...part(after)], axis);
}

const pad: Operator = (call) => {
  const x = given(call, 0);
  const pads = numbersOf(call, "pads", 1) ?? [];
  const value = hostIf(call, 2)?.data[0] ?? 0;
  const kind = textOf(call, "mode", "constant");
  const axes = numbersOf(call, "axes", 3) ?? x.shape.map((_, i) => i);
  return axes.reduce((y: Value, named, i) => {
    const axis = axisOf(named, x.shape.length);
    const [before, after] = [pads[i], pads[i + axes.length]];
    if (before === 0 && after === 0) return y;
    if (kind === "constant") return padAxis(y, axis, before, after, value);
    return take(y, integers(around(kind, y.shape[axis], before, after)), axis);
  }, x);
};

const constant: Operator = (call) => {
  const { attributes } = call.node;
  const value = attributes.get("value");
  if (typeof value === "object" && "data" in value) return value;
  for (const [name, type] of [
    ["value_int", "int64"],
    ["value_float", "float32"],
  ]) {
    const one = attributes.get(name);
    if (typeof one === "number") return single(type, one);
    const list = listOf(call, `${name}s`);
    if (list !== undefined) return tensor(type, [list.length], (i) => list[i]);
  }
  throw new DataError("holds no numbers");
};

const constantOfShape: Operator = (call) => {
  const value = call.node.attributes.get("value");
  const isTensor = typeof value === "object" && "data" in value;
  const { type, data }: Pick<OnnxTensor, "type" | "data"> = isTensor
    ? value
    : { type: "float32", data: Float32Array.of(0) };
  return tensor(type, shapeGiven(call, 0), () => data[0]);
};

const range: Operator = (call) => {
  const first = host(call, 0);
  const [start, limit, delta] = [0, 1, 2].map((i) => host(call, i).data[0]);
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  return tensor(first.type, [count], (i) => start + i * delta);
};

/** [N, C · b², H, W] to [N, C, H · b, W · b]. */
const depthToSpace: Operator = (call) => {
  const x = array(call, 0);
  const [n, c, h, w] = x.shape;
  const b = numberOf(call, "blocksize", 1);
  const wide = [n, c / b ** 2, h * b, w * b];
  return textOf(call, "mode", "DCR") === "DCR"
    ? x
        .reshape([n, b, b, c / b ** 2, h, w])
        .transpose([0, 3, 4, 1, 5, 2])
        .reshape(wide)
    : x
        .reshape([n, c / b ** 2, b, b, h, w])
        .transpose([0, 1, 4, 2, 5, 3])
        .reshape(wide);
};

/** [N, C, H, W] to [N, C · b², H / b, W / b]. */
const spaceToDepth: Operator = (call) => {
  const x = array(call, 0);
  const [n, c, h, w] = x.shape;
  const b = numberOf(call, "blocksize", 1);
  const apart = x.reshape([n, c, h / b, b, w / b, b]).transpose([0, 3, 5, 1, 2, 4]);
  return apart.reshape([n, c * b ** 2, h / b, w / b]);
};

const identity: Operator = (call) => given(call, 0);

/** Operators that move numbers, make constants, or tell shapes. */
export const movement: Readonly<Record<string, Operator>> = {
  Shape: shape,
  Size: (call) => single("int64", sizeOf(given(call, 0).shape)),
  Reshape: reshaped,
  Flatten: flatten,
  Transpose: transposed,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Expand: expanded,
  Tile: tile,
  Concat: concatenated,
  Split: split,
  Slice: slice,
  Gather: gather,
  Pad: pad,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Identity: identity,
  Dropout: identity, // as in use, not in training: the start's features stay what they are
};
