import { z } from "zod";

import { boxFromActivation, contrastiveCrop as crop } from "../../views/index.ts";
import { defineAdapter, rows, views } from "../adapter.ts";

const Params = z.object({
  threshold: z.number(),
  height: z.int().positive(),
  width: z.int().positive(),
  returnUpsampled: z.boolean(),
});

/** Activations summed over channels. */
const summed = (features: number[][][]): number[][] =>
  features[0].map((row, y) =>
    row.map((_, x) => features.reduce((sum, channel) => sum + channel[y][x], 0)),
  );

/** A flat map as rows of `width`. */
const asRows = (flat: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: flat.length / width }, (_, y) =>
    Array.from({ length: width }, (_, x) => flat[y * width + x]),
  );

/** Where the encoder of contrastive crops sees the object. Double precision on every device. */
export const contrastiveCropBox = defineAdapter({
  params: Params,
  inputs: z.union([z.object({ features: views }), z.object({ heatMap: rows })]),
  async run({ returnUpsampled, ...settings }, inputs) {
    const map = "features" in inputs ? summed(inputs.features) : inputs.heatMap;
    const [height, width] = [map.length, map[0].length];
    const found = boxFromActivation({ values: map.flat(), height, width }, settings);
    const { indices, box } = found;
    return {
      heatMap: asRows(found.heatMap, width),
      indices: indices && [indices.top, indices.left, indices.bottom, indices.right],
      box: [box.top, box.left, box.bottom, box.right],
      ...(returnUpsampled ? { upsampled: asRows(found.upsampled, settings.width) } : {}),
    };
  },
});

const pair = z.tuple([z.number(), z.number()]);

/** The crop that follows from a box and the draws. */
export const contrastiveCrop = defineAdapter({
  params: z.object({
    height: z.int().positive(),
    width: z.int().positive(),
    ratio: pair,
    attempts: z.array(pair),
    centre: pair,
    exact: z.boolean(),
  }),
  inputs: z.object({ box: z.tuple([z.number(), z.number(), z.number(), z.number()]) }),
  async run(params, { box: [top, left, bottom, right] }) {
    const made = crop({ ...params, box: { top, left, bottom, right } });
    const { x, y, width, height } = made.crop;
    return {
      attempt: made.attempt,
      range: made.range && [...made.range.top, ...made.range.left],
      crop: [y, x, height, width],
    };
  },
});
