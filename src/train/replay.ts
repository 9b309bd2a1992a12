import { basename, dirname, join } from "node:path";

import { quoted } from "../core/quote.ts";
import { firstBoxes } from "./crops/cropRefresh.ts";
import { openTrainingData } from "./dataset.ts";
import { shareAt } from "./time/epochs.ts";
import { readFailure } from "./failure.ts";
import { loadedBatch } from "./loadedBatch.ts";
import { notFinite } from "./loop.ts";
import { checkOwn } from "../config/ownParts.ts";
import { readRunConfig } from "./run/runConfig.ts";
import { existingRun, isRun } from "./run/runFolder.ts";
import { closeKept, type Kept } from "./kept/openKept.ts";
import { openParts } from "./openParts.ts";
import { openLoader } from "./openLoader.ts";
import { frameworkOf } from "./session.ts";
import { keptStart } from "../config/start.ts";

/** What a repeated step showed. */
export type Replayed = {
  readonly run: string;
  readonly step: number;
  readonly repeated: boolean; // the same figures are not finite
  readonly figures: Readonly<Record<string, string>>;
  readonly largestView: number; // absolute value of a pixel of the batch
  readonly viewsFinite: boolean;
  readonly largestWeight: { readonly name: string; readonly value: string };
};

function largest(record: Record<string, { data: ArrayLike<number> }>) {
  let [name, value] = ["", 0];
  for (const [key, { data }] of Object.entries(record)) {
    for (let i = 0; i < data.length; i++) {
      const size = Math.abs(data[i]);
      if (size > value || Number.isNaN(size)) [name, value] = [key, size];
    }
  }
  return { name, value: value.toPrecision(4) };
}

function extent(views: Float32Array): { largestView: number; viewsFinite: boolean } {
  let [largestView, viewsFinite] = [0, true];
  for (const value of views) {
    viewsFinite &&= Number.isFinite(value);
    largestView = Math.max(largestView, Math.abs(value));
  }
  return { largestView, viewsFinite };
}

/** Repeats the step that a `failure.json` describes, from the state before it, with the same views. */
export async function replay(path: string): Promise<Replayed> {
  const failure = readFailure(path);
  const folder = existingRun(isRun(dirname(path)) ? dirname(path) : failure.run); // it may have moved
  const { about, ...config } = readRunConfig(folder);
  checkOwn(quoted(folder.path), config);
  const { imageSize, batchSize } = config;
  const data = await openTrainingData(config.data, {
    out: folder.path,
    imageSize,
    split: config.split,
    groups: config.groups,
    labels: config.labels,
  });
  const quiet = { listener: () => undefined, signal: new AbortController().signal };
  const start = await keptStart(folder.path, config);
  let kept: Kept | undefined;
  try {
    const framework = frameworkOf(config, data.count, start);
    const checkpoint = join(folder.checkpoints, basename(failure.checkpoint));
    const given = { data, test: undefined, start, ...quiet };
    const parts = await openParts(framework, config, given, { checkpoint, tune: about.lowering });
    kept = parts.kept;
    const { state, stepper, read } = parts;
    const perEpoch = Math.floor(data.count / batchSize);
    const here = { config: { ...config, workers: 0 }, data, kept };
    const loader = openLoader(here, {
      step: failure.step,
      stepsPerEpoch: perEpoch,
      boxes: read?.boxes ?? firstBoxes(config.views, data),
    });
    const batch = (await loader.next())!;
    const { learningRate, step } = failure;
    const progress = shareAt(config, step, perEpoch);
    const at = { learningRate, step, progress };
    const { figures } = await stepper.step(state, loadedBatch(batch, data), at);
    const views = extent(batch.views);
    await Promise.all([stepper.dispose(), loader.close()]);
    return {
      run: folder.path,
      step,
      ...views,
      repeated: notFinite(figures).join() === failure.notFinite.join(),
      figures: Object.fromEntries(
        Object.entries(figures).map(([name, value]) => [name, String(value)]),
      ),
      largestWeight: largest({ ...state.encoder.parameters, ...state.head.parameters }),
    };
  } finally {
    closeKept(kept);
    data.close();
  }
}
