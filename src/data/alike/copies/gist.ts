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

const acrossOf = Uint8Array.from(frequencies, ({ u }) => u);
const downOf = Uint8Array.from(frequencies, ({ v }) => v);

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
  const rows = transformRows(cellMeans(table, window, SIDE), SIDE, cosines);
  return transformColumns(rows, SIDE, cosines);
}

/** Cells [side, side] times waves [HIGHEST + 1, side] across: [HIGHEST + 1, side], frequency and row. */
function transformRows(cells: Float32Array, side: number, waves: Float64Array): Float64Array {
  const rows = new Float64Array((HIGHEST + 1) * side);
  for (let y = 0; y < side; y++) {
    let [sum0, sum1, sum2, sum3, sum4, sum5] = [0, 0, 0, 0, 0, 0]; // side by side, as processors add
    for (let x = 0, at = y * side; x < side; x++, at++) {
      const cell = cells[at];
      sum0 += cell * waves[x];
      sum1 += cell * waves[side + x];
      sum2 += cell * waves[2 * side + x];
      sum3 += cell * waves[3 * side + x];
      sum4 += cell * waves[4 * side + x];
      sum5 += cell * waves[5 * side + x];
    }
    rows[y] = sum0;
    rows[side + y] = sum1;
    rows[2 * side + y] = sum2;
    rows[3 * side + y] = sum3;
    rows[4 * side + y] = sum4;
    rows[5 * side + y] = sum5;
  }
  return rows;
}

/** The gist of what `transformRows` gives, by waves [HIGHEST + 1, side] down. */
function transformColumns(rows: Float64Array, side: number, waves: Float64Array): Float32Array {
  const gist = new Float32Array(gistSize);
  let squares = 0;
  for (let k = 0; k < gistSize; k++) {
    const [row, wave] = [acrossOf[k] * side, downOf[k] * side];
    let [even, odd] = [0, 0];
    for (let y = 0; y < side; y += 2) {
      even += rows[row + y] * waves[wave + y];
      odd += rows[row + y + 1] * waves[wave + y + 1];
    }
    gist[k] = weights[k] * (even + odd);
    squares += gist[k] * gist[k];
  }
  const length = Math.sqrt(squares);
  if (length < SIDE) return gist.fill(0);
  for (let k = 0; k < gistSize; k++) gist[k] /= length;
  return gist;
}

/** The waves [HIGHEST + 1, side] that give of all cells along a line what `cosines` give of the means of those from `from` to `to`. */
function wavesWithin(from: number, to: number, side: number): Float64Array {
  const waves = new Float64Array((HIGHEST + 1) * side);
  const step = ((to - from) * side) / SIDE;
  for (let x = 0; x < SIDE; x++) {
    const [start, end] = [from * side + x * step, from * side + (x + 1) * step];
    for (let cell = Math.floor(start); cell < Math.min(side, end); cell++) {
      const part = (Math.min(end, cell + 1) - Math.max(start, cell)) / step;
      for (let u = 0; u <= HIGHEST; u++) waves[u * side + cell] += part * cosines[u * SIDE + x];
    }
  }
  return waves;
}

/**
 * Prepares the gists of windows of square cells [side, side] whose left and top edges are one of `places` and that are
 * `scale` wide and high, rows of windows first: as `gistOf` gives them, in a fourth of the time.
 */
export function gistsWithin(side: number, scale: number, places: readonly number[]) {
  const waves = places.map((place) => wavesWithin(place, place + scale, side));
  return (cells: Float32Array): Float32Array[] => {
    const across = waves.map((wave) => transformRows(cells, side, wave));
    return waves.flatMap((wave) => across.map((rows) => transformColumns(rows, side, wave)));
  };
}

const place = new Map(frequencies.map(({ u, v }, k) => [u * SIDE + v, k]));

// for each turn the number that each number of a gist comes from, and its sign
const moves = Array.from({ length: 8 }, (_, turn) => {
  const moved = frequencies.map(({ u, v }) => {
    const [across, down] = (turn & 4) === 0 ? [u, v] : [v, u];
    const odd = ((turn & 1) === 0 ? 0 : across) + ((turn & 2) === 0 ? 0 : down);
    return { from: place.get(across * SIDE + down)!, sign: odd % 2 === 0 ? 1 : -1 };
  });
  return {
    from: Uint8Array.from(moved, ({ from }) => from),
    sign: Int8Array.from(moved, ({ sign }) => sign),
  };
});

/** The gist of the picture after a turn. */
export function turnGist(gist: Float32Array, turn: Turn): Float32Array {
  const turned = new Float32Array(gistSize);
  const { from, sign } = moves[turn];
  for (let k = 0; k < gistSize; k++) turned[k] = sign[k] * gist[from[k]];
  return turned;
}
