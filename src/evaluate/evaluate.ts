import { permutation, randomStream } from "../core/random.ts";
import {
  adapterFor,
  encoderRows,
  type Images,
  type InputFormat,
  loadEncoder,
  type LoadedEncoder,
  pixelFeatures,
  viewPairRows,
} from "../inference/index.ts";
import { pairAlignment } from "../metrics/index.ts";
import { viewPolicy, type ViewPolicy } from "../views/index.ts";
import { type FeaturesKind, type OpenEncoder, openEncoder } from "./embedSet.ts";
import { encoderHash, type ImageEncoder } from "./imageEncoder.ts";
import { accuracies, type Accuracies, chanceOf, spread, type Spread } from "./measure.ts";
import { keptSight, startBeside } from "./keptSight.ts";
import type { EvaluateOptions, Plan, Seen } from "./plan.ts";
import { type Split, splitImages, withCopies } from "./split.ts";

/** An encoder's numbers, each beside what it must beat. */
export type Evaluation = Accuracies &
  Spread & {
    readonly encoder: string; // file of the weights
    readonly encoderHash: string; // another one where features may be others
    readonly features: FeaturesKind;
    readonly images: {
      readonly train: number;
      readonly test: number;
      readonly how: string;
      /** Test images that are copies of training images; null where none were given. */
      readonly copies: number | null;
    };
    readonly classes: readonly string[];
    /** Mean squared distance of two views of an image, on the unit sphere: 0 same, 2 unrelated. */
    readonly alignment: number;
    readonly baselines: {
      /** Share of the largest class; null without labels. */
      readonly chance: number | null;
      /** The pretrained encoder that a run began with, as it was. */
      readonly start?: Accuracies & Spread & { readonly alignment: number };
      /** The same network with its first weights. */
      readonly untrained?: Accuracies & Spread & { readonly alignment: number };
      /** Pixels at 32 px. */
      readonly pixels?: Accuracies & Spread;
    };
  };

const ALIGNED_IMAGES = 1000; // enough for two digits

type Measured = Accuracies & Spread & { alignment: number };

/** What an encoder makes of the images of a plan. */
async function seenBy(
  encoder: Pick<OpenEncoder, "embed" | "format">,
  { split, policy, aligned, seed, options }: Plan,
  what: string,
): Promise<Seen> {
  const { train, test } = split;
  const total = train.indices.length + test.indices.length + 2 * aligned.length;
  let before = 0;
  const embed = async (rows: Parameters<OpenEncoder["embed"]>[0]) => {
    const progress = (done: number) => options.progress?.(what, before + done, total);
    const features = await encoder.embed(rows, { progress, signal: options.signal });
    before += rows.count;
    return features;
  };
  return {
    trained: await embed(encoderRows(train.images, encoder.format, train.indices)),
    tested: await embed(encoderRows(test.images, encoder.format, test.indices)),
    pairs: await embed(viewPairRows(test.images, policy, seed, aligned)),
  };
}

const measured = ({ trained, tested, pairs }: Seen, { split, vote }: Plan): Measured => ({
  ...accuracies(split, trained, tested, vote),
  alignment: pairAlignment(pairs),
  ...spread(tested),
});

const measure = async (encoder: Pick<OpenEncoder, "embed" | "format">, plan: Plan, what: string) =>
  measured(await seenBy(encoder, plan, what), plan);

function measurePixels({ split, vote, options }: Plan, format: InputFormat) {
  const { train, test } = split;
  options.progress?.("raw pixels", 0, train.indices.length + test.indices.length);
  const trained = pixelFeatures(train.images, format, train.indices);
  const tested = pixelFeatures(test.images, format, test.indices);
  const own = accuracies(split, trained, tested, vote, { standardised: false });
  return { ...own, ...spread(tested) };
}

/** Variables of a run's encoder as it began, from the start beside it: an adapter is the identity then. */
async function startVariables({ path, description, network }: LoadedEncoder) {
  const found = startBeside(path);
  if (found === undefined) return undefined;
  const { variables } = await loadEncoder(found);
  if (description.adapter === undefined) return variables;
  const identity = adapterFor(description.adapter, network.dimension).init(0);
  return {
    parameters: { ...identity.parameters, ...variables.parameters },
    statistics: { ...identity.statistics, ...variables.statistics },
  };
}

