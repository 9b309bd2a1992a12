import { availableParallelism } from "node:os";

import { counted } from "../../core/counted.ts";
import { ConfigError, ContraposeError } from "../../core/errors.ts";
import type { PixelSource } from "../../core/pixels.ts";
import { workerUrl } from "../../files/index.ts";
import { batchesPerEpoch, createSlot, placesOf } from "./batches.ts";
import type { BatchPlan, Slot } from "./batches.ts";
import type { Boxes } from "../crop/boxes.ts";
import { makeHere, makeInWorkers } from "./makers.ts";
import type { Maker } from "./makers.ts";
import { PACKED_PARAMETERS, unpackParameters } from "./packedParameters.ts";
import type { ViewParameters } from "../parameters.ts";
import type { ViewPolicy } from "../policy.ts";
import { createRing } from "./ring.ts";

/** One batch of V views of B images. Good until the next one is asked for; copy what must last. */
export type ViewBatch = {
  readonly epoch: number;
  readonly stepInEpoch: number;
  readonly step: number; // counted from the first batch of epoch 0
  readonly ids: Int32Array; // [B], numbers of the images in the source
  readonly groups: Int32Array; // [B]
  readonly sources: Int32Array; // [V · B], the images that the views are made of: `ids`, or a false positive
  readonly views: Float32Array; // [V · B, 3, S, S], or features of them [V · B, D]; row v · B + b is view v of image b
  readonly places?: Int32Array | undefined; // [V · B], where some rows only are made: where each is in `views`, or −1
  readonly shape: readonly number[];
  readonly waitMs: number; // that the consumer spent on getting it
  /** How view `view` of image `b` of the batch was made. */
  parameters(view: number, b: number): ViewParameters;
};

/** What a loader is opened with. */
export type ViewLoaderOptions = {
  source: PixelSource;
  policy: ViewPolicy;
  seed: number;
  batchSize: number; // images
  boxes?: Boxes | undefined; // [count, 4], for crop policies that look at them; by default none
  epochs?: number; // ends before this epoch; endless by default
  from?: { epoch: number; stepInEpoch: number }; // the first batch to make
  workers?: number; // threads; 0 makes batches in this thread, when asked for
  rows?: Int32Array | undefined; // of the views to make, ascending; all else of a batch is known of all rows
  ahead?: number; // batches made before they are asked for; 2 by default
  script?: URL; // another worker file, for tests
};

/** Batches in order. Ask for one at a time; `close` when done. */
export type ViewLoader = AsyncIterable<ViewBatch> & {
  readonly batchesPerEpoch: number;
  readonly workers: number;
  /** Milliseconds that the consumer has waited for batches so far. */
  readonly waitedMs: number;
  /** The next batch, or undefined after the last. Rejects with what went wrong in a worker. */
  next(): Promise<ViewBatch | undefined>;
  /** Stops the workers and waits until they are gone. */
  close(): Promise<void>;
};

function checkOptions(options: ViewLoaderOptions): void {
  const { source, batchSize, workers, ahead, from, boxes } = options;
  const epochs = options.epochs === Infinity ? undefined : options.epochs;
  const whole = { batchSize, workers, ahead, epochs, ...from };
  for (const [name, value] of Object.entries(whole)) {
    const least = name === "batchSize" || name === "ahead" ? 1 : 0;
    if (value !== undefined && !(Number.isInteger(value) && value >= least)) {
      throw new ConfigError(
        `views: ${name} is ${value}, expected a whole number of at least ${least}`,
      );
    }
  }
  if (source.count < batchSize) {
    throw new ConfigError(
      `views: the dataset has ${counted(source.count, "image")}, expected at least one batch of ${batchSize}`,
      "use a smaller batch size",
    );
  }
  if (boxes !== undefined && boxes.length !== 4 * source.count) {
    throw new ConfigError(
      `views: boxes has ${boxes.length} numbers, expected 4 for each of ${counted(source.count, "image")}`,
    );
  }
  const perEpoch = batchesPerEpoch(source.count, batchSize);
  if (from !== undefined && from.stepInEpoch > perEpoch) {
    throw new ConfigError(
      `views: from.stepInEpoch is ${from.stepInEpoch}, expected at most ${perEpoch} for ${counted(source.count, "image")} in batches of ${batchSize}`,
    );
  }
}

