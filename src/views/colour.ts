import type { ColourStep } from "./parameters.ts";

/** Weights of red, green and blue in grey: ITU-R 601, to torchvision's four digits. */
export const GREY_WEIGHTS = [0.2989, 0.587, 0.114] as const;
const [RED, GREEN, BLUE] = GREY_WEIGHTS;
const TOTAL = RED + GREEN + BLUE;

/**
 * A change of colours that has not been written to the pixels yet: v becomes
 * `scale · v + share · grey + offset`. Brightness, contrast, saturation and grey are all of this form,
 * and so is one after the other, as long as no value has to be clamped in between.
 */
export type Pending = { scale: number; share: number; offset: number };

/** Nothing pending. */
export const UNCHANGED: Pending = { scale: 1, share: 0, offset: 0 };

/** `first`, then `next`. */
function after(first: Pending, next: Pending): Pending {
  const greyScale = first.scale + first.share * TOTAL; // grey after `first` is this · grey + TOTAL · offset
  return {
    scale: next.scale * first.scale,
    share: next.scale * first.share + next.share * greyScale,
    offset: next.scale * first.offset + next.share * TOTAL * first.offset + next.offset,
  };
}

/** Writes what is pending to interleaved RGB, clamped to [0, 1]. */
function settle(pixels: Float32Array, { scale, share, offset }: Pending): void {
  if (share !== 0) return settleWithGrey(pixels, { scale, share, offset });
  for (let i = 0; i < pixels.length; i += 3) {
    const red = scale * pixels[i] + offset;
    const green = scale * pixels[i + 1] + offset;
    const blue = scale * pixels[i + 2] + offset;
    pixels[i] = red < 0 ? 0 : red > 1 ? 1 : red;
    pixels[i + 1] = green < 0 ? 0 : green > 1 ? 1 : green;
    pixels[i + 2] = blue < 0 ? 0 : blue > 1 ? 1 : blue;
  }
}

function settleWithGrey(pixels: Float32Array, { scale, share, offset }: Pending): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const r = pixels[i];
    const g = pixels[i + 1];
    const b = pixels[i + 2];
    const add = share * (RED * r + GREEN * g + BLUE * b) + offset;
    const red = scale * r + add;
    const green = scale * g + add;
    const blue = scale * b + add;
    pixels[i] = red < 0 ? 0 : red > 1 ? 1 : red;
    pixels[i + 1] = green < 0 ? 0 : green > 1 ? 1 : green;
    pixels[i + 2] = blue < 0 ? 0 : blue > 1 ? 1 : blue;
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

const greatest = (r: number, g: number, b: number) => (r > g ? (r > b ? r : b) : g > b ? g : b);
const least = (r: number, g: number, b: number) => (r < g ? (r < b ? r : b) : g < b ? g : b);

/** Hue in sixths of the colour circle times `range`, in [−range, 5 · range]. */
function hueOf(r: number, g: number, b: number, high: number, range: number): number {
  if (high === r) return g - b;
  return high === g ? 2 * range + b - r : 4 * range + r - g;
}

/** Writes the colour of the given hue (sixths times range, in [0, 6 · range]), its least and greatest. */
function writeHue(pixels: Float32Array, i: number, hue: number, low: number, high: number): void {
  const range = high - low;
  const sixth =
    hue < 3 * range
      ? hue < range
        ? 0
        : hue < 2 * range
          ? 1
          : 2
      : hue < 4 * range
        ? 3
        : hue < 5 * range
          ? 4
          : 5;
  const part = hue - sixth * range; // [0, range]
  switch (sixth) {
    case 0:
      return write(pixels, i, high, low + part, low);
    case 1:
      return write(pixels, i, high - part, high, low);
    case 2:
      return write(pixels, i, low, high, low + part);
    case 3:
      return write(pixels, i, low, high - part, high);
    case 4:
      return write(pixels, i, low + part, low, high);
    case 5:
      return write(pixels, i, high, low, high - part);
  }
}

function write(pixels: Float32Array, i: number, r: number, g: number, b: number): void {
  pixels[i] = r;
  pixels[i + 1] = g;
  pixels[i + 2] = b;
}

