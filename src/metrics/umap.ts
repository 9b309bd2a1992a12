import { randomStream, type RandomStream } from "../core/random.ts";
import type { WorkCalls } from "../core/pause.ts";
import { pauses } from "../core/pause.ts";
import { type Features, unitRows } from "./features.ts";
import type { Neighbours } from "./nearest.ts";

/**
 * Attraction 1 / (1 + A·d²): close to 1 up to a distance of 0.1, then falling as exp(0.1 − d). A is the best for the exponent
 * 2 (root mean square of what is missed up to 3: 0.024); the paper's own, 1.79, misses 0.016 and needs a power for every pair.
 */
const A = 1.56;
const NEGATIVES = 5; // rows pushed away for each that is pulled
const LONGEST = 4; // of a step
const SPAN = 10; // of the first layout
const ROUNDS = 64; // of a search by halves

/** Rows that are near each other, each pair once in each direction, with how surely they are. */
type Edges = { from: Int32Array; to: Int32Array; weight: Float32Array };

/** The width by which a row's distances, less the nearest, sum up to log2(k) (equations 1 and 2 of the paper). */
function widthOf(distances: Float32Array, nearest: number): number {
  const wanted = Math.log2(distances.length);
  let [low, high, width] = [0, Infinity, 1];
  for (let round = 0; round < ROUNDS; round++) {
    let sum = 0;
    for (const d of distances) sum += Math.exp(-Math.max(0, d - nearest) / width);
    if (Math.abs(sum - wanted) < 1e-5) break;
    if (sum > wanted) high = width;
    else low = width;
    width = high === Infinity ? 2 * width : (low + high) / 2;
  }
  return Math.max(width, 1e-6);
}

/** The fuzzy graph of nearest rows: a + b − a·b of both directions. */
function edgesOf({ k, indices, similarities }: Neighbours, count: number): Edges {
  const weights = new Map<number, number>(); // by from · count + to
  for (let i = 0; i < count; i++) {
    const distances = similarities.subarray(i * k, (i + 1) * k).map((s) => Math.max(0, 1 - s));
    const nearest = distances.find((d) => d > 1e-6) ?? 0;
    const width = widthOf(distances, nearest);
    for (let j = 0; j < k; j++) {
      const to = indices[i * k + j];
      if (to < 0) continue;
      weights.set(i * count + to, Math.exp(-Math.max(0, distances[j] - nearest) / width));
    }
  }
  const [from, to, weight]: number[][] = [[], [], []];
  for (const [key, a] of weights) {
    const [i, j] = [Math.floor(key / count), key % count];
    const b = weights.get(j * count + i) ?? 0;
    if (b > 0 && i > j) continue; // said by the other direction
    from.push(i, j);
    to.push(j, i);
    weight.push(a + b - a * b, a + b - a * b);
  }
  return {
    from: Int32Array.from(from),
    to: Int32Array.from(to),
    weight: Float32Array.from(weight),
  };
}

/** The first two principal directions of rows of length 1, as places from −SPAN to SPAN. */
function principalPlaces(features: Features, stream: RandomStream): Float32Array {
  const { data, count, dimension } = unitRows(features);
  const mean = new Float64Array(dimension);
  for (let i = 0; i < data.length; i++) mean[i % dimension] += data[i] / count;
  const places = new Float32Array(2 * count);
  const found: Float64Array[] = [];
  for (let axis = 0; axis < Math.min(2, dimension); axis++) {
    let direction = Float64Array.from(mean, () => stream.uniform() - 0.5);
    for (let round = 0; round < 20; round++) {
      const next = new Float64Array(dimension);
      for (let i = 0; i < count; i++) {
        let product = 0;
        for (let e = 0; e < dimension; e++)
          product += (data[i * dimension + e] - mean[e]) * direction[e];
        for (let e = 0; e < dimension; e++)
          next[e] += product * (data[i * dimension + e] - mean[e]);
        places[2 * i + axis] = product;
      }
      for (const other of found) {
        const product = next.reduce((sum, x, e) => sum + x * other[e], 0);
        for (let e = 0; e < dimension; e++) next[e] -= product * other[e];
      }
      const length = Math.hypot(...next) || 1;
      direction = next.map((x) => x / length);
    }
    found.push(direction);
  }
  const largest = places.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-9);
  return places.map((x) => (SPAN * x) / largest + 1e-3 * (stream.uniform() - 0.5));
}

const clip = (x: number): number => (x > LONGEST ? LONGEST : x < -LONGEST ? -LONGEST : x);

/** One pass: pulls those ends of edges together whose turn it is, and pushes rows drawn by chance away. */
function pass(places: Float32Array, { from, to }: Edges, every: Float32Array, turn: Turn): void {
  const { due, epoch, rate, draw } = turn;
  const count = places.length / 2;
  for (let edge = 0; edge < from.length; edge++) {
    if (due[edge] > epoch) continue;
    due[edge] += every[edge];
    const [i, j] = [2 * from[edge], 2 * to[edge]];
    const [dx, dy] = [places[i] - places[j], places[i + 1] - places[j + 1]];
    const d2 = dx * dx + dy * dy;
    if (d2 > 0) {
      const pull = (-2 * A) / (A * d2 + 1);
      const [px, py] = [clip(pull * dx) * rate, clip(pull * dy) * rate];
      places[i] += px;
      places[i + 1] += py;
      places[j] -= px;
      places[j + 1] -= py;
    }
    for (let n = 0; n < NEGATIVES; n++) {
      const other = 2 * (draw() % count);
      if (other === i) continue;
      const [ex, ey] = [places[i] - places[other], places[i + 1] - places[other + 1]];
      const e2 = ex * ex + ey * ey;
      const push = 2 / ((0.001 + e2) * (A * e2 + 1));
      places[i] += (e2 > 0 ? clip(push * ex) : LONGEST) * rate;
      places[i + 1] += (e2 > 0 ? clip(push * ey) : LONGEST) * rate;
    }
  }
}
type Turn = { due: Float32Array; epoch: number; rate: number; draw: () => number };

/** Whole numbers of 32 bits (xorshift): so many are drawn that a stream of quality would take most of the time. */
function drawer(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/**
 * Places of rows in the plane, [count, 2], so that near ones are near (McInnes, Healy, Melville 2018, "UMAP: Uniform
 * Manifold Approximation and Projection for Dimension Reduction"), from their nearest others by cosine. It starts at the
 * two principal directions, so that what lies far apart stays so.
 *
 * @param epochs passes over the graph, 200 by default
 */
export async function umap(
  features: Features,
  near: Neighbours,
  options: { seed?: number; epochs?: number } & WorkCalls = {},
): Promise<Float32Array> {
  const { seed = 0, epochs = 200, progress, signal } = options;
  const { count } = features;
  const stream = randomStream("umap", seed);
  const places = principalPlaces(features, stream);
  if (count < 3 || near.k === 0) return places;
  const edges = edgesOf(near, count);
  const most = edges.weight.reduce((a, b) => Math.max(a, b), 1e-9);
  const every = edges.weight.map((weight) => most / Math.max(weight, most / epochs)); // epochs between two turns
  const due = every.slice();
  const draw = drawer(stream.integer(2 ** 31));
  const pause = pauses("the layout of the map", signal);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    pass(places, edges, every, { due, epoch, rate: 1 - (epoch - 1) / epochs, draw });
    progress?.(epoch, epochs);
    await pause();
  }
  return places;
}
