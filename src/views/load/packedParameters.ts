import type { Rectangle } from "../crop/crop.ts";
import type { ColourStep, ViewParameters } from "../parameters.ts";

/** Numbers that one view's parameters take in packed form. */
export const PACKED_PARAMETERS = 22;

const steps: ColourStep["step"][] = ["brightness", "contrast", "saturation", "hue"];
const [ROTATION, FLAGS, JITTER, BLUR, SOLARISE, CUTOUT, SOURCE] = [4, 5, 6, 14, 16, 17, 21];

function packRectangle(to: Float64Array, at: number, rectangle: Rectangle | null): void {
  to[at] = rectangle?.x ?? 0;
  to[at + 1] = rectangle?.y ?? 0;
  to[at + 2] = rectangle?.width ?? 0;
  to[at + 3] = rectangle?.height ?? 0;
}

function unpackRectangle(from: Float64Array, at: number): Rectangle {
  return { x: from[at], y: from[at + 1], width: from[at + 2], height: from[at + 3] };
}

/** Writes parameters as `PACKED_PARAMETERS` numbers from `at` on, losing nothing. */
export function packParameters(parameters: ViewParameters, to: Float64Array, at: number): void {
  const { crop, flip, verticalFlip, rotation, jitter, grey, blur, solarise, cutout } = parameters;
  packRectangle(to, at, crop);
  to[at + ROTATION] = rotation;
  to[at + FLAGS] = (flip ? 1 : 0) + (verticalFlip ? 2 : 0) + (grey ? 4 : 0);
  for (let i = 0; i < 4; i++) {
    const step = jitter[i];
    to[at + JITTER + 2 * i] = step === undefined ? -1 : steps.indexOf(step.step);
    to[at + JITTER + 2 * i + 1] = step === undefined ? 0 : step.amount;
  }
  to[at + BLUR] = blur === null ? 0 : blur.sigma;
  to[at + BLUR + 1] = blur === null ? 0 : blur.radius;
  to[at + SOLARISE] = solarise ?? -1;
  packRectangle(to, at + CUTOUT, cutout);
  to[at + SOURCE] = parameters.source ?? -1;
}

/** Parameters that `packParameters` wrote at `at`. */
export function unpackParameters(from: Float64Array, at: number): ViewParameters {
  const jitter: ColourStep[] = [];
  for (let i = at + JITTER; i < at + BLUR && from[i] >= 0; i += 2) {
    jitter.push({ step: steps[from[i]], amount: from[i + 1] });
  }
  const flags = from[at + FLAGS];
  const sigma = from[at + BLUR];
  return {
    crop: unpackRectangle(from, at),
    flip: (flags & 1) !== 0,
    verticalFlip: (flags & 2) !== 0,
    rotation: from[at + ROTATION],
    jitter,
    grey: (flags & 4) !== 0,
    blur: sigma > 0 ? { sigma, radius: from[at + BLUR + 1] } : null,
    solarise: from[at + SOLARISE] >= 0 ? from[at + SOLARISE] : null,
    cutout: from[at + CUTOUT + 2] > 0 ? unpackRectangle(from, at + CUTOUT) : null,
    ...(from[at + SOURCE] >= 0 ? { source: from[at + SOURCE] } : {}),
  };
}
