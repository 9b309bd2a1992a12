import { numpy as np } from "@jax-js/jax";

import { sizeOf } from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import type { OnnxTensor } from "../../engine/index.ts";
import { expanded, joined, stepsOf, strided, taken } from "./hostArrays.ts";

/** What stands between two nodes: numbers known before training, or an array of the traced program. */
export type Value = OnnxTensor | np.Array;

export const isHost = (value: Value): value is OnnxTensor => !("ndim" in value);

/** A value as an array of the program; floats only. */
export function arrayOf(value: Value): np.Array {
  if (!isHost(value)) return value;
  if (!value.type.startsWith("float")) {
    throw new DataError(`takes ${value.type} where floats are expected`);
  }
  return np.array(Float32Array.from(value.data), { shape: [...value.shape] });
}

/** An operand of an elementwise operation: a single number where that says it all, beside an array of `rank` axes. */
export function operandOf(value: Value, rank: number): np.Array | number {
  if (isHost(value) && value.data.length === 1 && value.shape.length <= rank) return value.data[0];
  return arrayOf(value);
}

export function dispose(value: Value): void {
  if (!isHost(value)) value.dispose();
}

/** The place of an axis that may count from the end. Throws `DataError` where there is none. */
export function axisOf(axis: number, rank: number): number {
  const place = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(place) && place >= 0 && place < rank) return place;
  throw new DataError(`names axis ${axis} of ${rank}`);
}

export function reshape(x: Value, shape: readonly number[]): Value {
  if (sizeOf(shape) !== sizeOf(x.shape)) {
    throw new DataError(`gives [${x.shape.join(", ")}] the shape [${shape.join(", ")}]`);
  }
  return isHost(x) ? { ...x, shape: [...shape] } : x.reshape([...shape]);
}

export function transpose(x: Value, perm: readonly number[]): Value {
  if (!isHost(x)) return x.transpose([...perm]);
  const steps = stepsOf(x.shape);
  return strided(
    x,
    perm.map((i) => x.shape[i]),
    perm.map((i) => steps[i]),
  );
}

export function expand(x: Value, shape: readonly number[]): Value {
  return isHost(x) ? expanded(x, shape) : np.broadcastTo(x, [...shape]);
}

export function concat(values: readonly Value[], axis: number): Value {
  if (values.every(isHost)) return joined(values, axis);
  const full = values.filter(({ shape }) => sizeOf(shape) > 0); // an empty one joins nothing
  return full.length === 1 ? full[0] : np.concatenate(full.map(arrayOf), axis);
}

/** Zeros behind an axis. */
function padBehind(x: np.Array, axis: number, count: number): np.Array {
  if (count <= 0) return x;
  return np.pad(
    x,
    x.shape.map((_, i): [number, number] => (i === axis ? [0, count] : [0, 0])),
  );
}

const range = (x: np.Array, axis: number, from: number, to: number): np.Array =>
  from === 0 && to === x.shape[axis]
    ? x
    : x.slice(...x.shape.map((_, i): [] | [number, number] => (i === axis ? [from, to] : [])));

/** Every `step`-th of an axis from `from` on, `count` of them; without a gather, whose gradient would be slow. */
function everyNth(x: np.Array, axis: number, from: number, count: number, step: number): np.Array {
  if (step === 1 || count === 1) return range(x, axis, from, from + count);
  const end = from + count * step;
  const part = range(padBehind(x, axis, end - x.shape[axis]), axis, from, end);
  const shape = [...x.shape.slice(0, axis), count, step, ...x.shape.slice(axis + 1)];
  const first = range(part.reshape(shape), axis + 1, 0, 1);
  return first.reshape([...x.shape.slice(0, axis), count, ...x.shape.slice(axis + 1)]);
}

/** `count` entries of an axis from `from` on, `step` apart, which may be below 0. */
export function sliced(x: Value, axis: number, from: number, count: number, step: number): Value {
  if (isHost(x)) {
    const steps = stepsOf(x.shape);
    const first = count === 0 ? 0 : from * steps[axis];
    const shape = x.shape.map((size, i) => (i === axis ? count : size));
    return strided(
      x,
      shape,
      steps.map((each, i) => (i === axis ? each * step : each)),
      first,
    );
  }
  if (count === 0) throw new DataError("cuts out nothing of what comes from the images");
  if (step > 0) return everyNth(x, axis, from, count, step);
  const last = x.shape[axis] - 1;
  return everyNth(np.flip(x, axis), axis, last - from, count, -step);
}

/** Entries of an axis by number, which may count from the end. */
export function take(x: Value, indices: OnnxTensor, axis: number): Value {
  const size = x.shape[axis];
  const places = Array.from(indices.data, (index) => (index < 0 ? index + size : index));
  const wrong = places.find((place) => !(place >= 0 && place < size));
  if (wrong !== undefined) throw new DataError(`looks up entry ${wrong} of ${size}`);
  if (isHost(x)) return taken(x, indices, axis);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const [first] = places;
  if (places.length > 0 && places.every((place, i) => place === first + i)) {
    return range(x, axis, first, first + places.length).reshape(shape);
  }
  const flat = np.array(Int32Array.from(places), { shape: [...indices.shape], dtype: np.int32 });
  return np.take(x, flat, axis);
}
