import { type AreaTable, cellMeans, type Window } from "./areaTable.ts";
import type { Turn } from "./turns.ts";

const SIDE = 16; // cells
const HIGHEST = 5; // frequency each way
const SUM = 6; // of the frequencies of both ways

// frequencies across and down, without the mean
const frequencies = Array.from({ length: (HIGHEST + 1) ** 2 }, (_, i) => ({
  u: i % (HIGHEST + 1),
  v: Math.floor(i / (HIGHEST + 1)),
}))
  .filter(({ u, v }) => u + v > 0 && u + v <= SUM)
  .sort((a, b) => a.u ** 2 + a.v ** 2 - b.u ** 2 - b.v ** 2 || a.v - b.v);

/** Numbers of a gist, the lowest frequencies first. */
export const gistSize = frequencies.length;

// [HIGHEST + 1, SIDE] cosines of the discrete cosine transform
const cosines = Float64Array.from({ length: (HIGHEST + 1) * SIDE }, (_, i) => {
  const [frequency, x] = [Math.floor(i / SIDE), i % SIDE];
  const scale = frequency === 0 ? Math.SQRT1_2 : 1;
  return scale * Math.cos((Math.PI * frequency * (2 * x + 1)) / (2 * SIDE));
});

// higher frequencies are weaker in photos but tell more of them apart
const weights = Float64Array.from(frequencies, ({ u, v }) => (u * u + v * v) ** 0.25);

/**
 * The gist of a window of a picture: its lowest frequencies, [gistSize], of length 1; brightness and contrast
 * are left out. Zeros for a plain one. Cosines of gists say how alike pictures are from afar.
 */
export function gistOf(table: AreaTable, window: Window): Float32Array {
  const cells = cellMeans(table, window, SIDE);
  const rows = new Float64Array((HIGHEST + 1) * SIDE); // [frequency, row]
  for (let y = 0; y < SIDE; y++) {
    for (let u = 0; u <= HIGHEST; u++) {
      let sum = 0;
      for (let x = 0; x < SIDE; x++) sum += cells[y * SIDE + x] * cosines[u * SIDE + x];
      rows[u * SIDE + y] = sum;
    }
  }
  const gist = new Float32Array(gistSize);
  let squares = 0;
  for (let k = 0; k < gistSize; k++) {
    const { u, v } = frequencies[k];
    let sum = 0;
    for (let y = 0; y < SIDE; y++) sum += rows[u * SIDE + y] * cosines[v * SIDE + y];
    gist[k] = weights[k] * sum;
    squares += gist[k] * gist[k];
  }
  const length = Math.sqrt(squares);
  return length < SIDE ? gist.fill(0) : gist.map((value) => value / length);
}

const place = new Map(frequencies.map(({ u, v }, k) => [u * SIDE + v, k]));

// for each turn the number that each number of a gist comes from, and its sign
const moves = Array.from({ length: 8 }, (_, turn) =>
  frequencies.map(({ u, v }) => {
    const [across, down] = (turn & 4) === 0 ? [u, v] : [v, u];
    const odd = ((turn & 1) === 0 ? 0 : across) + ((turn & 2) === 0 ? 0 : down);
    return { from: place.get(across * SIDE + down)!, sign: odd % 2 === 0 ? 1 : -1 };
  }),
);

/** The gist of the picture after a turn. */
export const turnGist = (gist: Float32Array, turn: Turn): Float32Array =>
  Float32Array.from(moves[turn], ({ from, sign }) => sign * gist[from]);
