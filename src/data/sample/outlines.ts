import type { RandomStream } from "../../core/random.ts";
import { polar, rounded, sampled, subdivided } from "./geometry.ts";
import type { Point, Ring } from "./geometry.ts";

/** Draws one example of a shape about the origin, roughly within [-1, 1]; inner rings are holes. */
type Outline = (stream: RandomStream) => Ring[];

const smooth = 96; // points on a curved ring
const corners = (radius: number, ...points: Point[]): Ring => rounded(points, radius);
const mirrored = (right: Point[]): Point[] => [
  ...right,
  ...right.map(([x, y]): Point => [-x, y]).reverse(),
];
const regular = (count: number, radius = 1) =>
  sampled(count, (t) => polar(radius, t - 0.25)) as Point[];

function star(stream: RandomStream): Ring[] {
  const inner = stream.uniform(0.4, 0.5);
  const points = sampled(10, (t) => polar(Math.round(t * 10) % 2 === 0 ? 1 : inner, t - 0.25));
  return [rounded(points, 0.06)];
}

function cross(stream: RandomStream): Ring[] {
  const arm = stream.uniform(0.28, 0.38);
  const quarter: Point[] = [
    [arm, -1],
    [arm, -arm],
    [1, -arm],
    [1, arm],
    [arm, arm],
    [arm, 1],
  ];
  return [rounded(mirrored(quarter), 0.07)];
}

function heart(stream: RandomStream): Ring[] {
  const depth = stream.uniform(4.5, 6);
  return [
    sampled(smooth, (t) => {
      const a = 2 * Math.PI * t;
      const y = 13 * Math.cos(a) - depth * Math.cos(2 * a) - 2 * Math.cos(3 * a) - Math.cos(4 * a);
      return [Math.sin(a) ** 3, -y / 16];
    }),
  ];
}

function crescent(stream: RandomStream): Ring[] {
  const shift = stream.uniform(0.5, 0.62); // of the biting circle, whose radius is 0.85
  const x = (1 + shift ** 2 - 0.85 ** 2) / (2 * shift); // where the circles meet
  const outer = Math.acos(x) / (2 * Math.PI);
  const inner = Math.atan2(Math.sqrt(1 - x ** 2), x - shift) / (2 * Math.PI);
  const half = smooth / 2;
  const along = (from: number, to: number, i: number) => from + ((to - from) * i) / half;
  return [
    [
      ...Array.from({ length: half + 1 }, (_, i) => polar(1, along(outer, 1 - outer, i))),
      ...Array.from({ length: half - 1 }, (_, i): Point => {
        const [bx, by] = polar(0.85, along(1 - inner, inner, i + 1));
        return [bx + shift, by];
      }),
    ],
  ];
}

function flower(stream: RandomStream): Ring[] {
  const petals = 5 + stream.integer(3);
  const depth = stream.uniform(0.36, 0.46);
  const at = (t: number) => polar(1 - depth + depth * Math.abs(Math.cos(Math.PI * petals * t)), t);
  return [sampled(petals * 20, at)];
}

function gear(stream: RandomStream): Ring[] {
  const teeth = 8 + stream.integer(3);
  const root = stream.uniform(0.7, 0.76);
  const bore = stream.uniform(0.24, 0.34);
  const profile: [radius: number, at: number][] = [
    [root, 0.06],
    [1, 0.2],
    [1, 0.55],
    [root, 0.69],
  ];
  const points = Array.from({ length: teeth }, (_, tooth) =>
    profile.map(([radius, at]) => polar(radius, (tooth + at) / teeth)),
  ).flat();
  const hole = sampled(48, (t) => polar(bore, t));
  return [rounded(points, 0.05), hole];
}

function arrow(stream: RandomStream): Ring[] {
  const stem = stream.uniform(0.26, 0.36);
  const neck = stream.uniform(-0.05, 0.1);
  const right: Point[] = [
    [0, -1],
    [0.92, neck],
    [stem, neck],
    [stem, 1],
  ];
  return [
    rounded(
      [
        ...right,
        ...right
          .slice(1)
          .map(([x, y]): Point => [-x, y])
          .reverse(),
      ],
      0.07,
    ),
  ];
}

function bolt(stream: RandomStream): Ring[] {
  const width = stream.uniform(0.5, 0.62);
  return [
    corners(
      0.05,
      [0.25, -1],
      [-width, 0.12],
      [-0.05, 0.12],
      [-0.25, 1],
      [width, -0.22],
      [0.06, -0.22],
    ),
  ];
}

function drop(stream: RandomStream): Ring[] {
  const sharpness = stream.uniform(1.4, 1.9);
  return [
    sampled(smooth, (t) => {
      const a = 2 * Math.PI * t;
      return [0.75 * Math.sin(a) * Math.sin(a / 2) ** sharpness, -Math.cos(a)];
    }),
  ];
}

function leaf(stream: RandomStream): Ring[] {
  const width = stream.uniform(0.5, 0.65);
  return [
    sampled(smooth, (t) => {
      const y = t < 0.5 ? 4 * t - 1 : 3 - 4 * t;
      return [(t < 0.5 ? width : -width) * (1 - y ** 2), y];
    }),
  ];
}

/** Every shape that can be drawn, upright. The first ten are the classes of a set by default. */
export const outlines = {
  circle: () => [sampled(smooth, (t) => polar(1, t))],
  triangle: () => [rounded(regular(3), 0.16)],
  square: () => [corners(0.14, [-1, -1], [1, -1], [1, 1], [-1, 1])],
  star,
  cross,
  heart,
  crescent,
  flower,
  gear,
  arrow,
  ring: (stream) => {
    const inner = stream.uniform(0.45, 0.6);
    return [1, inner].map((radius) => sampled(smooth, (t) => polar(radius, t)));
  },
  hexagon: () => [rounded(regular(6), 0.1)],
  bolt,
  drop,
  leaf,
} satisfies Record<string, Outline>;

/** Names of the shapes, see `outlines`. */
export type ShapeName = keyof typeof outlines;

/** All shape names, in the order of `outlines`. */
export const shapeNames = Object.keys(outlines) as ShapeName[];

/**
 * One example of a shape, bent out of its ideal form: stretched, sheared and waved along its contour.
 * `deformation` 0 leaves the ideal form, 1 bends it so far that it can just be recognised.
 */
export function drawOutline(shape: ShapeName, deformation: number, stream: RandomStream): Ring[] {
  const rings = outlines[shape](stream);
  const stretch = Math.exp(0.16 * deformation * stream.normal());
  const shear = 0.18 * deformation * stream.normal();
  const waves = [2, 3, 4].map((frequency) => ({
    frequency,
    height: 0.05 * deformation * stream.normal(),
    phase: 2 * Math.PI * stream.uniform(),
  }));
  const bend = ([x, y]: Point): Point => {
    const angle = Math.atan2(y, x);
    const factor = waves.reduce(
      (sum, { frequency, height, phase }) => sum + height * Math.cos(frequency * angle + phase),
      1,
    );
    return [factor * (x * stretch + y * shear), (factor * y) / stretch];
  };
  return rings.map((ring) => subdivided(ring, 0.12).map(bend));
}
