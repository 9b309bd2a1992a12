import { type AreaTable, cellMeans, type Window } from "./areaTable.ts";

const LARGEST_STEP = 0.06; // of the picture
const RIDGE = 1e-3;
const GAIN = 0.05; // of what is left: a round that gains less is the last

/** Cells less their mean, of root mean square 1, in place. */
function standardised(cells: Float32Array): Float32Array {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < cells.length; i++) sum += cells[i];
  const mean = sum / cells.length;
  for (let i = 0; i < cells.length; i++) squares += (cells[i] - mean) ** 2;
  const scale = 1 / Math.max(Math.sqrt(squares / cells.length), 1e-6);
  for (let i = 0; i < cells.length; i++) cells[i] = (cells[i] - mean) * scale;
  return cells;
}

/** Solves four symmetric equations, of whose matrix [4, 4] the upper half is there, by elimination. */
function solve(matrix: Float64Array, right: Float64Array): Float64Array {
  for (let i = 0; i < 4; i++) {
    for (let row = i + 1; row < 4; row++) {
      const factor = matrix[i * 4 + row] / matrix[i * 4 + i];
      for (let k = row; k < 4; k++) matrix[row * 4 + k] -= factor * matrix[i * 4 + k];
      right[row] -= factor * right[i];
    }
  }
  for (let i = 3; i >= 0; i--) {
    for (let k = i + 1; k < 4; k++) right[i] -= matrix[i * 4 + k] * right[k];
    right[i] /= matrix[i * 4 + i];
  }
  return right;
}

/** Squares of what is left between the cells of a window and the target's. */
function errorOf(cells: Float32Array, target: Float32Array): number {
  let error = 0;
  for (let at = 0; at < cells.length; at++) error += (target[at] - cells[at]) ** 2;
  return error;
}

/** How the four edges of a window should move for its cells to come nearer to the target's. */
function stepOf(
  cells: Float32Array,
  target: Float32Array,
  side: number,
  [left, top, right, bottom]: Window,
): Float64Array {
  const across = side / (right - left) / 2;
  const down = side / (bottom - top) / 2;
  // sums of products of the slopes by the left, top, right and bottom edge, and of these with what is missed
  let [ll, lt, lr, lb, tt, tr, tb, rr, rb, bb] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  let [ml, mt, mr, mb] = [0, 0, 0, 0];
  for (let y = 1; y < side - 1; y++) {
    const v = (y + 0.5) / side;
    for (let x = 1, at = y * side + 1; x < side - 1; x++, at++) {
      const u = (x + 0.5) / side;
      const miss = target[at] - cells[at];
      const dx = (cells[at + 1] - cells[at - 1]) * across;
      const dy = (cells[at + side] - cells[at - side]) * down;
      const [l, t, r, b] = [dx * (1 - u), dy * (1 - v), dx * u, dy * v];
      ll += l * l;
      lt += l * t;
      lr += l * r;
      lb += l * b;
      tt += t * t;
      tr += t * r;
      tb += t * b;
      rr += r * r;
      rb += r * b;
      bb += b * b;
      ml += l * miss;
      mt += t * miss;
      mr += r * miss;
      mb += b * miss;
    }
  }
  const ridge = RIDGE * (ll + tt + rr + bb) + 1e-9;
  const rows = [
    [ll + ridge, lt, lr, lb],
    [0, tt + ridge, tr, tb],
    [0, 0, rr + ridge, rb],
    [0, 0, 0, bb + ridge],
  ];
  return solve(Float64Array.from(rows.flat()), Float64Array.of(ml, mt, mr, mb));
}

const limited = (step: number) => Math.max(-LARGEST_STEP, Math.min(LARGEST_STEP, step));
const within = (place: number) => Math.max(0, Math.min(1, place));

function moved([left, top, right, bottom]: Window, step: Float64Array): Window {
  return [
    within(left + limited(step[0])),
    within(top + limited(step[1])),
    within(right + limited(step[2])),
    within(bottom + limited(step[3])),
  ];
}

/**
 * Moves the edges of a window until its cells are as near to the target's [side, side] as they come from
 * there, whatever their brightness and contrast (Lucas and Kanade 1981, "An Iterative Image Registration
 * Technique"). Gives the correlation of their cells too.
 */
export function align(
  table: AreaTable,
  target: Float32Array,
  side: number,
  start: Window,
  rounds: number,
): { window: Window; likeness: number } {
  const wanted = standardised(target.slice());
  let best = start;
  let least = Infinity;
  let window = start;
  for (let round = 0; round <= rounds; round++) {
    const cells = standardised(cellMeans(table, window, side));
    const error = errorOf(cells, wanted);
    if (error >= least) break;
    const settled = error > (1 - GAIN) * least;
    [best, least] = [window, error];
    if (round === rounds || settled) break;
    window = moved(window, stepOf(cells, wanted, side, window));
    if (window[2] - window[0] < 0.5 || window[3] - window[1] < 0.5) break;
  }
  return { window: best, likeness: 1 - least / (2 * side * side) };
}
