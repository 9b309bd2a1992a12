import { ConfigError } from "../core/errors.ts";
import { quoted, quotedNames } from "../core/quote.ts";
import { permutation, randomStream } from "../core/random.ts";
import {
  encoderRows,
  type Embedder,
  type InputFormat,
  labelledOnly,
  labelsIn,
  largestShare,
  openFeatures,
  pixelFeatures,
  rawRows,
  type ReadyRows,
  refuseSame,
  type Rows,
  viewPairRows,
} from "../inference/index.ts";
import { keptCopies } from "../data/index.ts";
import type { Framework, HostState } from "../frameworks/index.ts";
import {
  effectiveRank,
  type Features,
  knnClassify,
  uniformity,
  viewAgreement,
} from "../metrics/index.ts";
import type { RunConfig } from "../config/schema.ts";
import { type OpenDataOptions, openTrainingData, type TrainingData } from "./dataset.ts";
import type { BaselineRecord, EvaluationRecord, KnnAsked } from "./events.ts";
import type { Progress } from "./loop.ts";
import type { Kept } from "./kept/openKept.ts";
import { exportedEncoder, formatOf } from "./session.ts";
import type { Target } from "./stepper.ts";

/** Measures the encoder between epochs, always in the same way and on the same images. */
export type Monitor = {
  /** What an encoder has to beat, before the first step. */
  baselines(state: HostState): Promise<BaselineRecord>;
  evaluate(progress: Progress, epoch: number): Promise<EvaluationRecord>;
  dispose(): Promise<void>;
};

/** Some images with their labels in common classes. */
type Part = { images: TrainingData; indices: Int32Array; labels: Int32Array | undefined };

/** At most `most` of some numbers, chosen by the seed, in their order. */
function sample(numbers: Int32Array, most: number, seed: number, name: string): Int32Array {
  if (numbers.length <= most) return numbers;
  const order = permutation(randomStream(seed, "evaluation", name), numbers.length);
  return Int32Array.from(order.slice(0, most), (i) => numbers[i]).sort();
}

/** Images of which two views are compared where there are no labels. */
const VIEWED = 200;

const all = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);

function partOf(
  images: TrainingData,
  classes: readonly string[],
  config: RunConfig,
  name: string,
): Part {
  const labels = labelsIn(images, classes);
  const numbers = labels === undefined ? all(images.count) : labelledOnly(labels);
  const indices = sample(numbers, config.evaluation.images, config.seed, name);
  return { images, indices, labels: labels && indices.map((index) => labels[index]) };
}

/** Opens the images to measure, where a config names some. Throws `ConfigError` where they are of no use. */
export async function openTest(
  path: string | undefined,
  data: TrainingData,
  options: OpenDataOptions,
): Promise<TrainingData | undefined> {
  if (path === undefined) return undefined;
  const { ranges } = data.dataset.header; // test images are shown as those it learns from
  const images = await openTrainingData(path, { ...options, split: "heldOut", ranges });
  try {
    refuseSame("test", data, images);
    const classes = data.classes ?? [];
    const labels = labelsIn(images, classes);
    if (labels !== undefined && labelledOnly(labels).length > 0) return images;
    return refuseClasses(path, images, classes);
  } catch (error) {
    images.close();
    throw error;
  }
}

/** Refuses test images without a class of the training images. */
function refuseClasses(path: string, images: TrainingData, classes: readonly string[]): never {
  const known =
    images.classes === undefined ? "no labels" : `the classes ${quotedNames(images.classes)}`;
  throw new ConfigError(
    `test: ${quoted(path)} has ${known}, expected the classes of the training images${classes.length === 0 ? ", which have none" : ` (${quotedNames(classes)})`}`,
    "leave test out: labelled training images are then measured among themselves",
  );
}

/** What is asked: test images of the training images, or these among each other; without labels their views. */
type Asked = {
  train: Part;
  test: Part | undefined;
  copied: Uint8Array | undefined; // 1 for each test image asked that is a copy of a training image
  views: Rows;
  config: RunConfig;
};

