import { permutation, randomStream } from "../../core/random.ts";
import type { RandomStream } from "../../core/random.ts";
import {
  backgroundNames,
  factorNames,
  hues,
  lightingNames,
  positionNames,
  sizeNames,
  textureNames,
} from "./factorNames.ts";
import type {
  BackgroundName,
  ColourName,
  FactorName,
  LightingName,
  TextureName,
} from "./factorNames.ts";
import type { ShapeName } from "./outlines.ts";
import type { SampleOptions } from "./sampleOptions.ts";

/** The two halves of a set. */
export const splits = ["train", "test"] as const;
export type SampleSplit = (typeof splits)[number];

/** Everything an image is drawn from; with the options it says every pixel. */
export type SampleFactors = {
  split: SampleSplit;
  index: number; // within the split
  classes: Record<FactorName, string>; // the value of each factor, in words
  shape: ShapeName;
  texture: TextureName;
  textureScale: number; // period of the texture, as a share of the image
  textureTurn: number; // degrees, within the object
  colour: ColourName;
  hue: number; // degrees of OKLCH
  vividness: number; // multiplies the colour's saturation
  rotation: number; // degrees clockwise
  room: [x: number, y: number]; // share of the free room left of and above the object
  size: number; // longer side of the object's box, as a share of the image
  background: BackgroundName;
  backgroundHue: number; // degrees of OKLCH
  backgroundTurn: number; // degrees
  darkGround: boolean;
  lightLine: boolean; // the contour line, else it is dark
  clutter: number; // strokes and blobs
  lighting: LightingName;
  lightTurn: number; // degrees, where the light comes from
};

const rotationBins = 6;

function degreesName(from: number, to: number): string {
  return `deg${Number(from.toFixed(1))}to${Number(to.toFixed(1))}`;
}

function bins([from, to]: readonly [number, number], count: number): [number, number][] {
  if (from === to) return [[from, to]];
  const edge = (i: number) => from + ((to - from) * i) / count;
  return Array.from({ length: count }, (_, i) => [edge(i), edge(i + 1)]);
}

/** Every value of every factor that a set with these options can hold, in order. */
export function factorClasses(options: SampleOptions): Record<FactorName, string[]> {
  return {
    shape: [...options.shapes],
    texture: [...textureNames],
    colour: Object.keys(hues),
    rotation: bins(options.rotationRange, rotationBins).map((bin) => degreesName(...bin)),
    position: [...positionNames],
    size: options.sizeRange[0] === options.sizeRange[1] ? ["medium"] : [...sizeNames],
    background: [...backgroundNames],
    lighting: [...lightingNames],
  };
}

function balanced(
  options: SampleOptions,
  split: SampleSplit,
  factor: FactorName,
  index: number,
): number {
  const count = factorClasses(options)[factor].length;
  const block = Math.floor(index / count);
  return permutation(randomStream(options.seed, split, factor, block), count)[index % count];
}

function within([from, to]: readonly [number, number], stream: RandomStream): number {
  return stream.uniform(from, to);
}

/**
 * The factors of image `index` of a split; they depend on the options, the split and the index only.
 *
 * Factors are independent of each other, and each is balanced: any run of n images that starts at a
 * multiple of n has each of the n values of a factor once.
 */
export function drawFactors(
  options: SampleOptions,
  split: SampleSplit,
  index: number,
): SampleFactors {
  const names = factorClasses(options);
  const drawn = Object.fromEntries(
    factorNames.map((factor) => [factor, balanced(options, split, factor, index)]),
  ) as Record<FactorName, number>;
  const classes = Object.fromEntries(
    factorNames.map((factor) => [factor, names[factor][drawn[factor]]]),
  ) as Record<FactorName, string>;
  const stream = randomStream(options.seed, split, "factors", index);
  const colour = classes.colour as ColourName;
  const third = (bin: number) => (bin + stream.uniform()) / 3;
  return {
    split,
    index,
    classes,
    shape: classes.shape as ShapeName,
    texture: classes.texture as TextureName,
    textureScale: stream.uniform(0.11, 0.19),
    textureTurn: stream.uniform(-90, 90),
    colour,
    hue: (hues[colour] + 360 + options.colourJitter * stream.uniform(-24, 24)) % 360,
    vividness: 1 + options.colourJitter * stream.uniform(-0.4, 0.4),
    rotation: within(bins(options.rotationRange, rotationBins)[drawn.rotation], stream),
    room: [third(drawn.position % 3), third(Math.floor(drawn.position / 3))],
    size: within(bins(options.sizeRange, sizeNames.length)[drawn.size], stream),
    background: classes.background as BackgroundName,
    backgroundHue: (hues[colour] + stream.uniform(60, 300)) % 360,
    backgroundTurn: stream.uniform(-180, 180),
    darkGround: stream.chance(0.5),
    lightLine: stream.chance(0.5),
    clutter: Math.round(options.clutter * stream.uniform(20, 36)),
    lighting: classes.lighting as LightingName,
    lightTurn: stream.uniform(-180, 180),
  };
}
