import { z } from "zod";

import { factorNames } from "./factorNames.ts";
import { shapeNames } from "./outlines.ts";

const share = z.number().min(0).max(1);
const range = (low: number, high: number) =>
  z
    .tuple([z.number().min(low).max(high), z.number().min(low).max(high)])
    .refine(([from, to]) => from <= to, "the first number must not exceed the second");

/** What a sample set holds and how it is drawn. */
export const SampleOptions = z.strictObject({
  train: z.int().min(0).max(1e6).default(2000).describe("images in train/"),
  test: z.int().min(0).max(1e6).default(500).describe("images in test/"),
  size: z.int().min(16).max(512).default(64).describe("side of an image, in pixels"),
  seed: z.int().min(0).default(0).describe("another seed draws another set"),
  label: z.enum(factorNames).default("shape").describe("the factor whose values are the classes"),
  shapes: z
    .array(z.enum(shapeNames))
    .min(1)
    .refine((names) => new Set(names).size === names.length, "no shape may be named twice")
    .default(shapeNames.slice(0, 10))
    .describe("the shapes to draw"),
  format: z.enum(["png", "jpg"]).default("png").describe("format of the image files"),
  quality: z.int().min(1).max(100).default(90).describe("quality of jpg files"),
  sizeRange: range(0.1, 1)
    .default([0.55, 0.9])
    .describe("range of the longer side of an object's box, as a share of the image"),
  rotationRange: range(-180, 180)
    .default([-30, 30])
    .describe("range of the rotation, in degrees clockwise"),
  deformation: share.default(0.6).describe("how far shapes are bent out of their ideal form"),
  outline: z
    .number()
    .min(0)
    .max(0.1)
    .default(0.035)
    .describe("width of the contour line, as a share of the image; at least a pixel unless 0"),
  textureStrength: share.default(0.5).describe("contrast of the texture inside the shape"),
  colourfulness: share.default(0.6).describe("0 draws in greys, 1 in vivid colours"),
  colourJitter: share
    .default(0.5)
    .describe("how far hue, lightness and saturation stray within one colour"),
  clutter: share.default(0.5).describe("amount of small strokes and blobs behind the object"),
  lighting: share.default(0.5).describe("strength of dim, bright and one-sided light"),
  grain: share.default(0.3).describe("amount of noise as of a camera's sensor"),
});

/** Options of a sample set with every default filled in. */
export type SampleOptions = z.output<typeof SampleOptions>;
