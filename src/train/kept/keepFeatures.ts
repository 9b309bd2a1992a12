import { dirname, join } from "node:path";

import { openPixels } from "../../files/index.ts";
import {
  encoderRows,
  inputFormat,
  featuresOf,
  openFixedEmbedder,
  packedIn,
  type Rows,
} from "../../inference/index.ts";
import {
  createRenderer,
  type ViewParameters,
  type ViewPolicy,
  viewsDrawer,
} from "../../views/index.ts";
import { counted } from "../../core/counted.ts";
import type { TrainingData } from "../dataset.ts";
import type { TrainListener } from "../events.ts";
import type { Start } from "../start.ts";
import type { Target } from "../stepper.ts";
import { type FeatureFile, featuresKey, keptFeatures } from "./featureFile.ts";

/** What features of a frozen encoder are kept of, and where. */
export type KeepOptions = {
  readonly start: Start;
  readonly data: TrainingData;
  readonly out: string; // folder of the run
  readonly target: Target;
  readonly listener: TrainListener;
  readonly signal: AbortSignal;
};

/** Which views are kept: those that the first `draws` epochs of a training would show. */
export type KeptPlan = {
  readonly policy: ViewPolicy;
  readonly seed: number;
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

const BATCH = 16; // images at once
const BLOCK = 512; // rows written at once

const part = (rows: Rows, from: number): Rows => ({
  count: Math.min(BLOCK, rows.count - from),
  fill: (row, out, offset) => rows.fill(from + row, out, offset),
});

async function* compute(
  rows: Rows,
  { start, target, listener, signal }: KeepOptions,
  what: string,
) {
  const { network, variables, description } = start;
  listener({ kind: "compiling", what: "the pretrained encoder" });
  const { imageSize } = description;
  const { dimension } = network;
  const embedder = await openFixedEmbedder(
    featuresOf(network),
    variables,
    { dimension, imageSize },
    { threads: target.threads, batchSize: Math.min(BATCH, rows.count) },
  );
  try {
    for (let from = 0; from < rows.count; from += BLOCK) {
      const progress = (done: number) =>
        listener({ kind: "keeping", what, done: from + done, total: rows.count });
      yield await embedder.embed(part(rows, from), { signal, progress });
    }
  } finally {
    await rows.close?.();
    await embedder.dispose();
  }
}

/** Opens rows of features; computes them where they are not there. */
async function keep(options: KeepOptions, rows: () => Rows, facts: object, what: string) {
  const { start, data, out, listener } = options;
  const place = join(packedIn(dirname(out)), "features");
  const key = featuresKey([start.hash, inputFormat(start.description), data.fingerprint, facts]);
  const made = rows();
  const shape = [made.count, start.network.dimension] as const;
  const { features, isNew } = await keptFeatures(place, key, shape, () =>
    compute(made, options, what),
  );
  if (!isNew) await made.close?.();
  const text = `features   of ${counted(made.count, what)}, ${isNew ? "kept in" : "as kept in"} ${join(place, key)}`;
  listener({ kind: "note", text });
  return features;
}

/** Features of images as evaluation sees them: row i is of image i. */
export const keepImages = (options: KeepOptions): Promise<FeatureFile> =>
  keep(options, () => encoderRows(options.data, options.start.description), {}, "image");

/** Features of views of images. */
export async function keepViews(options: KeepOptions, plan: KeptPlan): Promise<KeptViews> {
  const { start, data } = options;
  const { policy, draws } = plan;
  const drawn = viewsDrawer({ ...plan, source: data.pixels });
  const each = draws * policy.count;
  const rows = (): Rows => {
    const render = createRenderer({ ...policy, interpolation: start.description.interpolation });
    const reader = openPixels(data.pixels);
    return {
      count: data.count * each,
      fill(row, out, offset) {
        const [image, at] = [Math.floor(row / each), row % each];
        const parameters = drawn(Math.floor(at / policy.count), image)[at % policy.count];
        render(reader.image(parameters.source ?? image), parameters, out, offset);
      },
      close: () => Promise.resolve(reader.close()),
    };
  };
  const features = await keep(options, rows, plan, "view");
  return {
    ...features,
    ...{ plan, drawn },
    readView: (image, { draw, view }, out, offset) =>
      features.read(image * each + draw * policy.count + view, out, offset),
  };
}
