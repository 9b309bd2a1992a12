/** A function of many variables at a point, which writes its gradient into `gradient`. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

/** Where a minimisation ended. */
export type Minimum = {
  readonly point: Float64Array;
  readonly value: number;
  readonly slope: number; // largest absolute element of the gradient
  readonly iterations: number;
  readonly converged: boolean; // the slope fell below the tolerance
};

type Pair = { step: Float64Array; change: Float64Array; curvature: number };
type Place = { point: Float64Array; gradient: Float64Array; value: number };

const dot = (a: Float64Array, b: Float64Array) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};
const steepest = (gradient: Float64Array) =>
  gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const addScaled = (to: Float64Array, scale: number, x: Float64Array) => {
  for (let i = 0; i < to.length; i++) to[i] += scale * x[i];
};

/** The direction −H·g, H the inverse curvature that the last steps tell of. */
function direction(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const d = gradient.map((value) => -value);
  const weights: number[] = [];
  for (const { step, change, curvature } of [...pairs].reverse()) {
    const weight = dot(step, d) / curvature;
    weights.unshift(weight);
    addScaled(d, -weight, change);
  }
  const last = pairs.at(-1);
  const scale =
    last === undefined
      ? 1 / Math.max(1, Math.sqrt(dot(gradient, gradient)))
      : last.curvature / dot(last.change, last.change);
  for (let i = 0; i < d.length; i++) d[i] *= scale;
  pairs.forEach(({ step, change, curvature }, i) => {
    addScaled(d, weights[i] - dot(change, d) / curvature, step);
  });
  return d;
}

/** A step along `d` that lowers the value enough and flattens the slope enough (weak Wolfe), by bisection. */
function search(objective: Objective, from: Place, d: Float64Array): Place | undefined {
  const slope = dot(from.gradient, d);
  let [low, high, length] = [0, Infinity, 1];
  for (let trial = 0; trial < 40; trial++) {
    const point = from.point.slice();
    addScaled(point, length, d);
    const gradient = new Float64Array(point.length);
    const value = objective(point, gradient);
    if (!(value <= from.value + 1e-4 * length * slope)) high = length;
    else if (dot(gradient, d) < 0.9 * slope) low = length;
    else return { point, gradient, value };
    length = high === Infinity ? 2 * low : (low + high) / 2;
  }
  return undefined;
}

/**
 * Minimises a smooth function by L-BFGS with ten pairs of memory. Deterministic.
 *
 * Stops where no element of the gradient is above `tolerance`, where no step lowers the value any more,
 * or after `limit` iterations. Nocedal & Wright, Numerical Optimization, algorithm 7.5.
 */
export function minimise(
  objective: Objective,
  start: Float64Array,
  tolerance: number,
  limit: number,
): Minimum {
  const gradient = new Float64Array(start.length);
  let at: Place = { point: start.slice(), gradient, value: objective(start, gradient) };
  const pairs: Pair[] = [];
  let iterations = 0;
  while (iterations < limit && steepest(at.gradient) > tolerance) {
    const next = search(objective, at, direction(at.gradient, pairs));
    if (next === undefined) break;
    const step = next.point.map((value, i) => value - at.point[i]);
    const change = next.gradient.map((value, i) => value - at.gradient[i]);
    const curvature = dot(step, change);
    if (curvature > 1e-12 * dot(change, change)) pairs.push({ step, change, curvature });
    if (pairs.length > 10) pairs.shift();
    at = next;
    iterations++;
  }
  const slope = steepest(at.gradient);
  return { point: at.point, value: at.value, slope, iterations, converged: slope <= tolerance };
}