/**
 * Turns the hue of interleaved RGB in place, `shift` in turns of the colour circle; HSV's value and
 * saturation stay. Torchvision's way through HSV without its divisions: hue is kept times the range.
 */
function turnHue(pixels: Float32Array, shift: number): void {
  const sixths = (shift - Math.floor(shift)) * 6; // [0, 6)
  for (let i = 0; i < pixels.length; i += 3) {
    const r = pixels[i];
    const g = pixels[i + 1];
    const b = pixels[i + 2];
    const high = greatest(r, g, b);
    const low = least(r, g, b);
    const range = high - low;
    let hue = sixths * range + hueOf(r, g, b, high, range);
    if (hue < 0) hue += 6 * range;
    else if (hue >= 6 * range) hue -= 6 * range;
    writeHue(pixels, i, hue, low, high);
  }
}

/** Mean grey of the pixels with what is pending. */
function pendingMean(pixels: Float32Array, { scale, share, offset }: Pending): number {
  return (scale + share * TOTAL) * meanGrey(pixels) + TOTAL * offset;
}

function changeOf({ step, amount }: ColourStep, pixels: Float32Array, pending: Pending): Pending {
  if (step === "brightness") return { scale: amount, share: 0, offset: 0 };
  if (step === "saturation") return { scale: amount, share: 1 - amount, offset: 0 };
  return { scale: amount, share: 0, offset: (1 - amount) * pendingMean(pixels, pending) };
}

/**
 * Colour jitter on interleaved RGB in [0, 1]: torchvision's steps in the order given, each clamped.
 * What it leaves pending needs no clamp: only a factor above 1 can leave [0, 1].
 */
export function jitterColours(pixels: Float32Array, steps: readonly ColourStep[]): Pending {
  let pending = UNCHANGED;
  for (const step of steps) {
    if (step.step === "hue") {
      if (pending !== UNCHANGED) settle(pixels, pending);
      turnHue(pixels, step.amount);
      pending = UNCHANGED;
      continue;
    }
    pending = after(pending, changeOf(step, pixels, pending));
    if (step.amount <= 1) continue;
    settle(pixels, pending);
    pending = UNCHANGED;
  }
  return pending;
}

/** Loss of all colour, after what is pending. */
export function greyAfter(pending: Pending): Pending {
  return after(pending, { scale: 0, share: 1, offset: 0 });
}

/** Inverts values from `threshold` up, after what is pending, in place. */
export function solarise(pixels: Float32Array, threshold: number, pending: Pending): void {
  if (pending !== UNCHANGED) settle(pixels, pending);
  for (let i = 0; i < pixels.length; i++) {
    if (pixels[i] >= threshold) pixels[i] = 1 - pixels[i];
  }
}

/** Mean and standard deviation of red, green and blue that normalisation makes 0 and 1. */
export type Normalisation = {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
};

/** Writes interleaved RGB, after what is pending, as normalised planes [3, n] from `offset` on. */
export function normaliseInto(
  pixels: Float32Array,
  out: Float32Array,
  offset: number,
  { scale, share, offset: shift }: Pending,
  { mean, std }: Normalisation,
): void {
  const n = pixels.length / 3;
  const [scaleR, scaleG, scaleB] = std.map((deviation) => scale / deviation);
  const [shareR, shareG, shareB] = std.map((deviation) => share / deviation);
  const [shiftR, shiftG, shiftB] = std.map((deviation, c) => (shift - mean[c]) / deviation);
  const green = offset + n;
  const blue = green + n;
  if (share === 0) {
    for (let i = 0, j = 0; i < n; i++, j += 3) {
      out[offset + i] = scaleR * pixels[j] + shiftR;
      out[green + i] = scaleG * pixels[j + 1] + shiftG;
      out[blue + i] = scaleB * pixels[j + 2] + shiftB;
    }
    return;
  }
  for (let i = 0, j = 0; i < n; i++, j += 3) {
    const r = pixels[j];
    const g = pixels[j + 1];
    const b = pixels[j + 2];
    const grey = RED * r + GREEN * g + BLUE * b;
    out[offset + i] = scaleR * r + shareR * grey + shiftR;
    out[green + i] = scaleG * g + shareG * grey + shiftG;
    out[blue + i] = scaleB * b + shareB * grey + shiftB;
  }
}
