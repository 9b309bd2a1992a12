import type { Sample } from "./drawSamples.ts";
import { drawFactors, factorClasses, splits } from "./factors.ts";
import type { SampleSplit } from "./factors.ts";
import type { FactorName } from "./factorNames.ts";
import type { SampleBox } from "./geometry.ts";
import type { SampleOptions } from "./sampleOptions.ts";
import { drawScene } from "./scene.ts";

/** Raised whenever the same options draw other pixels than before. */
export const recipe = 1;

/** Names of the files beside the images. */
export const headerName = "manifest.json";
export const entriesName = "manifest.jsonl";

/** One line of manifest.jsonl. */
export type SampleEntry = {
  path: string; // from the folder of the set, with forward slashes
  split: SampleSplit;
  index: number; // within the split
  label: string;
  width: number; // pixels
  height: number; // pixels
  box: SampleBox; // pixels
  seed: number;
  factors: Record<FactorName, string>;
  values: Record<string, number | boolean | readonly number[]>;
};

const fields = {
  path: "the image file, from this folder",
  split: "train or test",
  index:
    "number of the image within its split; an image depends on the options and this number only",
  label: "the class, which is also the name of the image's folder",
  width: "pixels",
  height: "pixels",
  box: "[left, top, width, height] of the object in pixels, its contour line included",
  seed: "the seed of the set",
  factors: "the value of every factor, in words; see factors above for all values",
  "values.centre": "[x, y] of the middle of the object's box, in pixels to a hundredth",
  "values.size": "longer side of the object's box, as a share of the image",
  "values.room": "share of the free room that lies left of and above the object",
  "values.rotation": "degrees clockwise",
  "values.hue": "hue of the object, in degrees of OKLCH",
  "values.vividness": "factor on the saturation of the object's colour",
  "values.textureScale": "period of the texture, as a share of the image",
  "values.textureTurn": "degrees by which the texture is turned within the object",
  "values.backgroundHue": "hue of the ground, in degrees of OKLCH",
  "values.backgroundTurn": "degrees by which the ground's gradient or clouds are turned",
  "values.darkGround": "whether the ground is dark",
  "values.lightLine": "whether the contour line is light",
  "values.clutter": "strokes and blobs drawn behind the object",
  "values.lightTurn": "degrees clockwise from the right, where the light comes from",
};

/** What manifest.json says of a set. */
export type SampleHeader = {
  format: "contrapose-sample";
  recipe: number;
  contrapose: string; // version that wrote it
  complete: boolean;
  options: SampleOptions;
  label: FactorName;
  classes: string[];
  factors: Record<FactorName, string[]>;
  entries: string;
  fields: Record<string, string>;
};

/** The header of a set; `complete` once every image and the entries are there. */
export function sampleHeader(
  options: SampleOptions,
  complete: boolean,
  version: string,
): SampleHeader {
  const factors = factorClasses(options);
  return {
    format: "contrapose-sample",
    recipe,
    contrapose: version,
    complete,
    options,
    label: options.label,
    classes: factors[options.label],
    factors,
    entries: entriesName,
    fields,
  };
}

/** Where an image lies within its set. */
export function samplePath(options: SampleOptions, factors: Sample["factors"]): string {
  const number = String(factors.index).padStart(6, "0");
  return `${factors.split}/${factors.classes[options.label]}/${number}.${options.format}`;
}

/** The manifest's line for one image. */
export function sampleEntry(
  options: SampleOptions,
  split: SampleSplit,
  index: number,
): SampleEntry {
  const factors = drawFactors(options, split, index);
  const { box, centre } = drawScene(options, factors);
  const rounded = (value: number) => Math.round(value * 1e4) / 1e4;
  return {
    path: samplePath(options, factors),
    split,
    index,
    label: factors.classes[options.label],
    width: options.size,
    height: options.size,
    box,
    seed: options.seed,
    factors: factors.classes,
    values: {
      centre: centre.map((value) => Math.round(value * 100) / 100),
      size: rounded(factors.size),
      room: factors.room.map(rounded),
      rotation: rounded(factors.rotation),
      hue: rounded(factors.hue),
      vividness: rounded(factors.vividness),
      textureScale: rounded(factors.textureScale),
      textureTurn: rounded(factors.textureTurn),
      backgroundHue: rounded(factors.backgroundHue),
      backgroundTurn: rounded(factors.backgroundTurn),
      darkGround: factors.darkGround,
      lightLine: factors.lightLine,
      clutter: factors.clutter,
      lightTurn: rounded(factors.lightTurn),
    },
  };
}

/** All lines of manifest.jsonl, train before test, by number. */
export function* sampleEntries(options: SampleOptions): Generator<SampleEntry> {
  for (const split of splits) {
    for (let index = 0; index < options[split]; index++) yield sampleEntry(options, split, index);
  }
}
