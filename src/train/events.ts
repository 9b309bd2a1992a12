import type { AutomaticChoice } from "../config/automatic.ts";
import type { RunConfig } from "../config/schema.ts";

/** Figures of one step. Times are of this machine; all else depends on config and data alone. */
export type StepRecord = {
  kind: "step";
  epoch: number; // from 0
  step: number; // from 0, over all epochs
  loss: number; // nats
  chanceLoss: number; // nats, of embeddings that know nothing
  learningRate: number;
  positiveSimilarity?: number; // cosine
  negativeSimilarity?: number; // cosine
  accuracy?: number; // share of anchors whose positive is nearest
  featureStd?: number; // 1 even, 0 collapsed
  gradientNorm?: number;
  imagesPerSecond: number; // images of the dataset, each in several views
  waitShare: number; // share of time that the step waited for views
  memoryMiB: number; // of the whole process
  elapsedSeconds: number;
  [figure: string]: number | string | undefined;
};

/** What a measurement between epochs found. `epoch` counts the epochs done. */
export type EvaluationRecord = {
  kind: "evaluation";
  epoch: number;
  step: number;
  knnAccuracy?: number | undefined; // share; only with labels
  knnWithoutCopies?: number | undefined; // without test images that are copies of training images, where there are any
  knnBalanced?: number | undefined; // mean over the classes of the share of each that is right
  knnK?: number;
  knnTemperature?: number;
  knnChance?: number; // share of the largest class
  knnClasses?: number;
  knnAsked?: KnnAsked;
  knnImages?: number; // that were asked
  knnAmong?: number; // training images whose labels answered; only of test images
  viewAgreement?: number | undefined; // share of images whose two views are nearest to each other; only without labels
  viewImages?: number; // among which
  uniformity: number;
  effectiveRank: number;
  elapsedSeconds: number;
  [figure: string]: number | string | undefined;
};

/** Whose labels k-NN asks for: held-out test images, or training images among each other, each left out in turn. */
export type KnnAsked = "test" | "training";

/** What an encoder has to beat, measured once before the first step, as evaluations are and on their images. */
export type BaselineRecord = {
  kind: "baselines";
  epoch: number; // 0
  step: number; // 0
  knnPixels?: number | undefined; // of raw pixels; only with labels
  knnStart?: number | undefined; // of the weights that training starts from, before any adapter
  balancedPixels?: number | undefined; // balanced accuracies of the same votes
  balancedStart?: number | undefined;
  copies?: number | undefined; // test images asked that are copies of training images; only of test images
  knnPixelsWithoutCopies?: number | undefined; // where there are any, and others
  knnStartWithoutCopies?: number | undefined;
  knnChance?: number;
  knnClasses?: number;
  knnAsked?: KnnAsked;
  knnImages?: number;
  knnAmong?: number;
  agreementPixels?: number | undefined; // view agreement; only without labels
  agreementStart?: number | undefined;
  viewImages?: number;
  elapsedSeconds: number; // 0
};

/** What the boxes of contrastive crops came to when they were made anew. `epoch` counts the epochs done. */
export type CropRecord = {
  kind: "crops";
  epoch: number;
  step: number;
  mapSide: number; // of the encoder's last feature maps
  boxArea: number; // mean, as a share of the image
  restrictedShare: number; // of crops that a box keeps from a part of the image
  imagesPerSecond: number; // that boxes were made of
  elapsedSeconds: number;
};

/** Fields of records that depend on the machine and its load. */
export const timeFields = ["imagesPerSecond", "waitShare", "memoryMiB", "elapsedSeconds"] as const;

/** What training tells while it goes on. */
export type TrainEvent =
  | { kind: "note"; text: string }
  | { kind: "packing"; done: number; total: number | undefined }
  | { kind: "fetching"; file: string; done: number; total: number | undefined } // a pretrained encoder
  | { kind: "keeping"; what: string; done: number; total: number } // features of a frozen encoder
  | { kind: "compiling"; what: string } // may keep the process busy for a while
  | { kind: "timing"; what: string; done: number; total: number } // ways to compute, once a machine
  | { kind: "choices"; choices: readonly AutomaticChoice[] }
  | {
      kind: "start";
      config: RunConfig;
      run: string;
      images: number;
      labelled: boolean;
      stepsPerEpoch: number;
      parameters: number; // that are trained, of the encoder or of the adapter in its place
      frozen: number; // of an encoder that is trained in part
      firstStep: number;
    }
  | { kind: "plan"; config: RunConfig; text: string } // the config as it is from here on
  | { kind: "baselines"; record: BaselineRecord }
  | { kind: "step"; record: StepRecord; stepInEpoch: number; secondsLeft: number }
  | {
      kind: "epoch";
      record: StepRecord;
      evaluation: EvaluationRecord | undefined;
      secondsLeft: number;
    }
  | { kind: "checkpoint"; step: number };

/** Is told of everything; must not throw. */
export type TrainListener = (event: TrainEvent) => void;
