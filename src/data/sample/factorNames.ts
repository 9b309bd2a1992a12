/** The factors an image is drawn from, each of which can be the label. */
export const factorNames = [
  "shape",
  "texture",
  "colour",
  "rotation",
  "position",
  "size",
  "background",
  "lighting",
] as const;

/** Name of a factor. */
export type FactorName = (typeof factorNames)[number];

/** What fills an object: its own colour, alone or with a second tone of it. */
export const textureNames = ["plain", "stripes", "dots", "checks", "gradient", "speckle"] as const;

/** Object colours with their hue, in degrees of OKLCH. */
export const hues = {
  red: 22,
  orange: 58,
  yellow: 95,
  green: 145,
  teal: 190,
  blue: 250,
  violet: 298,
  pink: 345,
} as const;

/** Where the object lies within the room its size leaves it, row by row. */
export const positionNames = [
  "top-left",
  "top",
  "top-right",
  "left",
  "centre",
  "right",
  "bottom-left",
  "bottom",
  "bottom-right",
] as const;

/** Thirds of the range of sizes. */
export const sizeNames = ["small", "medium", "large"] as const;

/** What lies behind the object and the clutter. */
export const backgroundNames = ["plain", "gradient", "glow", "clouds"] as const;

/** How much light falls on the scene. */
export const lightingNames = ["dim", "even", "bright"] as const;

/** Names of textures, colours, backgrounds and lighting. */
export type TextureName = (typeof textureNames)[number];
export type ColourName = keyof typeof hues;
export type BackgroundName = (typeof backgroundNames)[number];
export type LightingName = (typeof lightingNames)[number];
