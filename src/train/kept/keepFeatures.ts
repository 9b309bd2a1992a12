import { openPixels } from "../../files/index.ts";
import { type FeatureFile, type KeepOptions, keepRows, type Rows } from "../../inference/index.ts";
import {
  createRenderer,
  type ViewParameters,
  type ViewPolicy,
  viewsDrawer,
} from "../../views/index.ts";
import type { TrainingData } from "../dataset.ts";

/** Which views are kept: the same for every seed of a training, so that all share them. */
export type KeptPlan = {
  readonly policy: ViewPolicy;
  readonly draws: number; // sets of `policy.count` views of each image
};

/** Kept features of views. */
export type KeptViews = FeatureFile & {
  readonly plan: KeptPlan;
  /** How the views of a set of an image were made. */
  drawn(draw: number, image: number): ViewParameters[];
  readView(image: number, place: KeptPlace, out: Float32Array, offset: number): void;
};

/** A kept view of an image. */
export type KeptPlace = { readonly draw: number; readonly view: number };

const SEED = 0; // of all kept views

/** Whether any views of an image may stand beside each other: none differs by policy, none may show another image. */
const areAlike = ({ perView, falsePositives }: ViewPolicy): boolean =>
  perView.length === 0 && falsePositives === 0;

/**
 * So many views of each image at least: one set of all of them where they are alike, whatever number of them a step
 * takes; else sets as steps take them.
 */
export function keptPlan(policy: ViewPolicy, views: number): KeptPlan {
  if (!areAlike(policy)) return { policy, draws: Math.ceil(views / policy.count) };
  return { policy: { ...policy, count: Math.max(views, policy.count) }, draws: 1 };
}

/** Features of views of images: of all, or of `some`, by their places in the data. */
export async function keepViews(
  options: KeepOptions,
  data: TrainingData,
  plan: KeptPlan,
  some?: readonly number[],
): Promise<KeptViews> {
  const { policy, draws } = plan;
  const drawn = viewsDrawer({ policy, seed: SEED, source: data.pixels });
  const each = draws * policy.count;
  const { interpolation } = options.encoder.description;
  const rows = (): Rows => {
    const render = createRenderer({ ...policy, interpolation });
    const reader = openPixels(data.pixels);
    return {
      count: (some?.length ?? data.count) * each,
      fill(row, out, offset) {
        const [place, at] = [Math.floor(row / each), row % each];
        const image = some?.[place] ?? place;
        const parameters = drawn(Math.floor(at / policy.count), image)[at % policy.count];
        render(reader.image(parameters.source ?? image), parameters, out, offset);
      },
      close: () => Promise.resolve(reader.close()),
    };
  };
  const features = await keepRows(options, data, {
    rows,
    what: "view",
    facts: some === undefined ? plan : { ...plan, some },
  });
  return {
    ...features,
    plan,
    drawn,
    readView: (image, { draw, view }, out, offset) =>
      features.read(image * each + draw * policy.count + view, out, offset),
  };
}
