import type { PixelImage } from "../../../core/pixels.ts";
import { type AreaTable, cellMeans, channelTable, luminanceTable } from "./areaTable.ts";
import type { Overlay } from "./overlay.ts";
import { turnBack, turnCells } from "./turns.ts";

const SIDE = 8; // cells
const DARK = 6; // grey levels; darker and lighter cells are cut off
const BRIGHT = 247;
const GLARE = 220; // grey levels of a cell of which part may be cut off
const LEAST = 0.2; // gain under which nothing is to be compared
const FEWEST = 16; // cells that tell something, of 64
const ROUNDS = 6;
const NEAR = 4; // grey levels; cells that miss by more count little
const COLOURS = [
  [-43, -85, 128],
  [128, -107, -21],
] as const; // blue and red less luminance, shares of 256 (ITU-R BT.601)

/** How far tones of two pictures are from each other once light and contrast are the same, in grey levels. */
export type ToneMiss = {
  readonly grey: (share: number) => number; // what this share of the cells misses by at most
  readonly colour: (share: number) => number;
};

/** Gives for a share of cells what they miss by at most. */
function sharesOf(misses: number[]): (share: number) => number {
  const sorted = misses.sort((a, b) => a - b);
  return (share) => sorted[Math.floor(share * (sorted.length - 1))];
}

type Light = { readonly gain: number; readonly offset: number };

/** The light that makes cells of `a` those of `b`, by least squares in which cells count little that miss much or may be cut off. */
function lineFit(told: readonly number[], a: Float32Array, b: Float32Array): Light {
  let [gain, offset] = [1, 0];
  const weights = new Float64Array(told.length);
  for (let round = 0; round < ROUNDS; round++) {
    let [sum, ours, theirs] = [1e-6, 0, 0];
    for (const [k, i] of told.entries()) {
      const miss = round === 0 ? 0 : (b[i] - gain * a[i] - offset) / NEAR;
      const glares = Math.max(a[i], b[i]) > GLARE;
      weights[k] = (glares ? 0.1 : 1) / (1 + miss * miss);
      sum += weights[k];
      ours += weights[k] * a[i];
      theirs += weights[k] * b[i];
    }
    [ours, theirs] = [ours / sum, theirs / sum];
    let [products, squares] = [0, 1e-6];
    for (const [k, i] of told.entries()) {
      products += weights[k] * (a[i] - ours) * (b[i] - theirs);
      squares += weights[k] * (a[i] - ours) ** 2;
    }
    gain = products / squares;
    offset = theirs - gain * ours;
  }
  return { gain, offset };
}

const isCut = (level: number) => level <= DARK || level >= BRIGHT;

/** A picture in another light, cut off at black and white. */
function inLight(image: PixelImage, { gain, offset }: Light): PixelImage {
  const data = new Uint8ClampedArray(image.data.length); // rounds
  for (let i = 0; i < data.length; i++) data[i] = gain * image.data[i] + offset;
  return { ...image, data: new Uint8Array(data.buffer) };
}

/** Compares the tones of two pictures that lie on each other; undefined where too few cells have any. */
export function toneMiss(
  a: PixelImage,
  b: PixelImage,
  { turn, ours, theirs }: Overlay,
): ToneMiss | undefined {
  const first = (table: AreaTable) => cellMeans(table, ours, SIDE);
  const second = (table: AreaTable) =>
    turnCells(cellMeans(table, theirs, SIDE), SIDE, turnBack(turn));
  const greys = () => [first(luminanceTable(a, Infinity)), second(luminanceTable(b, Infinity))];
  const [grey, other] = greys();
  const told = [...grey.keys()].filter((i) => !isCut(grey[i]) && !isCut(other[i]));
  if (told.length < FEWEST) return undefined;
  const { gain, offset } = lineFit(told, grey, other);
  if (gain < LEAST) return undefined;
  // in the light of the brighter one, so that what is too bright there is so in both
  if (gain > 1) a = inLight(a, { gain, offset });
  else b = inLight(b, { gain: 1 / gain, offset: -offset / gain });
  const [lit, otherLit] = greys();
  const [blue, red] = COLOURS.map((weights) => first(channelTable(a, weights)));
  const [otherBlue, otherRed] = COLOURS.map((weights) => second(channelTable(b, weights)));
  return {
    grey: sharesOf(told.map((i) => Math.abs(otherLit[i] - lit[i]))),
    colour: sharesOf(told.map((i) => Math.hypot(otherBlue[i] - blue[i], otherRed[i] - red[i]))),
  };
}