/** What turns images and pairs of views into features. */
type Eye = { images(part: Part): Promise<Features>; views(): Promise<Features> };

/** What an eye is shown of images and of pairs of views. */
type Shown = { images(part: Part): Rows; views(): Rows };

const pixelEye = (format: InputFormat, pairs: ReadyRows): Eye => ({
  images: async ({ images, indices }) => pixelFeatures(images, format, indices),
  views: async () => rawRows(pairs, format.imageSize),
});

function encoderEye(embedder: Embedder, state: HostState, shown: Shown): Eye {
  const embed = async (rows: Rows): Promise<Features> => {
    const data = await embedder.embed(exportedEncoder(state), rows);
    return { data, count: rows.count, dimension: embedder.dimension };
  };
  return { images: (part) => embed(shown.images(part)), views: () => embed(shown.views()) };
}

/** Kept features of images, and of the first two views of those of which views are compared. */
function keptShown({ train, test, views }: Kept, data: TrainingData, viewed: Int32Array) {
  const rowsOf = (count: number, fill: ReadyRows["fill"]): ReadyRows => ({ count, fill });
  const readOf = ({ images }: Part) => {
    const file = images === data ? train : test!;
    return (image: number, out: Float32Array, offset: number) => file.read(image, out, offset);
  };
  return {
    images: (part: Part) => {
      const read = readOf(part);
      return rowsOf(part.indices.length, (row, out, offset) =>
        read(part.indices[row], out, offset),
      );
    },
    views: () =>
      rowsOf(2 * viewed.length, (row, out, offset) =>
        views.readView(viewed[row >> 1], { draw: 0, view: row & 1 }, out, offset),
      ),
  };
}

/** Kept features as they are: what the encoder gives that is not adapted. */
function keptEye(shown: ReturnType<typeof keptShown>, { train: { dimension } }: Kept): Eye {
  const featuresOf = (rows: ReadyRows): Features => {
    const { count } = rows;
    const data = new Float32Array(count * dimension);
    for (let i = 0; i < count; i++) rows.fill(i, data, i * dimension);
    return { data, count, dimension };
  };
  return {
    images: async (part) => featuresOf(shown.images(part)),
    views: async () => featuresOf(shown.views()),
  };
}

/** What holds for every measurement of a run. */
function factsOf({ train, test, views, config }: Asked) {
  const { labels } = test ?? train;
  if (train.labels === undefined || labels === undefined) return { viewImages: views.count / 2 };
  const knnAsked: KnnAsked = test === undefined ? "training" : "test";
  const voters = train.labels.length - (test === undefined ? 1 : 0);
  return {
    knnAsked,
    knnImages: labels.length,
    knnChance: largestShare(labels),
    knnClasses: train.images.classes?.length ?? 0,
    ...(test === undefined ? {} : { knnAmong: voters }),
    knnK: Math.min(config.evaluation.k, voters),
    knnTemperature: config.evaluation.temperature,
  };
}

function vote({ train, test, config }: Asked, trained: Features, tested: Features) {
  const { k, temperature } = config.evaluation;
  return knnClassify(
    { features: trained, labels: train.labels!, classes: train.images.classes?.length ?? 0 },
    { features: tested, labels: (test ?? train).labels! },
    { k, temperature, leaveOneOut: test === undefined },
  );
}

/** Share of right answers among test images that are no copies; undefined where none is a copy, and where all are. */
function withoutCopies({ copied, test }: Asked, predictions: Int32Array): number | undefined {
  if (copied?.includes(1) !== true) return undefined;
  const own = [...copied.keys()].filter((i) => copied[i] === 0);
  const right = own.filter((i) => predictions[i] === test!.labels![i]).length;
  return own.length === 0 ? undefined : right / own.length;
}

