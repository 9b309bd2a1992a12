/** Groups of parameters that one view can take over from another. `colour` is jitter and grey. */
export const shareable = [
  "crop",
  "flip",
  "rotation",
  "colour",
  "blur",
  "solarise",
  "cutout",
] as const;

/** Names of the presets, see `viewPresets`. */
export const viewPresetNames = ["small", "photo", "moco", "none"] as const;

type Range = [from: number, to: number];

/** What a run says of contrastive crops beside how each is drawn. */
type BoxPlan = {
  boxes: "encoder" | "dataset";
  threshold: number;
  warmup: number; // share of the epochs
  interval: number; // share of the epochs
};

/** Every transform of one view, nothing left open; `ViewOptions` says what the numbers mean. */
export type TransformPolicy = {
  crop: {
    kind: "random" | "centre" | "contrastive";
    scale: Range;
    ratio: Range;
    alpha: number;
    exact: boolean;
    box?: [left: number, top: number, right: number, bottom: number] | undefined;
  };
  flip: number;
  verticalFlip: number;
  rotation: { rightAngles: number; probability: number; degrees: number };
  jitter: {
    probability: number;
    strength: number;
    brightness: number;
    contrast: number;
    saturation: number;
    hue: number;
  };
  grey: number;
  blur: { probability: number; sigma: Range; kernel?: number | undefined };
  solarise: { probability: number; threshold: number };
  cutout: { probability: number; scale: Range; ratio: Range };
};

type Partials<T> = { [K in keyof T]?: (T[K] extends object ? Partial<T[K]> : T[K]) | undefined };

/** What one view does differently; `share` takes parameters over from an earlier view. */
export type ViewOverride = Partials<TransformPolicy> & {
  share?: { from: number; transforms: (typeof shareable)[number][] } | undefined;
};

/** How the views of an image are made. A whole policy is a valid `ViewOptions` again. */
export type ViewPolicy = TransformPolicy & {
  crop: BoxPlan;
  preset: (typeof viewPresetNames)[number];
  size: number; // pixels
  count: number; // views of each image
  falsePositives: number; // share of views, the first left out, that are made of another image
  mean: [number, number, number];
  std: [number, number, number];
  perView: ViewOverride[];
};

const imagenet = {
  mean: [0.485, 0.456, 0.406] as [number, number, number],
  std: [0.229, 0.224, 0.225] as [number, number, number],
};
const small: Omit<ViewPolicy, "preset"> = {
  size: 32,
  count: 2,
  falsePositives: 0,
  crop: {
    kind: "random",
    scale: [0.2, 1],
    ratio: [3 / 4, 4 / 3],
    alpha: 0.6,
    exact: true,
    boxes: "encoder",
    threshold: 0.1,
    warmup: 0.2,
    interval: 0.2,
  },
  flip: 0.5,
  verticalFlip: 0,
  rotation: { rightAngles: 0, probability: 0, degrees: 0 },
  jitter: {
    probability: 0.8,
    strength: 1,
    brightness: 0.4,
    contrast: 0.4,
    saturation: 0.4,
    hue: 0.1,
  },
  grey: 0.2,
  blur: { probability: 0, sigma: [0.1, 2] },
  solarise: { probability: 0, threshold: 0.5 },
  cutout: { probability: 0, scale: [0.02, 0.33], ratio: [0.3, 3.3] },
  ...imagenet,
  perView: [],
};
const photo: Omit<ViewPolicy, "preset"> = {
  ...small,
  size: 96,
  blur: { probability: 0.5, sigma: [0.1, 2] },
};

/**
 * Policies by name. `small` is SimCLR's for small images (Chen et al. 2020, arXiv 2002.05709, without
 * blur), `photo` the same with blur, `moco` that of MoCo v2 (Chen et al. 2020, arXiv 2003.04297) at
 * 224 pixels, `none` the centre of the image and nothing else, once.
 */
export const viewPresets: Record<(typeof viewPresetNames)[number], ViewPolicy> = {
  small: { preset: "small", ...small },
  photo: { preset: "photo", ...photo },
  moco: { preset: "moco", ...photo, size: 224 },
  none: {
    preset: "none",
    ...small,
    count: 1,
    crop: { ...small.crop, kind: "centre" },
    flip: 0,
    jitter: { ...small.jitter, probability: 0 },
    grey: 0,
  },
};

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A tree with another laid over it; what is undefined there stays as it is. */
export function merge<T extends object>(base: T, over: Tree): T {
  const result = { ...base } as Tree;
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const under = result[key];
    result[key] = isTree(value) && isTree(under) ? merge(under, value) : value;
  }
  return result as T;
}

/** The transforms of view `index`: the policy with what `perView` says of that view laid over it. */
export function transformsOf(policy: ViewPolicy, index: number): TransformPolicy {
  const over = policy.perView[index];
  return over === undefined ? policy : merge<TransformPolicy>(policy, over);
}

/**
 * Crops of the views that are drawn for a box of their image. Empty where no view is: none is contrastive,
 * or the box is fixed.
 */
export function cropsWithBoxes(policy: ViewPolicy): TransformPolicy["crop"][] {
  return Array.from({ length: policy.count }, (_, view) => transformsOf(policy, view).crop).filter(
    ({ kind, box }) => kind === "contrastive" && box === undefined,
  );
}
