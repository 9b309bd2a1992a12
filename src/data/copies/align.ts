import { type AreaTable, cellMeans, type Window } from "./areaTable.ts";

const LARGEST_STEP = 0.06; // of the picture
const RIDGE = 1e-3;

/** Cells less their mean, of root mean square 1. */
function standardised(cells: Float32Array): Float32Array {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < cells.length; i++) sum += cells[i];
  const mean = sum / cells.length;
  for (let i = 0; i < cells.length; i++) squares += (cells[i] - mean) ** 2;
  const scale = 1 / Math.max(Math.sqrt(squares / cells.length), 1e-6);
  const result = new Float32Array(cells.length);
  for (let i = 0; i < cells.length; i++) result[i] = (cells[i] - mean) * scale;
  return result;
}

/** Solves four symmetric equations by elimination. */
function solve(matrix: Float64Array, right: Float64Array): Float64Array {
  for (let i = 0; i < 4; i++) {
    for (let row = i + 1; row < 4; row++) {
      const factor = matrix[row * 4 + i] / matrix[i * 4 + i];
      for (let k = i; k < 4; k++) matrix[row * 4 + k] -= factor * matrix[i * 4 + k];
      right[row] -= factor * right[i];
    }
  }
  for (let i = 3; i >= 0; i--) {
    for (let k = i + 1; k < 4; k++) right[i] -= matrix[i * 4 + k] * right[k];
    right[i] /= matrix[i * 4 + i];
  }
  return right;
}

/** How the four edges of a window should move for its cells to come nearer to the target's; squares of what is left. */
function stepOf(cells: Float32Array, target: Float32Array, side: number, window: Window) {
  const [left, top, right, bottom] = window;
  const [across, down] = [side / (right - left), side / (bottom - top)];
  const matrix = new Float64Array(16);
  const vector = new Float64Array(4);
  const slope = new Float64Array(4);
  let error = 0;
  for (let y = 0, at = 0; y < side; y++) {
    const v = (y + 0.5) / side;
    for (let x = 0; x < side; x++, at++) {
      const u = (x + 0.5) / side;
      const inside = x > 0 && x < side - 1 && y > 0 && y < side - 1;
      const miss = target[at] - cells[at];
      error += miss * miss;
      if (!inside) continue;
      const dx = ((cells[at + 1] - cells[at - 1]) / 2) * across;
      const dy = ((cells[at + side] - cells[at - side]) / 2) * down;
      slope[0] = dx * (1 - u);
      slope[1] = dy * (1 - v);
      slope[2] = dx * u;
      slope[3] = dy * v;
      for (let i = 0; i < 4; i++) {
        vector[i] += slope[i] * miss;
        for (let k = 0; k < 4; k++) matrix[i * 4 + k] += slope[i] * slope[k];
      }
    }
  }
  const ridge = RIDGE * (matrix[0] + matrix[5] + matrix[10] + matrix[15]) + 1e-9;
  for (let i = 0; i < 4; i++) matrix[5 * i] += ridge;
  return { error, step: solve(matrix, vector) };
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
  const wanted = standardised(target);
  let best = start;
  let least = Infinity;
  let window = start;
  for (let round = 0; round <= rounds; round++) {
    const { error, step } = stepOf(
      standardised(cellMeans(table, window, side)),
      wanted,
      side,
      window,
    );
    if (error >= least) break;
    [best, least] = [window, error];
    window = moved(window, step);
    if (window[2] - window[0] < 0.5 || window[3] - window[1] < 0.5) break;
  }
  return { window: best, likeness: 1 - least / (2 * side * side) };
}
