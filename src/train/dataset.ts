import { dirname } from "node:path";

import { type Images, openImages, type OpenImagesOptions, packedIn } from "../inference/index.ts";
import type { DatasetFacts } from "../config/automatic.ts";
import type { TrainListener } from "./events.ts";

/** Images to train on, packed. */
export type TrainingData = Images;

/** What the choices of a config go by. */
export const factsOf = (
  { count, shortSide, labels }: TrainingData,
  start?: DatasetFacts["start"],
): DatasetFacts => ({ images: count, shortSide, labelled: labels !== undefined, start });

/** What opening the images of a run needs to know. */
export type OpenDataOptions = {
  readonly out: string; // folder of the run
  readonly imageSize?: number | undefined;
  readonly groups?: string | undefined; // a file of groups
  readonly labels?: string | undefined; // a file of labels
  readonly split?: OpenImagesOptions["split"];
  readonly ranges?: OpenImagesOptions["ranges"];
  readonly listener?: TrainListener | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Opens the images of a run; their packed form is kept beside the run, where the next run finds it. */
export function openTrainingData(path: string, options: OpenDataOptions): Promise<TrainingData> {
  const { out, imageSize, groups, labels, split = "auto", ranges, listener, signal } = options;
  return openImages(path, {
    cache: packedIn(dirname(out)),
    imageSize,
    groups,
    labels,
    split,
    ranges,
    signal,
    progress: (done, total) => listener?.({ kind: "packing", done, total }),
    note: (text) => listener?.({ kind: "note", text }),
  });
}
