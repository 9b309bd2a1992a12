/** A name and its value, shown side by side. */
export type Fact = { name: string; value: string | number };

/** Figures of one training step, or of several steps taken together. */
export type TrainingPoint = {
  step: number; // from 0, over all epochs
  epoch: number;
  loss: number; // nats
  chanceLoss?: number | undefined; // nats, of embeddings that know nothing
  learningRate?: number | undefined;
  positiveSimilarity?: number | undefined; // cosine
  negativeSimilarity?: number | undefined; // cosine
  imagesPerSecond?: number | undefined;
  dataWaitShare?: number | undefined; // 0 to 1
  /** What was measured of the sampling, by the names of the metrics. */
  sampling?: Readonly<Record<string, number>> | undefined;
};

/** What a measurement between epochs found. */
export type EpochPoint = {
  epoch: number; // epochs done
  knnAccuracy?: number | undefined; // 0 to 1
  knnChance?: number | undefined; // 0 to 1
  viewAgreement?: number | undefined; // 0 to 1, without labels
  effectiveRank?: number | undefined; // directions
};

/** What the encoder has to beat between epochs, measured before the first step on the images of `EpochPoint`s. */
export type EpochBaselines = {
  knnPixels?: number | undefined; // 0 to 1
  knnStart?: number | undefined;
  agreementPixels?: number | undefined;
  agreementStart?: number | undefined;
  startName: string; // "untrained"
  asked?: string | undefined; // whose labels: "1,000 test images, held out"
};

/** A measured number; the interval holds it. */
export type Measured = {
  value: number;
  interval?: readonly [low: number, high: number] | undefined;
  /** Without test images that are copies of training images. */
  withoutCopies?: number | null | undefined;
};

/** What can be measured of an encoder. Whatever was not measured is left out. */
export type Measures = {
  knn?: Measured | undefined; // accuracy, 0 to 1
  knnBalanced?: Measured | undefined; // mean accuracy of the classes, 0 to 1
  knnStandardised?: Measured | undefined; // accuracy on standardised features, 0 to 1
  linear?: Measured | undefined; // accuracy, 0 to 1
  linearBalanced?: Measured | undefined; // mean accuracy of the classes, 0 to 1
  alignment?: Measured | undefined; // mean squared distance of two views
  uniformity?: Measured | undefined; // log of the mean potential, t = 2
  effectiveRank?: Measured | undefined; // directions
};

/** The measures of the trained encoder beside those of encoders that learned nothing. */
export type Evaluation = {
  trained: Measures;
  baselines?: {
    chance?: Measures | undefined;
    start?: Measures | undefined; // the pretrained encoder that the run began with
    untrained?: Measures | undefined;
    pixels?: Measures | undefined;
  };
  testSet?: string | undefined; // what was evaluated, in words
  testImages?: number | undefined;
  copies?: number | null | undefined; // test images that are copies of training images
  trainImages?: number | undefined; // images that the neighbours come from
  knn?: { k: number; temperature: number } | undefined;
  dimension?: number | undefined; // of the features
  intervals?: string | undefined; // what the given intervals are, in words
};

/** A small picture as a data URI of a PNG, JPEG, WebP, GIF or AVIF file. */
export type Thumbnail = {
  source: string;
  path?: string | undefined;
  label?: string | undefined;
};

/** An image and views drawn from it. */
export type ViewRow = { original: Thumbnail; views: readonly Thumbnail[] };

/** An image of the neighbourhood of another. */
export type Neighbour = Thumbnail & { similarity?: number | undefined }; // cosine

/** An image and those nearest to it, nearest first. */
export type NeighbourRow = { query: Thumbnail; neighbours: readonly Neighbour[] };

/** A file that could not be used. */
export type SkippedFile = { path: string; reason: string };

/** Everything a report shows: plain data that survives JSON. Missing parts leave their section out. */
export type ReportData = {
  run: string;
  method: string; // in words: "SimCLR, InfoNCE at temperature 0.2"
  encoder: string; // in words: "ResNet-18, width 64, 512 features"
  created?: string | undefined; // ISO 8601
  summary?: readonly Fact[] | undefined; // dataset, images, epochs, …
  evaluation?: Evaluation | undefined;
  training?: readonly TrainingPoint[] | undefined;
  epochs?: readonly EpochPoint[] | undefined;
  epochBaselines?: EpochBaselines | undefined;
  views?: { rows: readonly ViewRow[]; note?: string | undefined } | undefined;
  neighbours?: { rows: readonly NeighbourRow[]; note?: string | undefined } | undefined;
  skipped?: readonly SkippedFile[] | undefined;
  command?: string | undefined; // repeats the run
  seed?: number | string | undefined;
  timings?: readonly { name: string; seconds: number }[] | undefined;
  versions?: Readonly<Record<string, string>> | undefined;
  machine?: Readonly<Record<string, string | number>> | undefined;
  config?: unknown; // resolved, JSON-able
};
