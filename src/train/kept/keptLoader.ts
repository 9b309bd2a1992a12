import { randomStream } from "../../core/random.ts";
import { batchesPerEpoch, epochOrder, placesOf, type ViewBatch } from "../../views/index.ts";
import type { TrainingData } from "../dataset.ts";
import type { Batches } from "../runLoader.ts";
import type { KeptPlace, KeptPlan, KeptViews } from "./keepFeatures.ts";

/** What batches of kept features are made of. */
export type KeptLoaderOptions = {
  readonly kept: KeptViews;
  readonly pixels: TrainingData["pixels"];
  readonly views: number; // of each image in a batch
  readonly seed: number; // of the order and of which views are taken
  readonly batchSize: number; // images
  readonly epochs: number;
  readonly rows?: Int32Array | undefined; // of the views to read, ascending; by default all
  readonly from: { readonly epoch: number; readonly stepInEpoch: number };
};

/** Kept views that an image shows in an epoch: so many different ones of a set. */
export function keptPlaces(
  { plan, count, seed }: { plan: KeptPlan; count: number; seed: number },
  epoch: number,
  image: number,
): KeptPlace[] {
  const stream = randomStream(seed, "kept", epoch, image);
  const draw = stream.integer(plan.draws);
  const all = Array.from({ length: plan.policy.count }, (_, view) => ({ draw, view }));
  if (all.length === count) return all;
  return Array.from({ length: count }, (_, i) => {
    const j = i + stream.integer(all.length - i);
    [all[i], all[j]] = [all[j], all[i]];
    return all[i];
  });
}

const groupsOf = (ids: Int32Array, { groups }: TrainingData["pixels"]): Int32Array =>
  groups === undefined ? ids : ids.map((image) => groups[image]);

/**
 * Batches of kept features, in the order of images that `openViewLoader` has. What is in a batch depends on the options
 * and its place in training alone.
 */
export function openKeptLoader(options: KeptLoaderOptions): Batches {
  const { kept, pixels, seed, batchSize, epochs, from, views: count } = options;
  const [perEpoch, rows] = [batchesPerEpoch(pixels.count, batchSize), count * batchSize];
  const [held, length] = [placesOf(options.rows, rows), options.rows?.length ?? rows];
  const slots = [0, 1].map(() => new Float32Array(length * kept.dimension));
  let [step, waitedMs] = [from.epoch * perEpoch + from.stepInEpoch, 0];
  let order: { epoch: number; images: Uint32Array } | undefined;

  function make(epoch: number, stepInEpoch: number): Omit<ViewBatch, "waitMs"> {
    if (order?.epoch !== epoch) order = { epoch, images: epochOrder(seed, epoch, pixels.count) };
    const ids = Int32Array.from(
      order.images.subarray(stepInEpoch * batchSize, (stepInEpoch + 1) * batchSize),
    );
    const views = slots[step % 2];
    const sources = new Int32Array(rows);
    const places = Array.from(ids, (image) =>
      keptPlaces({ plan: kept.plan, count, seed }, epoch, image),
    );
    const parameters: ViewBatch["parameters"] = (view, b) => {
      const place = places[b][view];
      return kept.drawn(place.draw, ids[b])[place.view];
    };
    places.forEach((each, b) =>
      each.forEach((place, view) => {
        const row = view * batchSize + b;
        const at = held?.[row] ?? row;
        if (at >= 0) kept.readView(ids[b], place, views, at * kept.dimension);
        sources[row] =
          kept.plan.policy.falsePositives > 0 ? (parameters(view, b).source ?? ids[b]) : ids[b];
      }),
    );
    return {
      epoch,
      stepInEpoch,
      step,
      ids,
      sources,
      views,
      parameters,
      groups: groupsOf(ids, pixels),
      places: held,
      shape: [length, kept.dimension],
    };
  }

  return {
    get waitedMs() {
      return waitedMs;
    },
    next() {
      const epoch = Math.floor(step / perEpoch);
      if (epoch >= epochs) return Promise.resolve(undefined);
      const start = performance.now();
      const batch = make(epoch, step - epoch * perEpoch);
      const waitMs = performance.now() - start;
      waitedMs += waitMs;
      step++;
      return Promise.resolve({ ...batch, waitMs });
    },
    close: () => Promise.resolve(),
  };
}