/** k-NN accuracy with labels, the agreement of views without; and the features of the images asked. */
async function measure(asked: Asked, eye: Eye) {
  const { train, test } = asked;
  const trained = await eye.images(train);
  const tested = test === undefined ? trained : await eye.images(test);
  if (train.labels === undefined) {
    return { tested, agreement: viewAgreement(await eye.views()) };
  }
  const { accuracy: knn, balanced, predictions } = vote(asked, trained, tested);
  return { tested, knn, balanced, knnWithoutCopies: withoutCopies(asked, predictions) };
}

/** What pixels and the weights that training starts from come to. */
async function baselinesOf(asked: Asked, pixels: Eye, first: Eye): Promise<BaselineRecord> {
  const raw = await measure(asked, pixels);
  const start = await measure(asked, first);
  return {
    kind: "baselines",
    epoch: 0,
    step: 0,
    ...factsOf(asked),
    knnPixels: raw.knn,
    knnStart: start.knn,
    balancedPixels: raw.balanced,
    balancedStart: start.balanced,
    copies: asked.copied?.reduce((sum, one) => sum + one, 0),
    knnPixelsWithoutCopies: raw.knnWithoutCopies,
    knnStartWithoutCopies: start.knnWithoutCopies,
    agreementPixels: raw.agreement,
    agreementStart: start.agreement,
    elapsedSeconds: 0,
  };
}

/** Which of the test images asked are copies of training images. */
async function copiedIn(
  test: Part | undefined,
  { data, signal }: { data: TrainingData; signal: AbortSignal },
): Promise<Uint8Array | undefined> {
  if (test === undefined) return undefined;
  const { original } = await keptCopies(data.dataset, test.images.dataset, signal);
  return Uint8Array.from(test.indices, (i) => (original[i] < 0 ? 0 : 1));
}

/**
 * Opens the measurement: k-NN of held-out images among the training images, or without a test set of
 * labelled training images among each other; without labels whether views of an image find each other.
 */
export async function openMonitor(
  session: {
    config: RunConfig;
    data: TrainingData;
    test: TrainingData | undefined;
    framework: Framework;
    state: HostState;
    kept: Kept | undefined;
    signal: AbortSignal;
  },
  target: Target,
): Promise<Monitor> {
  const { config, data, framework, kept } = session;
  const { views, seed } = config;
  const classes = data.classes ?? [];
  const train = partOf(data, classes, config, "train");
  const test = session.test && partOf(session.test, classes, config, "test");
  const viewed = sample(all(data.count), VIEWED, seed, "views");
  const pairs = viewPairRows(data, views, seed, viewed);
  let copied: Promise<Uint8Array | undefined> | undefined; // searched for when it is needed first
  const opened = async (): Promise<Asked> => {
    copied ??= copiedIn(test, session);
    return { train, test, copied: await copied, views: pairs, config };
  };
  const format = formatOf(config);
  const first = exportedEncoder(session.state);
  const embedder = await openFeatures(framework.encoder, first, format, target);
  const behind = kept && keptShown(kept, data, viewed);
  const shown = behind ?? {
    images: ({ images, indices }: Part) => encoderRows(images, format, indices),
    views: () => pairs,
  };
  const eyeOf = (state: HostState) => encoderEye(embedder, state, shown);
  return {
    async baselines(state) {
      const unadapted = kept && behind && keptEye(behind, kept);
      return baselinesOf(await opened(), pixelEye(format, pairs), unadapted ?? eyeOf(state));
    },
    async evaluate({ state, step, elapsedSeconds }, epoch) {
      const asked = await opened();
      const measured = await measure(asked, eyeOf(state));
      const { tested, knn, balanced, knnWithoutCopies, agreement } = measured;
      return {
        kind: "evaluation",
        epoch,
        step,
        knnAccuracy: knn,
        knnBalanced: balanced,
        knnWithoutCopies,
        viewAgreement: agreement,
        ...factsOf(asked),
        uniformity: uniformity(tested),
        effectiveRank: effectiveRank(tested),
        elapsedSeconds: Number(elapsedSeconds.toFixed(3)),
      };
    },
    dispose: () => embedder.dispose(),
  };
}