type Numbers = Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

function shared<T extends Numbers>(table: T): T {
  if (table.buffer instanceof SharedArrayBuffer) return table;
  const Table = table.constructor as new (buffer: SharedArrayBuffer) => T;
  const copy = new Table(new SharedArrayBuffer(table.byteLength));
  copy.set(table);
  return copy;
}

function shareTables(source: PixelSource): PixelSource {
  return {
    ...source,
    segments: shared(source.segments),
    offsets: shared(source.offsets),
    widths: shared(source.widths),
    heights: shared(source.heights),
    ...(source.groups === undefined ? {} : { groups: shared(source.groups) }),
  };
}

type Span = { first: number; all: number }; // batches: the first to make and how many

function makerFor(plan: BatchPlan, options: ViewLoaderOptions, workers: number, span: Span): Maker {
  const { batchSize, ahead = 2, script } = options;
  if (workers === 0) return makeHere(plan, span.first);
  const pieces = Math.min(batchSize, Math.max(workers, Math.ceil(batchSize / 16)));
  const { first: firstBatch, all: batches } = span;
  const ring = createRing(plan, { slots: ahead, firstBatch, batches, pieces });
  return makeInWorkers(plan, ring, workers, script ?? workerUrl("viewWorker", import.meta.url));
}

function batchAt(
  { policy, batchSize, rows }: ViewLoaderOptions,
  places: Int32Array | undefined,
  { views, parameters, ids, groups, sources }: Slot,
  place: { step: number; perEpoch: number; waitMs: number },
): ViewBatch {
  const epoch = Math.floor(place.step / place.perEpoch);
  return {
    epoch,
    stepInEpoch: place.step - epoch * place.perEpoch,
    step: place.step,
    ids,
    groups,
    sources,
    views,
    places,
    shape: [rows?.length ?? policy.count * batchSize, 3, policy.size, policy.size],
    waitMs: place.waitMs,
    parameters: (view, b) =>
      unpackParameters(parameters, (view * batchSize + b) * PACKED_PARAMETERS),
  };
}

/**
 * Opens a loader of batches of views. The contents of every batch depend on source, policy, seed, batch
 * size, boxes and the place in training alone, not on the number of workers or on where loading started.
 */
export function openViewLoader(options: ViewLoaderOptions): ViewLoader {
  checkOptions(options);
  const { source, batchSize, epochs = Infinity, from = { epoch: 0, stepInEpoch: 0 } } = options;
  const workers = options.workers ?? Math.max(1, availableParallelism() - 1);
  const perEpoch = batchesPerEpoch(source.count, batchSize);
  const first = from.epoch * perEpoch + from.stepInEpoch;
  const all = Math.max(0, epochs * perEpoch - first);
  const { policy, seed, rows } = options;
  const boxes = options.boxes && shared(options.boxes);
  const plan: BatchPlan = { source: shareTables(source), policy, seed, batchSize, boxes, rows };
  const places = placesOf(rows, policy.count * batchSize);
  const maker = makerFor(plan, options, workers, { first, all });
  const batch = createSlot(plan, ArrayBuffer); // ordinary memory: not every library takes shared memory
  let [given, waited, asking] = [0, 0, false];

  const next = async (): Promise<ViewBatch | undefined> => {
    if (asking) {
      throw new ContraposeError("views: a batch is being waited for, ask for one at a time");
    }
    if (given >= all) return undefined;
    asking = true;
    const start = performance.now();
    try {
      await maker.made(given);
      maker.take(given, batch);
    } finally {
      asking = false;
    }
    const waitMs = performance.now() - start;
    waited += waitMs;
    const place = { step: first + given, perEpoch, waitMs };
    given++;
    return batchAt(options, places, batch, place);
  };

  return {
    batchesPerEpoch: perEpoch,
    workers,
    get waitedMs() {
      return waited;
    },
    next,
    close: () => maker.close(),
    async *[Symbol.asyncIterator]() {
      try {
        for (let batch = await next(); batch !== undefined; batch = await next()) yield batch;
      } finally {
        await maker.close();
      }
    },
  };
}
