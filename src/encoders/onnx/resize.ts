import { numpy as np } from "@jax-js/jax";

import { DataError } from "../../core/errors.ts";
import { type Call, given, hostIf, listOf, numberOf, type Operator, textOf } from "./call.ts";
import { tensor } from "./hostArrays.ts";
import { arrayOf, axisOf, isHost, take, type Value } from "./values.ts";

/** One axis that changes its size; `scale` is what was asked for, near `to / from`. */
type Line = { readonly from: number; readonly to: number; readonly scale: number };

/** Where output i lies among the inputs, by the name of the rule. */
const places: Record<string, (i: number, line: Line) => number> = {
  half_pixel: (i, { scale }) => (i + 0.5) / scale - 0.5,
  pytorch_half_pixel: (i, { scale, to }) => (to > 1 ? (i + 0.5) / scale - 0.5 : 0),
  align_corners: (i, { from, to }) => (to > 1 ? (i * (from - 1)) / (to - 1) : 0),
  asymmetric: (i, { scale }) => i / scale,
  half_pixel_symmetric: (i, { scale, from, to }) => {
    const offset = (from / 2) * (1 - to / (scale * from));
    return offset + (i + 0.5) / scale - 0.5;
  },
};

/** Which neighbour stands for a place between two. */
const roundings: Record<string, (x: number) => number> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

const tent = (x: number) => Math.max(0, 1 - Math.abs(x));

/** Keys 1981: the cubic of slope `a`, within two pixels. */
const cubic = (a: number) => (distance: number) => {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
};

type Bell = { readonly reach: number; readonly height: (x: number) => number };

function bellOf(call: Call, mode: string): Bell {
  if (mode === "linear") return { reach: 1, height: tent };
  if (mode === "cubic") return { reach: 2, height: cubic(numberOf(call, "cubic_coeff_a", -0.75)) };
  throw new DataError(`resizes by ${mode}, which is not known here`);
}

/** Weights [to, from] of one axis: a bell around each place, wider where it shrinks with antialiasing; edges repeat. */
function weightsOf(
  call: Call,
  line: Line,
  place: (i: number, line: Line) => number,
  bell: Bell,
): Float64Array {
  const { from, to, scale } = line;
  const smooth = numberOf(call, "antialias", 0) === 1 && scale < 1;
  const outside = numberOf(call, "exclude_outside", 0) === 1;
  const narrow = smooth ? scale : 1;
  const reach = bell.reach / narrow;
  const weights = new Float64Array(to * from);
  for (let i = 0; i < to; i++) {
    const middle = place(i, line);
    let sum = 0;
    for (let j = Math.floor(middle - reach); j <= Math.ceil(middle + reach); j++) {
      if (outside && (j < 0 || j >= from)) continue;
      const height = bell.height((j - middle) * narrow);
      weights[i * from + Math.min(from - 1, Math.max(0, j))] += height;
      sum += height;
    }
    for (let j = 0; j < from; j++) weights[i * from + j] /= sum;
  }
  return weights;
}

/** The axis mapped linearly: weights [to, from] times it. */
function mappedAxis(
  x: np.Array,
  axis: number,
  { from, to }: Line,
  weights: Float64Array,
): np.Array {
  const rank = x.shape.length;
  const matrix = arrayOf(
    tensor("float32", [from, to], (i) => weights[(i % to) * from + Math.floor(i / to)]),
  );
  const others = x.shape.map((_, i) => i).filter((i) => i !== axis);
  const behind = np.matmul(x.transpose([...others, axis]), matrix); // [..., to]
  const back = Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : others.indexOf(i)));
  return behind.transpose(back);
}

function linesOf(call: Call, shape: readonly number[], axes: readonly number[]): Line[] {
  const scales = hostIf(call, 2)?.data ?? [];
  const sizes = hostIf(call, 3)?.data ?? [];
  if (textOf(call, "keep_aspect_ratio_policy", "stretch") !== "stretch") {
    throw new DataError("keeps the aspect ratio, which is not known here");
  }
  return axes.map((axis, i) => {
    const from = shape[axis];
    if (sizes.length > 0) return { from, to: sizes[i], scale: sizes[i] / from };
    if (scales.length === 0) throw new DataError("says neither scales nor sizes");
    return { from, to: Math.floor(from * scales[i]), scale: scales[i] };
  });
}

const resize: Operator = (call) => {
  const x = given(call, 0);
  const rank = x.shape.length;
  const axes = (listOf(call, "axes") ?? x.shape.map((_, i) => i)).map((axis) => axisOf(axis, rank));
  const lines = linesOf(call, x.shape, axes);
  const mode = textOf(call, "mode", "nearest");
  const rule = textOf(call, "coordinate_transformation_mode", "half_pixel");
  const place = Object.hasOwn(places, rule) ? places[rule] : undefined;
  if (place === undefined) throw new DataError(`resizes by ${rule}, which is not known here`);
  return lines.reduce((y: Value, line, i) => {
    const { from, to, scale } = line;
    if (from === to && scale === 1) return y;
    if (mode === "nearest") {
      const round = roundings[textOf(call, "nearest_mode", "round_prefer_floor")];
      const index = (j: number) => Math.min(from - 1, Math.max(0, round(place(j, line))));
      return take(y, tensor("int64", [to], index), axes[i]);
    }
    const known = isHost(y) ? arrayOf(y) : y;
    return mappedAxis(known, axes[i], line, weightsOf(call, line, place, bellOf(call, mode)));
  }, x);
};

/** Resizing, of positions or of images. */
export const resizing: Readonly<Record<string, Operator>> = { Resize: resize };
