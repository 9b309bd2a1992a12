import { noiseBatch } from "../prepare.ts";
import { ContraposeError, DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import type { Framework, HostState, LoadedBatch, StepAt } from "../../frameworks/index.ts";
import { gatherValues, obeying, type Ranks } from "../../ranks/index.ts";
import type { Boxes } from "../../views/index.ts";
import type { RunConfig } from "../../config/schema.ts";
import { loadPlugins } from "../../config/plugins.ts";
import { keptStart, openStart, type Start, withWholeImages } from "../../config/start.ts";
import { openTrainingData, type TrainingData } from "../dataset.ts";
import { closeKept, type Kept, openKept } from "../kept/openKept.ts";
import { loadedBatch } from "../loadedBatch.ts";
import { openLoader } from "../openLoader.ts";
import type { Batches } from "../runLoader.ts";
import { frameworkOf } from "../session.ts";
import { openStepper, type Stepper, targetOf } from "../stepper.ts";
import { digestOf, receiveState } from "./jointState.ts";
import type { OpenReply, TrainOrder } from "./trainOrder.ts";

type Open = TrainOrder & { kind: "open" };
type Opened = {
  config: RunConfig;
  data: TrainingData;
  kept: Kept | undefined;
  framework: Framework;
  stepper: Stepper;
};

const quiet = { listener: () => undefined, signal: new AbortController().signal };

/** The pretrained encoder of a run, as rank 0 opened it. */
async function startOf({ config, exists }: Open): Promise<Start | undefined> {
  const { start, from, out, imageSize } = config;
  if (start === undefined) return undefined;
  if (exists) return keptStart(out, config);
  const found = await openStart(from!, imageSize, { signal: quiet.signal });
  const same = start.crop?.of === "whole" ? withWholeImages(found) : found;
  if (same.hash === start.hash) return same;
  throw new DataError(`the encoder ${quoted(from)} is another one here than on rank 0`);
}

async function open(order: Open, ranks: Ranks): Promise<Opened> {
  const config = order.config as RunConfig; // epochs may be open, they come with the batches
  await loadPlugins(config.plugins);
  const { out, imageSize, groups, labels, split } = config;
  const places = { out, imageSize, groups, labels, split, ...quiet };
  const data = await openTrainingData(config.data, places);
  let kept: Kept | undefined;
  try {
    const start = await startOf(order);
    const target = targetOf(config, order.tune);
    kept = await openKept(config, target, { data, test: undefined, start, ...quiet });
    const framework = frameworkOf(config, data.count, start);
    const stepper = await openStepper(framework, framework.init(), config, target, ranks);
    return { config, data, kept, framework, stepper };
  } catch (error) {
    closeKept(kept);
    data.close();
    throw error;
  }
}

async function close({ stepper, kept, data }: Opened): Promise<void> {
  await stepper.dispose();
  closeKept(kept);
  data.close();
}

/** What a rank beside rank 0 works with: the run, its batches, and the state that all have. */
type Work = {
  readonly ranks: Ranks;
  opened?: Opened | undefined;
  loader?: Batches | undefined;
  state?: HostState | undefined;
  ahead?: { step: number; batch: LoadedBatch } | undefined; // encoded, its step is to come
};

async function shut(work: Work): Promise<void> {
  await work.loader?.close();
  if (work.opened !== undefined) await close(work.opened);
  Object.assign(work, { opened: undefined, loader: undefined, state: undefined, ahead: undefined });
}

async function batchAt(work: Work, opened: Opened, { step }: StepAt): Promise<LoadedBatch> {
  if (work.ahead?.step === step) return work.ahead.batch;
  if (work.loader === undefined) return noiseBatch(opened.framework);
  const batch = await work.loader.next();
  if (batch?.step !== step) {
    throw new ContraposeError(`views: the batch of step ${batch?.step} came for step ${step}`);
  }
  work.ahead = { step, batch: loadedBatch(batch, opened.data) };
  return work.ahead.batch;
}

async function openRun(work: Work, order: Open): Promise<OpenReply> {
  try {
    await shut(work);
    work.opened = await open(order, work.ranks);
    const { fingerprint, count: images } = work.opened.data;
    return { fingerprint, images };
  } catch (error) {
    if (!(error instanceof ContraposeError)) throw error;
    const { name, message, hint } = error;
    return { error: { name, message, hint } };
  }
}

async function openBatches(work: Work, opened: Opened, order: TrainOrder & { kind: "batches" }) {
  const { step, epochs } = order;
  const bytes = order.boxes ? (await work.ranks.broadcast()).slice() : undefined;
  const boxes = bytes && (new Float32Array(bytes.buffer) as Boxes);
  const { config, data, kept, stepper } = opened;
  await work.loader?.close();
  const stepsPerEpoch = Math.floor(data.count / config.batchSize);
  const parts = { config: { ...config, epochs }, data, kept };
  work.loader = openLoader(parts, { step, stepsPerEpoch, boxes, rows: stepper.rows });
  work.ahead = undefined;
}

async function encode(work: Work, opened: Opened, order: TrainOrder & { kind: "embed" | "step" }) {
  const { kind, at, fresh } = order;
  const { framework, stepper } = opened;
  if (fresh) work.state = await receiveState(work.ranks, framework.init());
  const before = work.state!;
  const batch = await batchAt(work, opened, at);
  if (kind === "embed") {
    await stepper.embedded!(before, batch, at);
    return;
  }
  work.state = (await stepper.step(before, batch, at)).state;
  work.ahead = undefined;
  if (!fresh) stepper.recycle(before);
}

async function obey(work: Work, order: TrainOrder): Promise<void> {
  const { ranks, opened } = work;
  if (order.kind === "open") return void (await gatherValues(ranks, await openRun(work, order)));
  if (opened === undefined) throw new ContraposeError(`ranks: ${order.kind} came before the run`);
  if (order.kind === "batches") return openBatches(work, opened, order);
  if (order.kind === "digest") return void (await gatherValues(ranks, digestOf(work.state!)));
  return encode(work, opened, order);
}

/** Trains on another rank than 0, as that says, until it lets go: the exit code. */
export async function followTraining(ranks: Ranks): Promise<number> {
  const work: Work = { ranks };
  const code = await obeying(ranks, (order: TrainOrder) => obey(work, order));
  await shut(work);
  return code;
}
