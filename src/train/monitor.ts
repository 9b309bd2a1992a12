import { ConfigError } from "../core/errors.ts";
import { permutation, randomStream } from "../core/random.ts";
import {
  type Embedder,
  imageRows,
  type InputFormat,
  labelledOnly,
  labelsIn,
  largestShare,
  openFeatures,
  refuseSame,
} from "../inference/index.ts";
import type { Framework, HostState } from "../methods/index.ts";
import { effectiveRank, type Features, knnClassify, uniformity } from "../metrics/index.ts";
import type { RunConfig } from "./config.ts";
import { type OpenDataOptions, openTrainingData, type TrainingData } from "./dataset.ts";
import type { EvaluationRecord } from "./events.ts";
import type { Progress } from "./loop.ts";
import { exportedEncoder } from "./session.ts";
import type { Target } from "./stepper.ts";

/** Measures the encoder between epochs. */
export type Monitor = {
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
  const images = await openTrainingData(path, { ...options, split: "heldOut" });
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
    images.classes === undefined
      ? "no labels"
      : `the classes ${images.classes.slice(0, 5).join(", ")}`;
  throw new ConfigError(
    `test: ${JSON.stringify(path)} has ${known}, expected the classes of the training images${classes.length === 0 ? ", which have none" : ` (${classes.slice(0, 5).join(", ")})`}`,
    "leave test out: labelled training images are then measured among themselves",
  );
}

function vote(
  train: Part,
  trained: Features,
  test: Part | undefined,
  tested: Features,
  config: RunConfig,
) {
  if (train.labels === undefined) return {};
  const { k, temperature } = config.evaluation;
  const classes = train.images.classes?.length ?? 0;
  const queries = test ?? train;
  const result = knnClassify(
    { features: trained, labels: train.labels, classes },
    { features: tested, labels: queries.labels! },
    { k, temperature, leaveOneOut: test === undefined },
  );
  return {
    knnAccuracy: result.accuracy,
    knnK: result.k,
    knnTemperature: temperature,
    knnChance: largestShare(queries.labels!),
  };
}

async function embedPart(
  embedder: Embedder,
  state: HostState,
  { images, indices }: Part,
  format: InputFormat,
): Promise<Features> {
  const rows = imageRows(images, format, indices);
  const data = await embedder.embed(exportedEncoder(state), rows);
  return { data, count: indices.length, dimension: embedder.dimension };
}

/**
 * Opens the measurement: k-NN of held-out images among the training images, or without a test set of
 * labelled training images among each other; without labels only the spread of the features.
 */
export async function openMonitor(
  session: {
    config: RunConfig;
    data: TrainingData;
    test: TrainingData | undefined;
    framework: Framework;
    state: HostState;
  },
  target: Target,
): Promise<Monitor> {
  const { config, data, framework, state } = session;
  const { imageSize, views } = config;
  const classes = data.classes ?? [];
  const train = partOf(data, classes, config, "train");
  const test = session.test && partOf(session.test, classes, config, "test");
  const format = { imageSize, mean: views.mean, std: views.std };
  const embedder = await openFeatures(framework.encoder, exportedEncoder(state), format, target);
  return {
    async evaluate({ state: now, step, elapsedSeconds }, epoch) {
      const trained = await embedPart(embedder, now, train, format);
      const tested = test === undefined ? trained : await embedPart(embedder, now, test, format);
      return {
        ...{ kind: "evaluation", epoch, step },
        ...vote(train, trained, test, tested, config),
        uniformity: uniformity(tested),
        effectiveRank: effectiveRank(tested),
        elapsedSeconds: Number(elapsedSeconds.toFixed(3)),
      };
    },
    dispose: () => embedder.dispose(),
  };
}