async function measureBaselines(plan: Plan, loaded: LoadedEncoder, encoder: OpenEncoder) {
  const { description, network } = loaded;
  const start = await startVariables(loaded);
  // behind a head the untrained encoder would need an untrained head too: features are compared
  const same = plan.options.features !== "head";
  const options = { device: plan.options.device, threads: plan.options.threads };
  const opened = same ? encoder : await openEncoder(loaded, "features", options);
  try {
    const pixels = measurePixels(plan, encoder.format);
    if (start !== undefined) {
      return { start: await measure(opened.withVariables(start), plan, "start"), pixels };
    }
    if (description.graph !== undefined) return { pixels }; // an ONNX model has no first weights
    const fresh = network.init(description.training?.seed ?? plan.seed);
    const untrained = await measure(opened.withVariables(fresh), plan, "untrained encoder");
    return { untrained, pixels };
  } finally {
    if (!same) await opened.dispose();
  }
}

/** SimCLR's views at the size of an encoder, with its own normalisation. */
function policyFor({ imageSize, mean, std }: InputFormat): ViewPolicy {
  const preset = imageSize <= 48 ? "small" : "photo";
  return viewPolicy({ preset, size: imageSize, mean: [...mean], std: [...std] });
}

function planOf(policy: ViewPolicy, split: Split, options: EvaluateOptions): Plan {
  const { k = 20, temperature = 0.07, seed = 0 } = options;
  const { indices } = split.test;
  const order = permutation(randomStream(seed, "alignment"), indices.length);
  const aligned = Int32Array.from(order.slice(0, ALIGNED_IMAGES), (i) => indices[i]);
  return { split, policy, aligned, vote: { k, temperature }, seed, options };
}

/** What an evaluation says of its images. */
const aboutImages = (split: Split) => ({
  classes: split.classes,
  images: {
    train: split.train.indices.length,
    test: split.test.indices.length,
    how: split.how,
    copies: split.copied?.reduce((sum, one) => sum + one, 0) ?? null,
  },
});

type Sets = { train: Images; test?: Images | undefined };

/** Images to learn from and to ask, with which of these are copies of the others. */
async function divide({ train, test }: Sets, options: EvaluateOptions) {
  const { seed = 0, how, progress, signal } = options;
  const divided = splitImages(train, test, seed, how);
  progress?.("copies of training images", 0, divided.test.indices.length);
  return withCopies(divided, signal);
}

/** `evaluate` of an encoder whose layers are not known here: beside chance and raw pixels only. */
export async function evaluateModel(
  encoder: ImageEncoder,
  images: Sets,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const split = await divide(images, options);
  const plan = planOf(policyFor(encoder.format), split, options);
  const own = await measure(encoder, plan, "encoder");
  const pixels = options.baselines === false ? {} : { pixels: measurePixels(plan, encoder.format) };
  const { path, hash, features } = encoder;
  return {
    ...own,
    encoder: path,
    encoderHash: hash,
    features,
    ...aboutImages(split),
    baselines: { chance: chanceOf(split), ...pixels },
  };
}

/** An encoder's numbers and those of its baselines. */
async function measureLoaded(loaded: LoadedEncoder, plan: Plan) {
  const { features = "features", device, threads, kept, baselines } = plan.options;
  const seen =
    kept === undefined || features !== "features" ? undefined : await keptSight(loaded, plan, kept);
  if (seen !== undefined) {
    const own = measured(seen.own, plan);
    if (baselines === false) return { own, baselines: {} };
    const pixels = measurePixels(plan, loaded.description);
    return { own, baselines: { start: measured(seen.start, plan), pixels } };
  }
  const encoder = await openEncoder(loaded, features, { device, threads });
  try {
    const own = await measure(encoder, plan, "encoder");
    if (baselines === false) return { own, baselines: {} };
    return { own, baselines: await measureBaselines(plan, loaded, encoder) };
  } finally {
    await encoder.dispose();
  }
}

/**
 * Measures an encoder: k-NN and linear probe on labelled images, alignment, uniformity and effective
 * rank on any; always beside chance, the same network untrained, and raw pixels.
 */
export async function evaluate(
  loaded: LoadedEncoder,
  images: Sets,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { features = "features" } = options;
  const split = await divide(images, options);
  const { description } = loaded;
  const plan = planOf(description.training?.views ?? policyFor(description), split, options);
  const { own, baselines } = await measureLoaded(loaded, plan);
  return {
    ...own,
    encoder: loaded.path,
    encoderHash: await encoderHash(loaded, features),
    features,
    ...aboutImages(split),
    baselines: { chance: chanceOf(split), ...baselines },
  };
}
