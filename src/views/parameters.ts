import type { RandomStream } from "../core/random.ts";
import type { Box, Rectangle, Size } from "./crop/crop.ts";
import { crops } from "./crop/crops.ts";
import type { TransformPolicy } from "./policy.ts";

/** The four steps of colour jitter, in the order they are done. */
export type ColourStep = {
  step: "brightness" | "contrast" | "saturation" | "hue";
  amount: number; // a factor; for hue a shift in turns of the colour circle
};

/**
 * Everything that was drawn to make one view: with the image's pixels it gives the view again, bit for
 * bit. Plain JSON. Steps are done in the order of the fields.
 */
export type ViewParameters = {
  crop: Rectangle; // source pixels
  flip: boolean;
  verticalFlip: boolean;
  rotation: number; // degrees counter-clockwise, in (−360, 360)
  jitter: ColourStep[]; // empty: colours stay
  grey: boolean;
  blur: { sigma: number; radius: number } | null; // view pixels
  solarise: number | null; // threshold in [0, 1]
  cutout: Rectangle | null; // view pixels
  source?: number; // the other image that the view is made of, where it is a false positive
};

/** What a view's parameters may depend on beside policy and chance. */
export type ViewContext = {
  /** Object box of the image, for crop policies that look at one. */
  box?: Box | undefined;
  /** Another view of the image and the groups of transforms to take over from it. */
  share?: { from: ViewParameters; transforms: readonly string[] } | undefined;
};

const stepNames = ["brightness", "contrast", "saturation", "hue"] as const;

function drawJitter(jitter: TransformPolicy["jitter"], stream: RandomStream): ColourStep[] {
  const applied = stream.chance(jitter.probability);
  const order = [0, 1, 2, 3];
  for (let i = 3; i > 0; i--) {
    const j = stream.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const amounts = stepNames.map((name) => {
    const reach = jitter.strength * jitter[name];
    if (name === "hue") return stream.uniform(-Math.min(0.5, reach), Math.min(0.5, reach));
    return stream.uniform(Math.max(0, 1 - reach), 1 + reach);
  });
  if (!applied) return [];
  return order
    .filter((i) => jitter.strength * jitter[stepNames[i]] > 0)
    .map((i) => ({ step: stepNames[i], amount: amounts[i] }));
}

function drawRotation(rotation: TransformPolicy["rotation"], stream: RandomStream): number {
  const turned = stream.chance(rotation.rightAngles);
  const quarters = 1 + stream.integer(3);
  const quarter = turned ? 90 * quarters : 0;
  const free = stream.chance(rotation.probability);
  const angle = stream.uniform(-rotation.degrees, rotation.degrees);
  return free ? quarter + angle : quarter;
}

function drawCutout(
  cutout: TransformPolicy["cutout"],
  stream: RandomStream,
  size: number,
): Rectangle | null {
  const applied = stream.chance(cutout.probability);
  const area = size * size * stream.uniform(...cutout.scale);
  const ratio = Math.exp(stream.uniform(Math.log(cutout.ratio[0]), Math.log(cutout.ratio[1])));
  const width = Math.min(size, Math.round(Math.sqrt(area * ratio)));
  const height = Math.min(size, Math.round(Math.sqrt(area / ratio)));
  const x = stream.integer(size - width + 1);
  const y = stream.integer(size - height + 1);
  return applied && width > 0 && height > 0 ? { x, y, width, height } : null;
}

/** Radius of SimCLR's blur kernel: a tenth of the view's side, made odd. */
function defaultRadius(size: number): number {
  return Math.floor(Math.floor(size / 10) / 2);
}

const groups: Record<string, (keyof ViewParameters)[]> = {
  crop: ["crop"],
  flip: ["flip", "verticalFlip"],
  rotation: ["rotation"],
  colour: ["jitter", "grey"],
  blur: ["blur"],
  solarise: ["solarise"],
  cutout: ["cutout"],
};

/**
 * Draws the parameters of one view of side `policy.size` of an image of size `source`.
 *
 * Everything is drawn whether or not it is applied or taken over from another view, and the crop last,
 * so switching a transform on or swapping the crop policy leaves the other draws alone.
 */
export function drawViewParameters(
  policy: TransformPolicy & { size: number },
  stream: RandomStream,
  source: Size,
  context: ViewContext = {},
): ViewParameters {
  const { size, blur, solarise } = policy;
  const flip = stream.chance(policy.flip);
  const verticalFlip = stream.chance(policy.verticalFlip);
  const rotation = drawRotation(policy.rotation, stream);
  const jitter = drawJitter(policy.jitter, stream);
  const grey = stream.chance(policy.grey);
  const blurred = stream.chance(blur.probability);
  const sigma = stream.uniform(...blur.sigma);
  const radius = blur.kernel === undefined ? defaultRadius(size) : (blur.kernel - 1) / 2;
  const solarised = stream.chance(solarise.probability);
  const cutout = drawCutout(policy.cutout, stream, size);
  const crop = crops[policy.crop.kind](policy.crop, stream, source, context.box);
  const fresh: ViewParameters = {
    crop,
    flip,
    verticalFlip,
    rotation,
    jitter,
    grey,
    blur: blurred && radius > 0 ? { sigma, radius } : null,
    solarise: solarised ? solarise.threshold : null,
    cutout,
  };
  const { share } = context;
  if (share === undefined) return fresh;
  const names = share.transforms.flatMap((name) => groups[name]);
  return { ...fresh, ...Object.fromEntries(names.map((name) => [name, share.from[name]])) };
}

/** Parameters that change nothing: the whole image, resized to the view if its size differs. */
export function identityParameters(source: Size): ViewParameters {
  return {
    crop: { x: 0, y: 0, width: source.width, height: source.height },
    flip: false,
    verticalFlip: false,
    rotation: 0,
    jitter: [],
    grey: false,
    blur: null,
    solarise: null,
    cutout: null,
  };
}
