import { sizeOf } from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import type { OnnxTensor } from "../../engine/index.ts";

const MOST = 2 ** 24; // numbers of an array that is worked out before training

/** Steps through the numbers of a dense array along each of its axes. */
export function stepsOf(shape: readonly number[]): number[] {
  return shape.map((_, i) => sizeOf(shape.slice(i + 1)));
}

const isFloat = (type: string) => type.startsWith("float");

/** A number as an element type holds it. */
export function asType(type: string, value: number): number {
  if (type === "float32") return Math.fround(value);
  if (type === "bool") return Number(value !== 0);
  return isFloat(type) ? value : Math.trunc(value);
}

/** An array of computed numbers. Throws `DataError` where they would be too many. */
export function tensor(
  type: string,
  shape: readonly number[],
  valueAt: (i: number) => number,
): OnnxTensor {
  const size = sizeOf(shape);
  if (!shape.every((side) => Number.isInteger(side) && side >= 0) || size > MOST) {
    throw new DataError(
      `makes an array of [${shape.join(", ")}], expected ${MOST} numbers at most`,
    );
  }
  const data = new Float64Array(size);
  for (let i = 0; i < size; i++) data[i] = asType(type, valueAt(i));
  return { type, shape: [...shape], data };
}

/** Integers as a vector. */
export const integers = (values: readonly number[]): OnnxTensor =>
  tensor("int64", [values.length], (i) => values[i]);

/** A single number. */
export const single = (type: string, value: number): OnnxTensor => tensor(type, [], () => value);

/** Numbers of an array in another order: `steps` through its data along each axis of the result, from a first place. */
export function strided(
  { type, data }: OnnxTensor,
  shape: readonly number[],
  steps: readonly number[],
  first = 0,
): OnnxTensor {
  const at = shape.map(() => 0);
  let place = first;
  return tensor(type, shape, () => {
    const value = data[place];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += steps[axis];
      if (++at[axis] < shape[axis]) break;
      place -= steps[axis] * shape[axis];
      at[axis] = 0;
    }
    return value;
  });
}

/** The shape that two shapes have side by side. Throws `DataError` where they do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [one, other] = [a.at(i - rank) ?? 1, b.at(i - rank) ?? 1]; // at(−k) is undefined in front
    if (one === other || other === 1) return one;
    if (one === 1) return other;
    throw new DataError(`has [${a.join(", ")}] beside [${b.join(", ")}]`);
  });
}

/** An array repeated to a shape that it fits. */
export function expanded(x: OnnxTensor, shape: readonly number[]): OnnxTensor {
  const missing = shape.length - x.shape.length;
  const own = stepsOf(x.shape);
  const steps = shape.map((_, i) =>
    i < missing || x.shape[i - missing] === 1 ? 0 : own[i - missing],
  );
  return strided(x, shape, steps);
}

/** Element by element over arrays side by side. */
export function mapped(
  type: string,
  arrays: readonly OnnxTensor[],
  f: (...values: number[]) => number,
): OnnxTensor {
  const shape = arrays.map((array) => array.shape).reduce(broadcastShape, []);
  const all = arrays.map((array) => expanded(array, shape).data);
  return tensor(type, shape, (i) => f(...all.map((data) => data[i])));
}

/** Arrays one behind the other along an axis. */
export function joined(arrays: readonly OnnxTensor[], axis: number): OnnxTensor {
  const [{ type, shape: first }] = arrays;
  const inner = sizeOf(first.slice(axis + 1));
  const rows = arrays.map(({ shape }) => shape[axis] * inner); // numbers of one block
  const whole = rows.reduce((sum, count) => sum + count, 0);
  const ends = rows.map((_, i) => rows.slice(0, i + 1).reduce((sum, count) => sum + count, 0));
  const total = arrays.reduce((sum, { shape }) => sum + shape[axis], 0);
  const shape = first.map((size, i) => (i === axis ? total : size));
  return tensor(type, shape, (i) => {
    const [block, at] = [Math.floor(i / whole), i % whole];
    const which = ends.findIndex((end) => at < end);
    const within = at - (ends[which] - rows[which]);
    return arrays[which].data[block * rows[which] + within];
  });
}

/** Entries of an axis by number; those below 0 count from the end. */
export function taken(x: OnnxTensor, indices: OnnxTensor, axis: number): OnnxTensor {
  const [before, size] = [sizeOf(x.shape.slice(0, axis)), x.shape[axis]];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const count = indices.data.length;
  return tensor(x.type, shape, (i) => {
    const block = Math.floor(i / (count * inner)) % before;
    const index = indices.data[Math.floor(i / inner) % count];
    return x.data[(block * size + (index < 0 ? index + size : index)) * inner + (i % inner)];
  });
}

/** Folds axes into one number each. `f` starts with the first. */
export function reduced(
  x: OnnxTensor,
  axes: readonly number[],
  keep: boolean,
  f: (values: readonly number[]) => number,
): OnnxTensor {
  const left = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const order = [...left, ...axes];
  const steps = stepsOf(x.shape);
  const sizes = order.map((i) => x.shape[i]);
  const moved = strided(
    x,
    sizes,
    order.map((i) => steps[i]),
  );
  const count = sizeOf(axes.map((i) => x.shape[i]));
  const shape = keep
    ? x.shape.map((size, i) => (axes.includes(i) ? 1 : size))
    : left.map((i) => x.shape[i]);
  return tensor(x.type, shape, (i) =>
    f(Array.from(moved.data.subarray(i * count, (i + 1) * count))),
  );
}
