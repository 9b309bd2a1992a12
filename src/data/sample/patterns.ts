import type { BackgroundName, TextureName } from "./factorNames.ts";

/** How much of the second tone lies at a point, in [0, 1]. */
export type Pattern = (x: number, y: number) => number;

const clamp = (value: number) => Math.min(1, Math.max(0, value));
const smooth = (t: number) => t * t * (3 - 2 * t);

function hash(x: number, y: number, seed: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ seed;
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

/** Smooth noise in [0, 1] whose bumps are about one unit wide. */
export function valueNoise(x: number, y: number, seed: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [smooth(x - left), smooth(y - top)];
  const upper = hash(left, top, seed) * (1 - u) + hash(left + 1, top, seed) * u;
  const lower = hash(left, top + 1, seed) * (1 - u) + hash(left + 1, top + 1, seed) * u;
  return upper * (1 - v) + lower * v;
}

/** Noise in [0, 1] of bumps of one unit, of half a unit and of a quarter, like clouds. */
export function clouds(x: number, y: number, seed: number): number {
  const sum =
    valueNoise(x, y, seed) +
    0.5 * valueNoise(2 * x, 2 * y, seed + 1) +
    0.25 * valueNoise(4 * x, 4 * y, seed + 2);
  return clamp(2 * (sum / 1.75) - 0.5);
}

/** A stripe of half a period, with an edge `blur` periods wide. */
function stripe(x: number, blur: number): number {
  return clamp(0.5 + Math.sin(2 * Math.PI * x) / (2 * Math.PI * blur));
}

/**
 * The patterns of an object's fill. x and y count periods; `blur` is the width of a pixel in periods,
 * over which edges are smoothed; `reach` is half the object's size in periods.
 */
export const textures: Record<TextureName, (blur: number, reach: number, seed: number) => Pattern> =
  {
    plain: () => () => 0,
    stripes: (blur) => (x) => stripe(x, blur),
    dots: (blur) => (x, y) => {
      const distance = Math.hypot(x - Math.round(x), y - Math.round(y));
      return clamp(0.5 + (0.3 - distance) / blur);
    },
    checks: (blur) => (x, y) => {
      const [a, b] = [stripe(0.8 * x, blur), stripe(0.8 * y, blur)];
      return a + b - 2 * a * b;
    },
    gradient: (_, reach) => (x) => clamp(0.5 + x / (2 * reach)),
    speckle: (_, __, seed) => (x, y) => smooth(clamp(3 * valueNoise(2.2 * x, 2.2 * y, seed) - 1)),
  };

/** The patterns of the ground. x and y are in [-1, 1] across the image. */
export const grounds: Record<BackgroundName, (seed: number) => Pattern> = {
  plain: () => () => 0,
  gradient: () => (x) => clamp(0.5 + 0.5 * x),
  glow: () => (x, y) => clamp(Math.hypot(x - 0.4, y) / 1.4),
  clouds: (seed) => (x, y) => clouds(1.6 * x, 1.6 * y, seed),
};
