import type { ColourStep } from "../parameters.ts";

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

/** A picture whose colours can be changed in place. */
export type Colours = {
  /** Writes what is pending, clamped to [0, 1]. */
  settle(pending: Pending): void;
  /** Mean of grey over all pixels. */
  meanGrey(): number;
  /** Turns the hue by `shift` turns of the colour circle, as torchvision's `adjust_hue`. */
  turnHue(shift: number): void;
};

/** `first`, then `next`. */
function after(first: Pending, next: Pending): Pending {
  const greyScale = first.scale + first.share * TOTAL; // grey after `first` is this · grey + TOTAL · offset
  return {
    scale: next.scale * first.scale,
    share: next.scale * first.share + next.share * greyScale,
    offset: next.scale * first.offset + next.share * TOTAL * first.offset + next.offset,
  };
}

/** Mean grey of the pixels with what is pending. */
function pendingMean(canvas: Colours, { scale, share, offset }: Pending): number {
  return (scale + share * TOTAL) * canvas.meanGrey() + TOTAL * offset;
}

function changeOf({ step, amount }: ColourStep, canvas: Colours, pending: Pending): Pending {
  if (step === "brightness") return { scale: amount, share: 0, offset: 0 };
  if (step === "saturation") return { scale: amount, share: 1 - amount, offset: 0 };
  return { scale: amount, share: 0, offset: (1 - amount) * pendingMean(canvas, pending) };
}

/**
 * Colour jitter: torchvision's steps in the order given, each clamped.
 * What it leaves pending needs no clamp: only a factor above 1 can leave [0, 1].
 */
export function jitterColours(canvas: Colours, steps: readonly ColourStep[]): Pending {
  let pending = UNCHANGED;
  for (const step of steps) {
    if (step.step === "hue") {
      if (pending !== UNCHANGED) canvas.settle(pending);
      canvas.turnHue(step.amount);
      pending = UNCHANGED;
      continue;
    }
    pending = after(pending, changeOf(step, canvas, pending));
    if (step.amount <= 1) continue;
    canvas.settle(pending);
    pending = UNCHANGED;
  }
  return pending;
}

/** Loss of all colour, after what is pending. */
export function greyAfter(pending: Pending): Pending {
  return after(pending, { scale: 0, share: 1, offset: 0 });
}

/** Mean and standard deviation of red, green and blue that normalisation makes 0 and 1. */
export type Normalisation = {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
};
