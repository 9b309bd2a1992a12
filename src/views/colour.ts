import type { ColourStep } from "./parameters.ts";

/** Weights of red, green and blue in grey: ITU-R 601, to torchvision's four digits. */
export const GREY_WEIGHTS = [0.2989, 0.587, 0.114] as const;
const [RED, GREEN, BLUE] = GREY_WEIGHTS;

/**
 * v ← clamp(scale · v + greyShare · grey + offset) on interleaved RGB in [0, 1], in place. Brightness,
 * contrast, saturation and grey are all of this form.
 */
function blend(pixels: Float32Array, scale: number, greyShare: number, offset: number): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const r = pixels[i];
    const g = pixels[i + 1];
    const b = pixels[i + 2];
    const add = greyShare * (RED * r + GREEN * g + BLUE * b) + offset;
    const red = scale * r + add;
    const green = scale * g + add;
    const blue = scale * b + add;
    pixels[i] = red < 0 ? 0 : red > 1 ? 1 : red;
    pixels[i + 1] = green < 0 ? 0 : green > 1 ? 1 : green;
    pixels[i + 2] = blue < 0 ? 0 : blue > 1 ? 1 : blue;
  }
}

/** v ← clamp(scale · v + offset): `blend` without its grey part. */
function scaleAndShift(pixels: Float32Array, scale: number, offset: number): void {
  for (let i = 0; i < pixels.length; i++) {
    const value = scale * pixels[i] + offset;
    pixels[i] = value < 0 ? 0 : value > 1 ? 1 : value;
  }
}

/** Mean of grey over all pixels of interleaved RGB. */
function meanGrey(pixels: Float32Array): number {
  let red = 0;
  let green = 0;
  let blue = 0;
  for (let i = 0; i < pixels.length; i += 3) {
    red += pixels[i];
    green += pixels[i + 1];
    blue += pixels[i + 2];
  }
  return (RED * red + GREEN * green + BLUE * blue) / (pixels.length / 3);
}

/**
 * Turns the hue of interleaved RGB in place, `shift` in turns of the colour circle; HSV's value and
 * saturation stay. Algebraically torchvision's way through HSV: with hue h in sixths of the circle, red is
 * min + (max − min) · clamp(|h − 3| − 1), green … clamp(2 − |h − 2|), blue … clamp(2 − |h − 4|).
 */
function turnHue(pixels: Float32Array, shift: number): void {
  const sixths = (shift - Math.floor(shift)) * 6; // [0, 6)
  for (let i = 0; i < pixels.length; i += 3) {
    const r = pixels[i];
    const g = pixels[i + 1];
    const b = pixels[i + 2];
    const most = r > g ? (r > b ? r : b) : g > b ? g : b;
    const least = r < g ? (r < b ? r : b) : g < b ? g : b;
    const range = most - least;
    if (range === 0) continue;
    let hue = sixths;
    if (most === r) hue += (g - b) / range;
    else if (most === g) hue += 2 + (b - r) / range;
    else hue += 4 + (r - g) / range;
    if (hue < 0) hue += 6;
    else if (hue >= 6) hue -= 6;
    const red = (hue < 3 ? 3 - hue : hue - 3) - 1;
    const green = 2 - (hue < 2 ? 2 - hue : hue - 2);
    const blue = 2 - (hue < 4 ? 4 - hue : hue - 4);
    pixels[i] = red <= 0 ? least : red >= 1 ? most : least + range * red;
    pixels[i + 1] = green <= 0 ? least : green >= 1 ? most : least + range * green;
    pixels[i + 2] = blue <= 0 ? least : blue >= 1 ? most : least + range * blue;
  }
}

function applyStep(pixels: Float32Array, { step, amount }: ColourStep): void {
  switch (step) {
    case "brightness":
      return scaleAndShift(pixels, amount, 0);
    case "contrast":
      return scaleAndShift(pixels, amount, (1 - amount) * meanGrey(pixels));
    case "saturation":
      return blend(pixels, amount, 1 - amount, 0);
    case "hue":
      return turnHue(pixels, amount);
  }
}

/** Colour jitter in place on interleaved RGB in [0, 1]: torchvision's steps in the order given. */
export function jitterColours(pixels: Float32Array, steps: readonly ColourStep[]): void {
  for (const step of steps) applyStep(pixels, step);
}

/** Replaces colours by their grey, in place. */
export function makeGrey(pixels: Float32Array): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const grey = RED * pixels[i] + GREEN * pixels[i + 1] + BLUE * pixels[i + 2];
    pixels[i] = grey;
    pixels[i + 1] = grey;
    pixels[i + 2] = grey;
  }
}

/** Inverts values from `threshold` up, in place. */
export function solarise(pixels: Float32Array, threshold: number): void {
  for (let i = 0; i < pixels.length; i++) {
    if (pixels[i] >= threshold) pixels[i] = 1 - pixels[i];
  }
}
