import { dirname } from "node:path";

import {
  type FeatureFile,
  featuresIn,
  keepImages,
  type KeepOptions,
  packedIn,
} from "../../inference/index.ts";
import type { RunConfig } from "../../config/schema.ts";
import type { TrainingData } from "../dataset.ts";
import type { TrainListener } from "../events.ts";
import type { Start } from "../../config/start.ts";
import type { Target } from "../stepper.ts";
import { keepViews, keptPlan, type KeptViews } from "./keepFeatures.ts";

/** What a run works on. */
export type Given = {
  readonly data: TrainingData;
  readonly test: TrainingData | undefined;
  readonly start: Start | undefined;
  readonly listener: TrainListener;
  readonly signal: AbortSignal;
};

/** Features that a run with a frozen body goes by: of views and of images to train on, of held-out images. */
export type Kept = {
  readonly views: KeptViews;
  readonly train: FeatureFile;
  readonly test: FeatureFile | undefined;
};

/** How features of a start are kept, beside the packed images of a run. */
export const keepOptions = (
  encoder: Start,
  { out, threads }: { out: string; threads: number },
  { listener, signal }: Pick<Given, "listener" | "signal">,
): KeepOptions => ({
  encoder,
  place: featuresIn(packedIn(dirname(out))),
  threads,
  signal,
  compiling: () => listener({ kind: "compiling", what: "the pretrained encoder" }),
  progress: (what, done, total) => listener({ kind: "keeping", what, done, total }),
  note: (text) => listener({ kind: "note", text }),
});

/** Opens the features that a run with a frozen body goes by; undefined for another. */
export async function openKept(
  config: Pick<RunConfig, "views" | "keptViews" | "out" | "adapter">,
  target: Target,
  { data, test, start, listener, signal }: Given,
): Promise<Kept | undefined> {
  const { views: policy, keptViews = 0, out, adapter } = config;
  if (start === undefined || adapter === undefined) return undefined;
  const { threads } = target;
  const options = keepOptions(start, { out, threads }, { listener, signal });
  const opened: FeatureFile[] = [];
  const open = async <T extends FeatureFile>(opening: Promise<T>): Promise<T> => {
    const features = await opening;
    opened.push(features);
    return features;
  };
  try {
    const train = await open(keepImages(options, data));
    const views = await open(keepViews(options, data, keptPlan(policy, keptViews)));
    return { views, train, test: test && (await open(keepImages(options, test))) };
  } catch (error) {
    for (const features of opened) features.close();
    throw error;
  }
}

/** Closes the files of kept features. */
export function closeKept(kept: Kept | undefined): void {
  kept?.views.close();
  kept?.train.close();
  kept?.test?.close();
}
