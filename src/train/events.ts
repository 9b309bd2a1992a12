import type { AutomaticChoice } from "./automatic.ts";
import type { RunConfig } from "./config.ts";

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
  knnAccuracy?: number; // share; only with labels
  knnK?: number;
  knnTemperature?: number;
  knnChance?: number; // share of the largest class
  uniformity: number;
  effectiveRank: number;
  elapsedSeconds: number;
  [figure: string]: number | string | undefined;
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
  | { kind: "choices"; choices: readonly AutomaticChoice[] }
  | {
      kind: "start";
      config: RunConfig;
      run: string;
      images: number;
      stepsPerEpoch: number;
      parameters: number;
      firstStep: number;
    }
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
